-- What was added by hand, since the code writes it: and then words that nobody had foreseen.
ALTER TABLE generations DROP CONSTRAINT IF EXISTS generations_status_check;
ALTER TABLE generations DROP CONSTRAINT IF EXISTS generations_type_check;
ALTER TABLE generations ALTER COLUMN status DROP NOT NULL;
ALTER TABLE generations ADD COLUMN result_url text, ADD COLUMN metadata jsonb,
    ADD COLUMN error_message text, ADD COLUMN billing_error text;
