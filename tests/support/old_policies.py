"""Columns, policies, a view and functions that applications have on `generations` before us."""

from __future__ import annotations

import psycopg

from tests.support.revisions import upgrade

#: In the words of kie-delivery's forerunner, whose `generations` an adopted table is.
COLUMNS = """
ALTER TABLE generations ALTER COLUMN user_id TYPE uuid USING user_id::uuid;
ALTER TABLE generations ADD COLUMN is_favorite boolean DEFAULT false,
    ADD COLUMN is_public boolean DEFAULT false, ADD COLUMN tags text[] DEFAULT '{}',
    ADD COLUMN charged_stars integer;
ALTER TABLE generations ENABLE ROW LEVEL SECURITY;
GRANT ALL ON generations TO anon, authenticated;
"""

POLICIES = {
    # The first table: everything for the owner, and public rows for everybody.
    "Users can view own generations": "FOR SELECT USING (auth.uid() = user_id)",
    "Users can insert own generations": "FOR INSERT WITH CHECK (auth.uid() = user_id)",
    "Users can update own generations": "FOR UPDATE USING (auth.uid() = user_id)",
    "Users can delete own generations": "FOR DELETE USING (auth.uid() = user_id)",
    "Anyone can view public generations": "FOR SELECT USING (is_public = true)",
    # Meant for the service role, which needs none; without a role it is for everybody.
    "Service can update all generations": "FOR UPDATE USING (true) WITH CHECK (true)",
    "Service can insert all generations": "FOR INSERT WITH CHECK (true)",
    # What was made later beside them.
    "generations_select_own": "FOR SELECT USING (auth.uid() = user_id)",
    "generations_insert_own": "FOR INSERT WITH CHECK (auth.uid() = user_id)",
    "generations_update_own": (
        "FOR UPDATE USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id)"
    ),
}

#: Both do what they do as their owner, and Supabase lets everybody use what is new.
VIEW = "CREATE VIEW generation_history AS SELECT id, user_id, status, prompt FROM generations"
FUNCTIONS = """
CREATE FUNCTION cleanup_old_failed_generations(days_old integer DEFAULT 30) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    deleted_count integer;
BEGIN
    DELETE FROM public.generations
    WHERE status = 'failed' AND created_at < now() - interval '1 day' * days_old;
    GET DIAGNOSTICS deleted_count = ROW_COUNT;
    RETURN deleted_count;
END $$;
CREATE FUNCTION get_user_generation_stats(p_user_id uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER AS $$
    SELECT count(*) FROM public.generations WHERE user_id = p_user_id
$$;
"""


def make_old_table(url: str, policies: dict[str, str]) -> None:
    """A table that has been adopted, before anything is done about who may do what with it."""
    upgrade(url, "0003")
    with psycopg.connect(url) as connection:
        connection.execute(COLUMNS.encode())
        for name, policy in policies.items():
            connection.execute(f'CREATE POLICY "{name}" ON generations {policy}'.encode())
