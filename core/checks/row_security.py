"""Who else may use the tables through Supabase's API: what the migrations left is still so."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from core.checks.model import CheckState, Outcome, Surroundings, one_line, together
from core.store.address import is_sqlite
from core.store.policies import CHANGES, HAS_ROLES
from core.store.tables import metadata

OWN_POLICIES = {"generations": "generations_read_own", "assets": "assets_read_own"}
_TABLES = ", ".join(f"'{table}'" for table in (*metadata.tables, "alembic_version"))
_OF_OWNERS = ", ".join(f"'{table}'" for table in OWN_POLICIES)
_NAMED = ", ".join(f"'{policy}'" for policy in OWN_POLICIES.values())
_PAIRS = ", ".join(f"('{table}', '{policy}')" for table, policy in OWN_POLICIES.items())

_BINDS_US = sa.text(
    "SELECT current_user WHERE to_regclass('generations') IS NOT NULL"
    " AND row_security_active('generations')"
)
_HAS_ROLES = sa.text(f"SELECT {HAS_ROLES}")
_OURS = f"oid IN (SELECT to_regclass(name) FROM unnest(ARRAY[{_TABLES}]) AS name)"
_WITHOUT = sa.text(f"""
SELECT quote_ident(relname) FROM pg_class WHERE {_OURS} AND NOT relrowsecurity ORDER BY 1""")
#: What owners may read is judged by policies; an adopted table may let them change some columns.
_GIVEN = sa.text(f"""
SELECT quote_ident(relname) FROM pg_class WHERE {_OURS} AND EXISTS (
    SELECT FROM pg_roles AS role WHERE rolname IN ('anon', 'authenticated') AND has_table_privilege(
        role.oid, pg_class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'
        || CASE WHEN relname IN ({_OF_OWNERS}) THEN '' ELSE ', SELECT' END)
) ORDER BY 1""")
_STRANGE_POLICIES = sa.text(f"""
SELECT statement FROM ({CHANGES}) AS change WHERE statement LIKE 'DROP POLICY %'
UNION ALL
SELECT format('DROP POLICY %I ON %s', polname, polrelid::regclass)
FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
WHERE pg_class.{_OURS} AND relname <> 'generations' AND polpermissive
    AND polname NOT IN ({_NAMED})""")
_MISSING_POLICIES = sa.text(f"""
SELECT name FROM (VALUES {_PAIRS}) AS own (of, name)
WHERE NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = to_regclass(of) AND polname = name)
    AND EXISTS (
        SELECT FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname = 'auth' AND proname = 'uid' AND pronargs = 0
    )""")


def row_security(around: Surroundings) -> Outcome:
    """Whether strangers are kept out, and owners and we are not."""
    if is_sqlite(around.settings.database):
        return Outcome(CheckState.OK, "not needed: nobody else opens the file")
    with around.database.read() as connection:
        findings = list(_binding(connection))
        if not connection.scalar(_HAS_ROLES):
            return together(findings, "not needed: the server has no roles of Supabase's")
        findings += [*_open(connection), *_policies(connection)]
    return together(findings, "on for all tables, with the policies of the migrations")


def _binding(connection: sa.Connection) -> Iterator[Outcome]:
    if role := connection.scalar(_BINDS_US):
        found = f"it binds {role}, as whom we connect, who so sees no row"
        remedy = "Connect as the owner of the tables, or as a role with BYPASSRLS."
        yield Outcome(CheckState.FAILED, found, remedy)


def _open(connection: sa.Connection) -> Iterator[Outcome]:
    if tables := connection.scalars(_WITHOUT).all():
        enable = " ".join(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;" for table in tables)
        found = f"it is off for {', '.join(tables)}"
        yield Outcome(CheckState.FAILED, found, f"Run in SQL: {enable}")
    if tables := connection.scalars(_GIVEN).all():
        found = f"strangers have rights to {', '.join(tables)} that the migrations took away"
        revoke = " ".join(map(_revoke, tables))
        yield Outcome(CheckState.FAILED, found, f"Run in SQL: {revoke}")


def _revoke(table: str) -> str:
    rights = "INSERT, UPDATE, DELETE, TRUNCATE" if table in OWN_POLICIES else "ALL"
    return f"REVOKE {rights} ON {table} FROM PUBLIC, anon, authenticated;"


def _policies(connection: sa.Connection) -> Iterator[Outcome]:
    for statement in connection.scalars(_STRANGE_POLICIES):
        policy = one_line(statement.removeprefix("DROP POLICY "))
        found = f"a policy allows what the migrations do not: {policy}"
        yield Outcome(CheckState.WARNING, found, "Unless it is meant, drop it by DROP POLICY.")
    if missing := connection.scalars(_MISSING_POLICIES).all():
        found = f"without {', '.join(missing)} users cannot read their own rows"
        remedy = "Make it again: docs/database.md says what owners may read."
        yield Outcome(CheckState.WARNING, found, remedy)
