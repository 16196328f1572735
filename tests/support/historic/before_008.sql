-- What 008 was made for: one column for the model.
DROP VIEW generation_history;
ALTER TABLE generations RENAME COLUMN model_id TO model;
ALTER TABLE generations DROP COLUMN model_name;
