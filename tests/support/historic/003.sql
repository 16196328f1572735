-- The table as it began, with all that stood on it.
CREATE TABLE generations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    type text NOT NULL CHECK (type IN ('photo', 'video', 'product')),
    model_id text NOT NULL,
    model_name text NOT NULL,
    prompt text NOT NULL,
    negative_prompt text,
    aspect_ratio text DEFAULT '1:1',
    variants int DEFAULT 1,
    cfg_scale decimal(4, 2),
    steps int,
    duration int,
    fps int,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    task_id text,
    results jsonb DEFAULT '[]',
    thumbnail_url text,
    credits_used int DEFAULT 0,
    is_favorite boolean DEFAULT false,
    is_public boolean DEFAULT false,
    tags text[] DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    completed_at timestamptz
);
CREATE INDEX idx_generations_user_id ON generations (user_id);
CREATE INDEX idx_generations_type ON generations (type);
CREATE INDEX idx_generations_status ON generations (status);
CREATE INDEX idx_generations_created_at ON generations (created_at DESC);
CREATE INDEX idx_generations_is_favorite ON generations (is_favorite) WHERE is_favorite;

ALTER TABLE generations ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users can view own generations" ON generations
    FOR SELECT USING (auth.uid() = user_id);
CREATE POLICY "Users can insert own generations" ON generations
    FOR INSERT WITH CHECK (auth.uid() = user_id);
CREATE POLICY "Users can update own generations" ON generations
    FOR UPDATE USING (auth.uid() = user_id);
CREATE POLICY "Anyone can view public generations" ON generations
    FOR SELECT USING (is_public);

CREATE FUNCTION update_generations_updated_at() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.updated_at = now(); RETURN NEW; END';
CREATE TRIGGER trigger_update_generations_updated_at BEFORE UPDATE ON generations
    FOR EACH ROW EXECUTE FUNCTION update_generations_updated_at();

CREATE VIEW generation_history AS
SELECT id, user_id, type, model_id, model_name, prompt, status, results, thumbnail_url,
    coalesce(thumbnail_url, results -> 0 ->> 'url') AS preview_url,
    credits_used, is_favorite, is_public, tags, created_at, completed_at
FROM generations ORDER BY created_at DESC;
CREATE FUNCTION get_user_generation_stats(p_user_id uuid) RETURNS bigint LANGUAGE sql AS
    'SELECT count(*) FROM generations WHERE user_id = p_user_id AND status = ''completed''';
