"""What a database lets others do with `generations` before us: what of it ends, and what stays.

Each query gives rows of a sentence, for the dry run, and a statement, null where nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable

HAS_ROLES = "(SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('authenticated', 'service_role'))"
#: Those who call Supabase's API from a browser, as GRANT and REVOKE take them.
STRANGERS = (
    "(SELECT 'PUBLIC, ' || string_agg(quote_ident(rolname), ', ' ORDER BY rolname)"
    " FROM pg_roles WHERE rolname IN ('anon', 'authenticated'))"
)

#: Columns of older systems that an owner may go on changing: no delivery depends on them.
_OWNERS_COLUMNS = "('is_favorite', 'is_public', 'tags')"
_OWN = ("@=user_id", "user_id=@")
_PUBLIC = ("is_public", "is_public=true", "is_publicISTRUE")


def _all_are(condition: str, known: Iterable[str]) -> str:
    """SQL: whether a condition, as PostgreSQL writes it, is one of the known or several by OR.

    Fails closed: what is written in another way is not known, whatever it means.
    """
    noise = r"'\m(SELECT|AS uid)\M|::(text|uuid|character varying)|[\s()]'"
    words = ", ".join(f"'{one}'" for one in known)
    return rf"""(
            SELECT bool_and(regexp_replace(part, {noise}, '', 'g')
                IN ({words}))
            FROM regexp_split_to_table(replace({condition}, 'auth.uid()', '@'), '\s+OR\s+') AS part
        )"""


def _policies(table: str, condition: str) -> str:
    return f"""
SELECT polname, polcmd, polpermissive, reads, writes,
    coalesce(reads, writes, 'true') AS condition,
    quote_ident(polname) || ' ON {table}' AS target,
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
WHERE {condition}"""


_PRIVILEGES = """
SELECT 1 AS step,
    format('only the service role may write generations: %s lose every right to', strangers)
        AS sentence,
    'REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'
    || CASE WHEN current_setting('server_version_num')::int >= 170000
        THEN ', MAINTAIN' ELSE '' END
    || ' ON generations FROM ' || strangers AS statement
FROM others WHERE to_regclass('generations') IS NOT NULL"""

_FORCED = """
SELECT 2, 'row-level security no longer binds the owner of generations, as whom we connect',
    'ALTER TABLE generations NO FORCE ROW LEVEL SECURITY'
FROM pg_class WHERE oid = to_regclass('generations') AND relforcerowsecurity"""

_OWN_POLICIES = f"""
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
    FROM ({_policies("generations", "polrelid = to_regclass('generations')")}) AS policy
    CROSS JOIN (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) AS columns
        FROM pg_attribute JOIN pg_roles ON rolname = 'authenticated'
        WHERE attrelid = to_regclass('generations') AND attname IN {_OWNERS_COLUMNS}
            AND NOT attisdropped
            AND has_column_privilege(pg_roles.oid, attrelid, attnum, 'UPDATE')
    ) AS changeable CROSS JOIN LATERAL (
        SELECT {_all_are("reads", _OWN)} AS reads_own,
            {_all_are("reads", (*_OWN, *_PUBLIC))} AS reads_own_or_public,
            {_all_are("writes", _OWN)} AS writes_own
    ) AS known
) AS judged"""

#: A view reads, and writes, as its owner, whom row-level security does not bind.
_VIEWS = """
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
) AS dependents CROSS JOIN others"""

_TABLE = r'\s+(ONLY\s+)?("?\w+"?\.)?"?generations\M'

#: By the words of their source, since a function does not say which tables it uses.
_FUNCTIONS = rf"""
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
        source ~* '\m(INSERT\s+INTO|MERGE\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE|TABLE){_TABLE}'
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
WHERE reads OR writes"""

#: Supabase's own tables are not ours to change.
_FILES = f"""
SELECT 6, format('policy "%s" on storage.objects stays, but see to it: %s may change files'
    ' where %s', polname, roles, condition), NULL
FROM ({_policies("storage.objects", "nspname = 'storage' AND relname = 'objects'")}) AS policy
WHERE polpermissive AND polcmd <> 'r' AND is_for_strangers AND NOT is_privileged
    AND condition NOT LIKE '%auth.uid()%'"""

_REALTIME = """
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
) AS publication"""

_ACCESS = "\nUNION ALL".join((_PRIVILEGES, _FORCED, _OWN_POLICIES, _VIEWS, _FUNCTIONS, _FILES))

#: Everything that changes for others, in an order in which it can be done.
CHANGES = f"""
WITH others AS (SELECT {STRANGERS} AS strangers)
SELECT sentence, statement FROM (
    SELECT * FROM ({_ACCESS}
    ) AS access WHERE {HAS_ROLES}
    UNION ALL{_REALTIME}
) AS change ORDER BY step, sentence"""
