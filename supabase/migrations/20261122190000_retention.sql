-- 0005: What prune finds its work by, without looking at what it has done.
-- Rendered from migrations/versions/0005_retention.py by `make supabase`. May be run twice.

DO $revision$
DECLARE
    applied text;
BEGIN
    PERFORM pg_advisory_xact_lock(5243897401);
    IF to_regclass('alembic_version') IS NOT NULL THEN
        SELECT version_num INTO applied FROM alembic_version;
    END IF;
    IF applied !~ '^\d{4}$' THEN
        RAISE EXCEPTION 'alembic_version belongs to another application';
    ELSIF applied >= '0005' THEN
        RAISE NOTICE '0005 has been applied already';
        RETURN;
    ELSIF applied IS NULL AND to_regclass('generations') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table generations that is not ours; to adopt it, begin with: '
            'python -m core migrate --dry-run';
    ELSIF applied IS DISTINCT FROM '0004' THEN
        RAISE EXCEPTION 'run 0004 before 0005';
    END IF;

-- Running upgrade 0004 -> 0005

ALTER TABLE generations ADD COLUMN history_checked_at TIMESTAMP WITH TIME ZONE;

CREATE INDEX ix_generations_history_unchecked ON generations (updated_at, id) WHERE provider = 'kie' AND (status NOT IN ('queued', 'generating')) AND due_at IS NULL AND lease_until IS NULL AND (history_checked_at IS NULL OR history_checked_at <= updated_at);

CREATE INDEX ix_callbacks_strange ON callbacks (received_at, id) WHERE verdict = 'refused' OR reason = 'task.unknown';

CREATE INDEX ix_callbacks_not_emptied ON callbacks (received_at, id) WHERE verdict = 'duplicate' OR verdict = 'accepted' AND body != '';

UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';
END
$revision$;
