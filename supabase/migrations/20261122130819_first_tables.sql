-- 0001: First tables.
-- Rendered from migrations/versions/0001_first_tables.py by `make supabase`. May be run twice.

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
    ELSIF applied >= '0001' THEN
        RAISE NOTICE '0001 has been applied already';
        RETURN;
    ELSIF applied IS NULL AND to_regclass('generations') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table generations that is not ours; to adopt it, begin with: '
            'python -m core migrate --dry-run';
    ELSIF false THEN
        RAISE EXCEPTION 'run None before 0001';
    END IF;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE callbacks (
    id VARCHAR NOT NULL, 
    received_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    task_id VARCHAR, 
    generation_id UUID, 
    stage VARCHAR, 
    verdict VARCHAR NOT NULL, 
    reason VARCHAR, 
    detail TEXT, 
    headers JSON NOT NULL, 
    body TEXT NOT NULL, 
    body_sha256 VARCHAR NOT NULL, 
    CONSTRAINT pk_callbacks PRIMARY KEY (id)
);

CREATE INDEX ix_callbacks_generation_id ON callbacks (generation_id, id);

CREATE INDEX ix_callbacks_task_id ON callbacks (task_id, id);

CREATE INDEX ix_callbacks_unmatched ON callbacks (received_at) WHERE verdict = 'unmatched';

CREATE UNIQUE INDEX uq_callbacks_first_of_its_kind ON callbacks (generation_id, task_id, stage, body_sha256) WHERE verdict = 'accepted' AND (reason IS NULL OR reason = 'matched.later');

CREATE TABLE create_grants (
    slot INTEGER NOT NULL, 
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    CONSTRAINT pk_create_grants PRIMARY KEY (slot)
);

CREATE TABLE generations (
    id UUID NOT NULL, 
    user_id VARCHAR, 
    provider VARCHAR NOT NULL, 
    family VARCHAR NOT NULL, 
    model VARCHAR NOT NULL, 
    kind VARCHAR, 
    prompt TEXT, 
    input JSON NOT NULL, 
    idempotency_key VARCHAR, 
    request_sha256 VARCHAR, 
    task_id VARCHAR, 
    candidate_task_id VARCHAR, 
    status VARCHAR NOT NULL, 
    provider_state VARCHAR, 
    announced_state VARCHAR, 
    announced_at TIMESTAMP WITH TIME ZONE, 
    progress INTEGER, 
    result_urls JSON NOT NULL, 
    result_object TEXT, 
    asset_url TEXT, 
    preview_url TEXT, 
    error_code VARCHAR, 
    error TEXT, 
    credits_consumed NUMERIC(18, 6), 
    attempts INTEGER NOT NULL, 
    step_since TIMESTAMP WITH TIME ZONE, 
    asked_at TIMESTAMP WITH TIME ZONE, 
    crashes INTEGER NOT NULL, 
    due_at TIMESTAMP WITH TIME ZONE, 
    expires_at TIMESTAMP WITH TIME ZONE, 
    lease_token VARCHAR, 
    lease_until TIMESTAMP WITH TIME ZONE, 
    submit_started_at TIMESTAMP WITH TIME ZONE, 
    submitted_at TIMESTAMP WITH TIME ZONE, 
    provider_completed_at TIMESTAMP WITH TIME ZONE, 
    gave_up_at TIMESTAMP WITH TIME ZONE, 
    delivered_at TIMESTAMP WITH TIME ZONE, 
    delivered_via VARCHAR, 
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    CONSTRAINT pk_generations PRIMARY KEY (id), 
    CONSTRAINT ck_generations_success_has_asset_url CHECK (status <> 'success' OR asset_url IS NOT NULL), 
    CONSTRAINT ck_generations_status_known CHECK (status IN ('queued', 'generating', 'success', 'failed'))
);

