"""Row-level security for Supabase's API, which reads the tables as whoever is signed in.

Migrations run what is here, so it stays as it is once released: a later one changes it.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from core.store.policies import CHANGES, HAS_ROLES, STRANGERS


def plan_policies(connection: sa.Connection) -> list[str]:
    """A sentence for each thing that `open_to_owners` changes for others, or leaves as it is.

    Nothing is changed. Where a database has no roles of Supabase's, nobody has any rights.
    """
    return list(connection.scalars(sa.text(CHANGES)))


def secure(tables: Iterable[str]) -> str:
    """SQL that leaves tables to their owner and the service role, where Supabase's roles exist.

    Whatever migration makes a table runs it: Supabase lets everybody do everything with new ones.
    """
    names = ", ".join(f"'{table}'" for table in tables)
    return f"""
DO $secure$
DECLARE
    strangers text := {STRANGERS};
    name text;
    sequence regclass;
BEGIN
    IF NOT {HAS_ROLES} THEN
        RETURN;
    END IF;
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
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
$secure$"""


def open_to_owners() -> str:
    """SQL that lets owners read their `generations` and `assets`, and nobody else write them.

    What an adopted table lets others do is judged first, as the dry run judges it.
    """
    return f"""
DO $owners$
DECLARE
    changes text[] := ARRAY(SELECT statement FROM ({CHANGES}
    ) AS change WHERE statement IS NOT NULL);
    change text;
    own text;
BEGIN
    FOREACH change IN ARRAY changes LOOP
        EXECUTE change;
    END LOOP;
    IF NOT {HAS_ROLES} THEN
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
$owners$"""
