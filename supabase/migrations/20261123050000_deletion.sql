-- 0006: A deletion that was begun, for whoever has to finish it.
-- Rendered from migrations/versions/0006_deletion.py by `make supabase`. May be run twice.

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
    ELSIF applied >= '0006' THEN
        RAISE NOTICE '0006 has been applied already';
        RETURN;
    ELSIF applied IS NULL AND to_regclass('generations') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table generations that is not ours; to adopt it, begin with: '
            'python -m core migrate --dry-run';
    ELSIF applied IS DISTINCT FROM '0005' THEN
        RAISE EXCEPTION 'run 0005 before 0006';
    END IF;

-- Running upgrade 0005 -> 0006

ALTER TABLE generations ADD COLUMN delete_requested_at TIMESTAMP WITH TIME ZONE;

UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';
END
$revision$;
