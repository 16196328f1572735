-- 0003: Rows of other providers, which an adopted table may hold, follow their own rules.
-- Rendered from migrations/versions/0003_other_providers.py by `make supabase`. May be run twice.

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
    ELSIF applied >= '0003' THEN
        RAISE NOTICE '0003 has been applied already';
        RETURN;
    ELSIF applied IS NULL AND to_regclass('generations') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table generations that is not ours; to adopt it, begin with: '
            'python -m core migrate --dry-run';
    ELSIF applied IS DISTINCT FROM '0002' THEN
        RAISE EXCEPTION 'run 0002 before 0003';
    END IF;

-- Running upgrade 0002 -> 0003

ALTER TABLE generations DROP CONSTRAINT ck_generations_status_known;

ALTER TABLE generations ADD CONSTRAINT ck_generations_status_known CHECK (provider <> 'kie' OR status IN ('queued', 'generating', 'success', 'failed'));

ALTER TABLE generations DROP CONSTRAINT ck_generations_success_has_asset_url;

ALTER TABLE generations ADD CONSTRAINT ck_generations_success_has_asset_url CHECK (provider <> 'kie' OR status <> 'success' OR asset_url IS NOT NULL);

DROP INDEX uq_generations_task_id;

CREATE UNIQUE INDEX uq_generations_task_id ON generations (task_id) WHERE task_id IS NOT NULL AND provider = 'kie';

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';
END
$revision$;
