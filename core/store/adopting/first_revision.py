"""Bringing the old table to where our first migration leaves a new one.

The migration itself is asked what that is: it makes its table beside the old one, which then takes
over all that the new one has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from core.store.adopting.old_table import (
    NAME,
    Columns,
    change,
    define,
    oid_of,
    quote,
    read_columns,
)
from core.store.tables import OUR_PROVIDER

FIRST = "0001"
_MEANWHILE = f"{NAME}_being_adopted"

_INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = :oid AND NOT i.indisprimary
"""
_CHECKS = """
SELECT conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE conrelid = :oid AND contype = 'c'
"""
_REFERENCES = """
SELECT conrelid::regclass::text AS owner, conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE confrelid = :oid AND contype = 'f'
"""
_KEYS = """
SELECT coalesce(bool_or(i.indisprimary), false) AS has_primary, coalesce(bool_or(
    i.indisunique AND i.indimmediate AND i.indisvalid
    AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
), false) AS id_is_unique
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'id'
WHERE i.indrelid = :oid
"""

#: What applications that read such a table count on, where its last migrations are missing.
_THEIRS = (
    f"CREATE INDEX IF NOT EXISTS idx_{NAME}_provider ON {NAME} (provider)",
    f"CREATE INDEX IF NOT EXISTS idx_{NAME}_asset_url ON {NAME} (asset_url)"
    " WHERE asset_url IS NOT NULL",
)


@dataclass(frozen=True, slots=True)
class FirstRevision:
    """What the first migration gives to `generations`, and to whom it refers."""

    columns: Columns
    indexes: dict[str, str]
    checks: dict[str, str]
    references: list[tuple[str, str, str]]  # table, name, definition


def make_others(connection: sa.Connection, upgrade: Callable[[str], None]) -> FirstRevision:
    """Have the first migration make all its tables; the old one stays in the place of one."""
    change(connection, f"RENAME TO {_MEANWHILE}")
    upgrade(FIRST)
    made = _read(connection)
    for owner, name, _ in made.references:
        define(connection, f"ALTER TABLE {owner} DROP CONSTRAINT {quote(name)}")
    define(connection, f"DROP TABLE {NAME}")
    define(connection, f"ALTER TABLE {_MEANWHILE} RENAME TO {NAME}")
    return made


def add_key(connection: sa.Connection) -> None:
    """Have each row known by its id: nothing else refers to it, and no row may have it twice."""
    keys = connection.execute(sa.text(_KEYS), {"oid": oid_of(connection)}).one()
    if not keys.has_primary:  # a publication lets no row be changed without one
        change(connection, f"ADD CONSTRAINT pk_{NAME} PRIMARY KEY (id)")
    elif not keys.id_is_unique:
        change(connection, f"ADD CONSTRAINT pk_{NAME} UNIQUE (id)")


def finish(connection: sa.Connection, made: FirstRevision) -> None:
    """Give the old table, filled by now, the indexes and rules of the new one.

    The checks hold for new rows only as yet: a later migration has them bind ours alone.
    """
    for name, definition in made.indexes.items():
        define(connection, _of_ours_alone(name, definition))
    for definition in _THEIRS:
        define(connection, definition)
    checks = made.checks.items()
    change(connection, *(f"ADD CONSTRAINT {quote(n)} {rule} NOT VALID" for n, rule in checks))
    for owner, name, definition in made.references:
        define(connection, f"ALTER TABLE {owner} ADD CONSTRAINT {quote(name)} {definition}")


def _of_ours_alone(name: str, definition: str) -> str:
    """Other providers may use a task id twice."""
    if name != f"uq_{NAME}_task_id":
        return definition
    return f"{definition} AND provider = '{OUR_PROVIDER}'"


def _read(connection: sa.Connection) -> FirstRevision:
    def pairs(query: str) -> dict[str, str]:
        rows = connection.execute(sa.text(query), {"oid": oid_of(connection)})
        return {row.name: row.definition for row in rows}

    references = connection.execute(sa.text(_REFERENCES), {"oid": oid_of(connection)})
    return FirstRevision(
        columns=read_columns(connection),
        indexes=pairs(_INDEXES),
        checks=pairs(_CHECKS),
        references=[(row.owner, row.name, row.definition) for row in references],
    )
