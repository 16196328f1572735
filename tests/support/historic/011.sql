-- As far as it gets: its INSERT policy is one that PostgreSQL refuses.
ALTER TABLE generations
    ADD COLUMN provider text DEFAULT 'kie',
    ADD COLUMN asset_url text;
ALTER TABLE generations DROP CONSTRAINT generations_status_check;
CREATE INDEX idx_generations_provider ON generations (provider);
CREATE INDEX idx_generations_asset_url ON generations (asset_url) WHERE asset_url IS NOT NULL;
