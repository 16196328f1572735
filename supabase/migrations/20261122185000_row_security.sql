-- 0004: Row-level security where Supabase's roles exist, and the realtime publication.
-- Rendered from migrations/versions/0004_row_security.py by `make supabase`. May be run twice.

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
    ELSIF applied >= '0004' THEN
        RAISE NOTICE '0004 has been applied already';
        RETURN;
    ELSIF applied IS NULL AND to_regclass('generations') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table generations that is not ours; to adopt it, begin with: '
            'python -m core migrate --dry-run';
    ELSIF applied IS DISTINCT FROM '0003' THEN
        RAISE EXCEPTION 'run 0003 before 0004';
    END IF;

-- Running upgrade 0003 -> 0004

DO $secure$
DECLARE
    strangers text := (SELECT 'PUBLIC, ' || string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated'));
    name text;
    sequence regclass;
BEGIN
    IF NOT (SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('authenticated', 'service_role')) THEN
        RETURN;
    END IF;
    FOREACH name IN ARRAY ARRAY['alembic_version', 'assets', 'callbacks', 'cohorts', 'create_grants', 'durations', 'events', 'processes', 'refusals', 'rollups', 'stale_hours'] LOOP
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

DO $owners$
DECLARE
    changes text[] := ARRAY(SELECT statement FROM (
WITH others AS (SELECT (SELECT 'PUBLIC, ' || string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated')) AS strangers)
SELECT sentence, statement FROM (
    SELECT * FROM (
SELECT 1 AS step,
    format('only the service role may write generations: %s lose every right to', strangers)
        AS sentence,
    'REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'
    || CASE WHEN current_setting('server_version_num')::int >= 170000
        THEN ', MAINTAIN' ELSE '' END
    || ' ON generations FROM ' || strangers AS statement
FROM others WHERE to_regclass('generations') IS NOT NULL
UNION ALL
SELECT 2, 'row-level security no longer binds the owner of generations, as whom we connect',
    'ALTER TABLE generations NO FORCE ROW LEVEL SECURITY'
FROM pg_class WHERE oid = to_regclass('generations') AND relforcerowsecurity
UNION ALL
SELECT 3, format('policy "%s" on generations ', polname) || CASE verdict
        WHEN 'privileged' THEN 'stays: it is only for ' || roles
        WHEN 'restrictive' THEN 'stays: it only takes away'
        WHEN 'elsewhere' THEN 'stays: it only lets ' || roles || ' read'
        WHEN 'own' THEN 'stays: owners read their rows'
        WHEN 'public' THEN format('stays: it lets %s read whole rows where %s', roles, condition)
        WHEN 'owners' THEN format(
            'stays, for authenticated: owners may change %s and nothing else', columns)
        WHEN 'read' THEN format(
            'is dropped: it lets %s read where %s, which is not known to be the caller''s own;'
            ' make it again if it is meant', roles, condition)
        ELSE format('is dropped: it lets %s %s where %s; only the service role writes', roles,
            CASE polcmd WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
                ELSE 'do everything' END, condition)
    END,
    CASE verdict
        WHEN 'owners' THEN format('ALTER POLICY %s TO authenticated;'
            ' GRANT UPDATE (%s) ON generations TO authenticated', target, columns)
        WHEN 'read' THEN 'DROP POLICY ' || target
        WHEN 'write' THEN 'DROP POLICY ' || target
    END
FROM (
    SELECT policy.*, columns, CASE
        WHEN is_privileged THEN 'privileged'
        WHEN NOT polpermissive THEN 'restrictive'
        WHEN polcmd = 'r' AND NOT is_for_strangers THEN 'elsewhere'
        WHEN polcmd = 'r' AND reads_own THEN 'own'
        WHEN polcmd = 'r' AND reads_own_or_public THEN 'public'
        WHEN polcmd = 'r' THEN 'read'
        WHEN polcmd = 'w' AND is_for_strangers AND columns IS NOT NULL
            AND reads_own AND coalesce(writes_own, true) THEN 'owners'
        ELSE 'write'
    END AS verdict
    FROM (
SELECT polname, polcmd, polpermissive, reads, writes,
    coalesce(reads, writes, 'true') AS condition,
    quote_ident(polname) || ' ON generations' AS target,
    (
        SELECT string_agg(coalesce(quote_ident(rolname), 'PUBLIC'), ', ' ORDER BY rolname)
        FROM unnest(polroles) AS role LEFT JOIN pg_roles ON pg_roles.oid = role
    ) AS roles,
    NOT EXISTS (
        SELECT FROM unnest(polroles) AS role LEFT JOIN pg_roles ON pg_roles.oid = role
        WHERE (rolsuper OR rolbypassrls OR role = relowner OR rolname = 'service_role')
            IS NOT TRUE
    ) AS is_privileged,
    EXISTS (
        SELECT FROM unnest(polroles) AS role, pg_roles AS stranger
        WHERE stranger.rolname IN ('anon', 'authenticated')
            AND (role = 0 OR pg_has_role(stranger.oid, role, 'USAGE'))
    ) AS is_for_strangers
FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
CROSS JOIN LATERAL (
    SELECT pg_get_expr(polqual, polrelid) AS reads, pg_get_expr(polwithcheck, polrelid) AS writes
) AS expressions
WHERE polrelid = to_regclass('generations')) AS policy
    CROSS JOIN (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) AS columns
        FROM pg_attribute JOIN pg_roles ON rolname = 'authenticated'
        WHERE attrelid = to_regclass('generations') AND attname IN ('is_favorite', 'is_public', 'tags')
            AND NOT attisdropped
            AND has_column_privilege(pg_roles.oid, attrelid, attnum, 'UPDATE')
    ) AS changeable CROSS JOIN LATERAL (
        SELECT (
            SELECT bool_and(regexp_replace(part, '\m(SELECT|AS uid)\M|::(text|uuid|character varying)|[\s()]', '', 'g')
                IN ('@=user_id', 'user_id=@'))
            FROM regexp_split_to_table(replace(reads, 'auth.uid()', '@'), '\s+OR\s+') AS part
        ) AS reads_own,
            (
            SELECT bool_and(regexp_replace(part, '\m(SELECT|AS uid)\M|::(text|uuid|character varying)|[\s()]', '', 'g')
                IN ('@=user_id', 'user_id=@', 'is_public', 'is_public=true', 'is_publicISTRUE'))
            FROM regexp_split_to_table(replace(reads, 'auth.uid()', '@'), '\s+OR\s+') AS part
        ) AS reads_own_or_public,
            (
            SELECT bool_and(regexp_replace(part, '\m(SELECT|AS uid)\M|::(text|uuid|character varying)|[\s()]', '', 'g')
                IN ('@=user_id', 'user_id=@'))
            FROM regexp_split_to_table(replace(writes, 'auth.uid()', '@'), '\s+OR\s+') AS part
        ) AS writes_own
    ) AS known
) AS judged
UNION ALL
SELECT 4, CASE WHEN invokes
        THEN format('view %s reads as its caller from now on, and no longer as its owner', view)
        ELSE format('%s may no longer use view %s, which reads as its owner', strangers, view)
    END,
    CASE WHEN invokes THEN format('ALTER VIEW %s SET (security_invoker = true)', view)
        ELSE format('REVOKE ALL ON %s FROM %s', view, strangers)
    END
FROM (
    WITH RECURSIVE dependent (oid) AS (
        SELECT to_regclass('generations')::oid
        UNION
        SELECT ev_class FROM dependent
        JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = dependent.oid
        JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
    )
    SELECT pg_class.oid::regclass AS view,
        relkind = 'v' AND current_setting('server_version_num')::int >= 150000 AS invokes
    FROM dependent JOIN pg_class USING (oid)
    WHERE relkind IN ('v', 'm')
        AND coalesce(NOT reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], true)
        AND EXISTS (
            SELECT FROM pg_roles WHERE rolname IN ('anon', 'authenticated') AND (
                has_table_privilege(pg_roles.oid, pg_class.oid, 'DELETE')
                OR has_any_column_privilege(pg_roles.oid, pg_class.oid, 'SELECT, INSERT, UPDATE'))
        )
) AS dependents CROSS JOIN others
UNION ALL
SELECT 5, CASE WHEN writes AND NOT may
        THEN format('function %s stays, but see to it: it changes generations with the rights of'
            ' its owner, %s, who alone can take it from %s', signature, owner, strangers)
        WHEN writes
        THEN format('only the service role may call function %s, which changes generations'
            ' with its owner''s rights', signature)
        ELSE format('function %s stays: it tells its callers about any row of generations,'
            ' with its owner''s rights', signature)
    END,
    CASE WHEN writes AND may THEN format('REVOKE EXECUTE ON ROUTINE %s FROM %s;'
        ' GRANT EXECUTE ON ROUTINE %s TO service_role', signature, strangers, signature)
    END
FROM (
    SELECT pg_proc.oid::regprocedure AS signature, pg_has_role(proowner, 'USAGE') AS may,
        pg_get_userbyid(proowner) AS owner, source ~* '\mgenerations\M' AS reads,
        source ~* '\m(INSERT\s+INTO|MERGE\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE|TABLE)\s+(ONLY\s+)?("?\w+"?\.)?"?generations\M'
            AS writes
    FROM pg_proc CROSS JOIN LATERAL (
        SELECT CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(pg_proc.oid) END AS source
    ) AS definition
    WHERE prosecdef AND prokind IN ('f', 'p')
        AND prorettype IS DISTINCT FROM 'trigger'::regtype
        AND EXISTS (
            SELECT FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
                AND has_function_privilege(pg_roles.oid, pg_proc.oid, 'EXECUTE')
        )
) AS functions CROSS JOIN others
WHERE reads OR writes
UNION ALL
SELECT 6, format('policy "%s" on storage.objects stays, but see to it: %s may change files'
    ' where %s', polname, roles, condition), NULL
FROM (
SELECT polname, polcmd, polpermissive, reads, writes,
    coalesce(reads, writes, 'true') AS condition,
    quote_ident(polname) || ' ON storage.objects' AS target,
    (
        SELECT string_agg(coalesce(quote_ident(rolname), 'PUBLIC'), ', ' ORDER BY rolname)
        FROM unnest(polroles) AS role LEFT JOIN pg_roles ON pg_roles.oid = role
    ) AS roles,
    NOT EXISTS (
        SELECT FROM unnest(polroles) AS role LEFT JOIN pg_roles ON pg_roles.oid = role
        WHERE (rolsuper OR rolbypassrls OR role = relowner OR rolname = 'service_role')
            IS NOT TRUE
    ) AS is_privileged,
    EXISTS (
        SELECT FROM unnest(polroles) AS role, pg_roles AS stranger
        WHERE stranger.rolname IN ('anon', 'authenticated')
            AND (role = 0 OR pg_has_role(stranger.oid, role, 'USAGE'))
    ) AS is_for_strangers
FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
CROSS JOIN LATERAL (
    SELECT pg_get_expr(polqual, polrelid) AS reads, pg_get_expr(polwithcheck, polrelid) AS writes
) AS expressions
WHERE nspname = 'storage' AND relname = 'objects') AS policy
WHERE polpermissive AND polcmd <> 'r' AND is_for_strangers AND NOT is_privileged
    AND condition NOT LIKE '%auth.uid()%'
    ) AS access WHERE (SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('authenticated', 'service_role'))
    UNION ALL
SELECT 7, CASE WHEN may THEN 'generations joins the publication supabase_realtime'
        ELSE 'generations cannot join the publication supabase_realtime, which is another''s: '
            || 'let its owner add it' END,
    CASE WHEN may THEN 'ALTER PUBLICATION supabase_realtime ADD TABLE generations' END
FROM (
    SELECT pg_has_role(pubowner, 'USAGE') AS may FROM pg_publication
    WHERE pubname = 'supabase_realtime' AND to_regclass('generations') IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM pg_publication_tables WHERE pubname = 'supabase_realtime'
                AND (schemaname, tablename) = (
                    SELECT nspname, relname FROM pg_class
                    JOIN pg_namespace ON pg_namespace.oid = relnamespace
                    WHERE pg_class.oid = to_regclass('generations')
                )
        )
) AS publication
) AS change ORDER BY step, sentence
    ) AS change WHERE statement IS NOT NULL);
    change text;
    own text;
