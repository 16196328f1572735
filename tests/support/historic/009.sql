-- After tables that had lost it: without a default.
ALTER TABLE generations ALTER COLUMN aspect_ratio DROP DEFAULT;
