"""What PostgreSQL knows of the table that is to be adopted, and why it may be none for us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.errors import AppError
from core.store.tables import metadata

NAME = "generations"

_TABLE = """
SELECT c.oid, c.relkind = 'r' AND NOT c.relispartition AS ordinary,
    pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS owned
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relname = :name
"""
_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    format_type(a.atttypid, NULL) AS sort, a.attnotnull AS required,
    pg_get_expr(d.adbin, d.adrelid) AS default,
    a.attidentity <> '' OR a.attgenerated <> '' AS made_by_itself,
    EXISTS (
        SELECT FROM pg_index i
        WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)
    ) AS is_key
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_TAKEN = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relname = ANY (:names) ORDER BY 1
"""


class AdoptionError(AppError):
    """The table cannot be adopted as it is; nothing was changed. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as PostgreSQL describes it."""

    name: str
    type: str
    sort: str  # the type without a length or precision
    required: bool  # NOT NULL
    default: str | None
    made_by_itself: bool  # an identity, or generated from other columns
    is_key: bool  # of the primary key


Columns = dict[str, Column]


def oid_of(connection: sa.Connection) -> int | None:
    """The table of that name in the schema where ours would be made."""
    found = connection.execute(sa.text(_TABLE), {"name": NAME}).one_or_none()
    return None if found is None else int(found.oid)


def read_columns(connection: sa.Connection) -> Columns:
    """The columns of `generations` as it is now, by name."""
    rows = connection.execute(sa.text(_COLUMNS), {"oid": oid_of(connection)}).mappings()
    return {row["name"]: Column(**row) for row in rows}


def require_adoptable(connection: sa.Connection) -> None:
    """Raise AdoptionError where the table is none that could become ours."""
    table = connection.execute(sa.text(_TABLE), {"name": NAME}).one()
    if not table.ordinary:
        raise AdoptionError("`generations` is no ordinary table, so it cannot be adopted")
    if not table.owned:
        raise AdoptionError(
            f"`generations` belongs to the role {table.owner}: connect as that one to adopt it"
        )
    if connection.scalar(sa.text("SELECT row_security_active(:oid)"), {"oid": table.oid}):
        raise AdoptionError(
            "row-level security may hide rows of `generations` from its owner, so it cannot be"
            " adopted: ALTER TABLE generations NO FORCE ROW LEVEL SECURITY, then try again"
        )
    columns = read_columns(connection)
    if "id" not in columns or columns["id"].type != "uuid":
        found = f"is of type {columns['id'].type}" if "id" in columns else "is missing"
        raise AdoptionError(f"`generations` cannot be adopted: its column id {found}, not uuid")
    names = [name for name in metadata.tables if name != NAME]
    if taken := connection.scalars(sa.text(_TAKEN), {"names": names}).all():
        raise AdoptionError(
            f"there are tables already that have names of ours: {', '.join(taken)};"
            " rename them, then migrate again"
        )


def said(error: sa.exc.DBAPIError) -> str:
    """What PostgreSQL says is wrong, without the details, which would quote rows."""
    diagnosis = getattr(error.orig, "diag", None)
    return getattr(diagnosis, "message_primary", None) or type(error.orig).__name__


def quote(name: str) -> str:
    """A name that PostgreSQL takes as it is, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def run(connection: sa.Connection, statement: str, **values: Any) -> int:
    """One statement; how many rows it changed."""
    return connection.execute(sa.text(statement), values).rowcount


def define(connection: sa.Connection, statement: str) -> None:
    """One statement about tables, taken as it is, whatever names and literals are in it."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def change(connection: sa.Connection, *changes: str) -> None:
    """Alter the table, in one go."""
    if changes:
        define(connection, f"ALTER TABLE {NAME} {', '.join(changes)}")
