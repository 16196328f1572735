-- 0002: What lists and figures of a long history are read from, and what an operator sent again.
-- Rendered from migrations/versions/0002_figures.py by `make supabase`. May be run twice.

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
    ELSIF applied >= '0002' THEN
        RAISE NOTICE '0002 has been applied already';
        RETURN;
    ELSIF applied IS NULL AND to_regclass('generations') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table generations that is not ours; to adopt it, begin with: '
            'python -m core migrate --dry-run';
    ELSIF applied IS DISTINCT FROM '0001' THEN
        RAISE EXCEPTION 'run 0001 before 0002';
    END IF;

-- Running upgrade 0001 -> 0002

ALTER TABLE generations ADD COLUMN sent_again_at TIMESTAMP WITH TIME ZONE;

CREATE INDEX ix_generations_created_at ON generations (created_at);

CREATE INDEX ix_generations_user_id_created_at ON generations (user_id, created_at);

CREATE INDEX ix_generations_status_created_at ON generations (status, created_at);

CREATE INDEX ix_generations_kind_created_at ON generations (kind, created_at);

CREATE INDEX ix_generations_model_created_at ON generations (model, created_at);

CREATE INDEX ix_generations_model_status_created_at ON generations (model, status, created_at);

CREATE INDEX ix_generations_delivered_via_created_at ON generations (delivered_via, created_at) WHERE delivered_via IS NOT NULL;

CREATE INDEX ix_generations_error_code_created_at ON generations (error_code, created_at) WHERE error_code IS NOT NULL;

CREATE INDEX ix_generations_error_code_model_created_at ON generations (error_code, model, created_at) WHERE error_code IS NOT NULL;

CREATE INDEX ix_generations_open ON generations (created_at) WHERE status IN ('queued', 'generating');

CREATE INDEX ix_callbacks_accepted ON callbacks (received_at) WHERE verdict = 'accepted';

CREATE INDEX ix_callbacks_reason ON callbacks (reason, received_at) WHERE reason IS NOT NULL;

DROP INDEX ix_generations_user_id_id;

DROP INDEX ix_generations_status_id;

CREATE TABLE cohorts (
    hour TIMESTAMP WITH TIME ZONE NOT NULL, 
    model VARCHAR NOT NULL, 
    kind VARCHAR NOT NULL, 
    status VARCHAR NOT NULL, 
    error_code VARCHAR NOT NULL, 
    delivered_via VARCHAR NOT NULL, 
    generations INTEGER NOT NULL, 
    credits NUMERIC(18, 6) NOT NULL, 
    files INTEGER NOT NULL, 
    bytes BIGINT NOT NULL, 
    first_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    last_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    example VARCHAR NOT NULL, 
    CONSTRAINT pk_cohorts PRIMARY KEY (hour, model, kind, status, error_code, delivered_via)
);

CREATE TABLE durations (
    hour TIMESTAMP WITH TIME ZONE NOT NULL, 
    model VARCHAR NOT NULL, 
    measure VARCHAR NOT NULL, 
    up_to_ms BIGINT NOT NULL, 
    generations INTEGER NOT NULL, 
    CONSTRAINT pk_durations PRIMARY KEY (hour, model, measure, up_to_ms)
);

CREATE TABLE stale_hours (
    hour TIMESTAMP WITH TIME ZONE NOT NULL, 
    CONSTRAINT pk_stale_hours PRIMARY KEY (hour)
);

CREATE TABLE rollups (
    id INTEGER NOT NULL, 
    event_id BIGINT NOT NULL, 
    folded_at TIMESTAMP WITH TIME ZONE, 
    CONSTRAINT pk_rollups PRIMARY KEY (id)
);

INSERT INTO rollups (id, event_id, folded_at) VALUES (1, 0, NULL);

DO $secure$
DECLARE
    strangers text := (SELECT 'PUBLIC, ' || string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated'));
    name text;
    sequence regclass;
BEGIN
    IF NOT (SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('authenticated', 'service_role')) THEN
        RETURN;
    END IF;
    FOREACH name IN ARRAY ARRAY['cohorts', 'durations', 'rollups', 'stale_hours'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('REVOKE ALL ON TABLE %I FROM %s', name, strangers);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %I TO service_role', name);
        FOR sequence IN
            SELECT pg_class.oid FROM pg_depend JOIN pg_class ON pg_class.oid = objid
            WHERE refobjid = to_regclass(name) AND relkind = 'S' AND deptype IN ('a', 'i')
        LOOP
            EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM %s', sequence, strangers);
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO service_role', sequence);
        END LOOP;
    END LOOP;
END
$secure$;

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';
END
$revision$;
