-- 019 to 20260130.
ALTER TABLE generations ALTER COLUMN is_favorite SET NOT NULL;
CREATE INDEX idx_generations_user_status ON generations (user_id, status);
CREATE INDEX idx_generations_user_created_at ON generations (user_id, created_at DESC);
CREATE TABLE studio_threads (id uuid PRIMARY KEY);
ALTER TABLE generations
    ADD COLUMN preview_path text,
    ADD COLUMN poster_path text,
    ADD COLUMN preview_status text DEFAULT 'none'
        CHECK (preview_status IN ('none', 'processing', 'ready', 'failed')),
    ADD COLUMN original_path text,
    ADD COLUMN thread_id uuid REFERENCES studio_threads (id) ON DELETE SET NULL,
    ADD COLUMN params jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN charged_stars int,
    ADD COLUMN sku varchar(255),
    ADD COLUMN pricing_version varchar(50),
    ADD COLUMN duration_sec int,
    ADD COLUMN actual_stars_spent int,
    ADD COLUMN fal_request_id text,
    ADD COLUMN section varchar(50),
    ADD COLUMN image_url text,
    ADD COLUMN audio_url text,
    ADD COLUMN audio_duration float,
    ADD COLUMN resolution varchar(20);
CREATE INDEX idx_generations_preview ON generations (status, preview_status, created_at)
    WHERE status IN ('success', 'completed', 'succeeded');
CREATE INDEX idx_generations_fal ON generations (fal_request_id) WHERE fal_request_id IS NOT NULL;
CREATE POLICY generations_update_own ON generations
    FOR UPDATE USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);
CREATE PUBLICATION supabase_realtime FOR TABLE generations;