BEGIN
    FOREACH change IN ARRAY changes LOOP
        EXECUTE change;
    END LOOP;
    IF NOT (SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('authenticated', 'service_role')) THEN
        RETURN;
    END IF;
    ALTER TABLE generations ENABLE ROW LEVEL SECURITY;
    GRANT SELECT, INSERT, UPDATE, DELETE ON generations TO service_role;
    IF EXISTS (
        SELECT FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname = 'auth' AND proname = 'uid' AND pronargs = 0
    ) THEN
        -- As its own type, so that an index can be used: an adopted table has UUIDs.
        SELECT CASE atttypid WHEN 'uuid'::regtype
            THEN 'generations.user_id = (SELECT auth.uid())'
            ELSE 'generations.user_id::text = (SELECT auth.uid())::text' END INTO STRICT own
        FROM pg_attribute WHERE attrelid = 'generations'::regclass AND attname = 'user_id';
        DROP POLICY IF EXISTS generations_read_own ON generations;
        EXECUTE format('CREATE POLICY generations_read_own ON generations'
            ' FOR SELECT TO authenticated USING (%s)', own);
        EXECUTE format('CREATE POLICY assets_read_own ON assets'
            ' FOR SELECT TO authenticated USING (EXISTS ('
            'SELECT FROM generations WHERE generations.id = assets.generation_id AND %s))', own);
        GRANT SELECT ON assets TO authenticated;
        -- An application may have chosen which columns are shown.
        IF NOT (SELECT has_any_column_privilege('authenticated', 'generations', 'SELECT')) THEN
            GRANT SELECT ON generations TO authenticated;
        END IF;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_policy LEFT JOIN pg_roles ON rolname = 'anon'
        WHERE polrelid = 'generations'::regclass AND polpermissive AND polcmd IN ('r', '*')
            AND (0 = ANY (polroles) OR pg_roles.oid = ANY (polroles))
    ) THEN
        EXECUTE 'REVOKE SELECT ON generations FROM PUBLIC'
            || coalesce((SELECT ', anon' FROM pg_roles WHERE rolname = 'anon'), '');
    END IF;
END
$owners$;

UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';
END
$revision$;