CREATE INDEX ix_generations_announced ON generations (due_at, id) WHERE due_at IS NOT NULL AND announced_at IS NOT NULL;

CREATE INDEX ix_generations_due ON generations (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX ix_generations_expiring ON generations (expires_at) WHERE due_at IS NOT NULL AND expires_at IS NOT NULL;

CREATE INDEX ix_generations_leased ON generations (lease_until) WHERE lease_until IS NOT NULL;

CREATE INDEX ix_generations_set_aside ON generations (crashes) WHERE crashes >= 2 AND (due_at IS NOT NULL OR lease_until IS NOT NULL);

CREATE INDEX ix_generations_status_id ON generations (status, id);

CREATE INDEX ix_generations_unsubmitted ON generations (due_at, id) WHERE due_at IS NOT NULL AND submit_started_at IS NULL AND task_id IS NULL;

CREATE INDEX ix_generations_user_id_id ON generations (user_id, id);

CREATE UNIQUE INDEX uq_generations_idempotency_key ON generations (idempotency_key);

CREATE UNIQUE INDEX uq_generations_task_id ON generations (task_id) WHERE task_id IS NOT NULL;

CREATE TABLE processes (
    name VARCHAR NOT NULL, 
    started_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    beat_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    CONSTRAINT pk_processes PRIMARY KEY (name)
);

CREATE TABLE refusals (
    hour TIMESTAMP WITH TIME ZONE NOT NULL, 
    reason VARCHAR NOT NULL, 
    credential BOOLEAN NOT NULL, 
    count INTEGER NOT NULL, 
    CONSTRAINT pk_refusals PRIMARY KEY (hour, reason, credential)
);

CREATE TABLE assets (
    generation_id UUID NOT NULL, 
    position INTEGER NOT NULL, 
    role VARCHAR NOT NULL, 
    source_url TEXT, 
    path TEXT, 
    url TEXT, 
    content_type VARCHAR, 
    size_bytes BIGINT, 
    sha256 VARCHAR, 
    stored_at TIMESTAMP WITH TIME ZONE, 
    failures INTEGER NOT NULL, 
    failed_since TIMESTAMP WITH TIME ZONE, 
    error_code VARCHAR, 
    CONSTRAINT pk_assets PRIMARY KEY (generation_id, position), 
    CONSTRAINT fk_assets_generation_id FOREIGN KEY(generation_id) REFERENCES generations (id) ON DELETE CASCADE
);

CREATE TABLE events (
    id BIGSERIAL NOT NULL, 
    generation_id UUID NOT NULL, 
    at TIMESTAMP WITH TIME ZONE NOT NULL, 
    name VARCHAR NOT NULL, 
    detail JSON NOT NULL, 
    CONSTRAINT pk_events PRIMARY KEY (id), 
    CONSTRAINT fk_events_generation_id FOREIGN KEY(generation_id) REFERENCES generations (id) ON DELETE CASCADE
);

CREATE INDEX ix_events_generation_id ON events (generation_id, id);

INSERT INTO create_grants (slot, granted_at) VALUES (0, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (1, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (2, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (3, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (4, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (5, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (6, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (7, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (8, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (9, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (10, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (11, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (12, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (13, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (14, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (15, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (16, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (17, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (18, '1970-01-01 00:00:00+00:00');

INSERT INTO create_grants (slot, granted_at) VALUES (19, '1970-01-01 00:00:00+00:00');

DO $secure$
DECLARE
    strangers text := (SELECT 'PUBLIC, ' || string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated'));
    name text;
    sequence regclass;
BEGIN
    IF NOT (SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('authenticated', 'service_role')) THEN
        RETURN;
    END IF;
    FOREACH name IN ARRAY ARRAY['alembic_version', 'assets', 'callbacks', 'create_grants', 'events', 'generations', 'processes', 'refusals'] LOOP
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

INSERT INTO alembic_version (version_num) VALUES ('0001');
END
$revision$;
