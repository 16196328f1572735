"""What a database looks like, to be compared with another one."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from core.store.address import is_sqlite
from core.store.migrate import turn_to_migrate

Schema = dict[str, set[tuple[object, ...]]]

POSTGRESQL = {
    "columns": """
        SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull,
            pg_get_expr(adbin, adrelid)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
            AND NOT attisdropped""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n'""",
    "indexes": "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}
POSTGRESQL_ACCESS = {
    "policies": "SELECT tablename, policyname, permissive, roles::text, cmd, qual FROM pg_policies",
    "rights": """
        SELECT relname, relrowsecurity, right_given::text
        FROM pg_class LEFT JOIN unnest(relacl) AS right_given ON true
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')""",
    "published": "SELECT pubname, tablename FROM pg_publication_tables",
}


def schema(url: str) -> Schema:
    """Columns, constraints and indexes of our tables; the order of columns means nothing."""
    with turn_to_migrate(url) as connection:
        found = _sqlite(connection) if is_sqlite(url) else _asked(connection, POSTGRESQL)
    return {
        what: {row for row in rows if "alembic_version" not in row} for what, rows in found.items()
    }


def access(url: str) -> Schema:
    """Who may do what on PostgreSQL."""
    with turn_to_migrate(url) as connection:
        return _asked(connection, POSTGRESQL_ACCESS)


def _asked(connection: sa.Connection, queries: dict[str, str]) -> Schema:
    return {what: {*map(tuple, connection.exec_driver_sql(each))} for what, each in queries.items()}


def _sqlite(connection: sa.Connection) -> Schema:
    inspector = sa.inspect(connection)
    columns, constraints = set[tuple[object, ...]](), set[tuple[object, ...]]()
    for table in inspector.get_table_names():
        for one in inspector.get_columns(table):
            columns.add((table, one["name"], str(one["type"]), one["nullable"], one["default"]))
        for check in inspector.get_check_constraints(table):
            constraints.add((table, check["name"], check["sqltext"]))
        for key in inspector.get_foreign_keys(table):
            constraints.add((table, *_texts(key.values())))
        constraints.add((table, *_texts(inspector.get_pk_constraint(table).values())))
    indexes = connection.exec_driver_sql(
        "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    )
    made = {(table, " ".join(sql.split())) for table, sql in indexes}
    return {"columns": columns, "constraints": constraints, "indexes": made}


def _texts(values: Iterable[object]) -> list[str]:
    return [str(value) for value in values]
