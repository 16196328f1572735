ALTER TABLE generations
    ADD COLUMN kind text CHECK (kind IN ('image', 'video')),
    ADD COLUMN model_key text,
    ADD COLUMN result_urls jsonb DEFAULT '[]',
    ADD COLUMN preview_url text,
    ADD COLUMN options jsonb DEFAULT '{}',
    ADD COLUMN error text;
CREATE INDEX idx_generations_task_id ON generations (task_id);
CREATE INDEX idx_generations_model_key ON generations (model_key);
CREATE INDEX idx_generations_kind ON generations (kind);
ALTER TABLE generations DROP CONSTRAINT generations_status_check;
ALTER TABLE generations ADD CONSTRAINT generations_status_check
    CHECK (status IN ('pending', 'processing', 'generating', 'completed', 'success', 'failed'));
CREATE POLICY "Service can update all generations" ON generations
    FOR UPDATE USING (true) WITH CHECK (true);
CREATE FUNCTION cleanup_old_failed_generations(days_old integer) RETURNS void LANGUAGE sql AS
    'DELETE FROM generations WHERE status = ''failed'' AND result_urls = ''[]''::jsonb
        AND created_at < now() - days_old * interval ''1 day''';
