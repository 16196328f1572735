"""What else stands on the old table and in our way: checks, triggers, names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from core.store.adopting.columns import aside
from core.store.adopting.old_table import AdoptionError, change, define, oid_of, quote, said
from core.store.tables import OUR_PROVIDER, generations

#: How the names of indexes and constraints on this table begin that are ours.
OUR_PREFIXES = tuple(f"{kind}_generations" for kind in ("ix", "uq", "ck", "fk", "pk"))

_CONSTRAINTS = "SELECT conname FROM pg_constraint WHERE conrelid = :oid AND contype <> 'n'"
_INDEXES = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = :oid
"""
_CHECKS = """
SELECT c.conname AS name, pg_get_expr(c.conbin, c.conrelid) AS condition, c.convalidated AS valid,
    ARRAY(
        SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    ) AS columns
FROM pg_constraint c WHERE c.conrelid = :oid AND c.contype = 'c'
"""
_TRIGGERS = """
SELECT tgname AS name, tgenabled AS enabled FROM pg_trigger
WHERE tgrelid = :oid AND NOT tgisinternal AND tgenabled <> 'D'
"""
_ENABLE = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


@dataclass(frozen=True, slots=True)
class Check:
    """A rule for rows that the table came with."""

    name: str
    condition: str
    valid: bool  # all rows are known to follow it
    columns: list[str]


def free_names(connection: sa.Connection) -> Iterator[str]:
    """Rename indexes and constraints that are called as ours are."""
    for kind, query in (("CONSTRAINT", _CONSTRAINTS), ("INDEX", _INDEXES)):
        for name in connection.scalars(sa.text(query), {"oid": oid_of(connection)}).all():
            if name.startswith(OUR_PREFIXES) and not name.endswith(aside("")):
                old, new = quote(name), quote(aside(name))
                if kind == "CONSTRAINT":
                    change(connection, f"RENAME CONSTRAINT {old} TO {new}")
                else:
                    define(connection, f"ALTER INDEX {old} RENAME TO {new}")
                yield f"{kind.lower()} {name} makes room for one of ours: now {aside(name)}"


@contextmanager
def triggers_paused(connection: sa.Connection) -> Iterator[None]:
    """Keep the table's own triggers from changing or refusing what is adopted."""
    triggers = connection.execute(sa.text(_TRIGGERS), {"oid": oid_of(connection)}).all()
    change(connection, *(f"DISABLE TRIGGER {quote(one.name)}" for one in triggers))
    yield
    for one in triggers:
        change(connection, f"{_ENABLE[_as_text(one.enabled)]} TRIGGER {quote(one.name)}")


def take_checks(connection: sa.Connection) -> list[Check]:
    """Remove the checks on columns that we write, and tell which they were."""
    taken = [
        check for check in read_checks(connection) if set(generations.c.keys()) & set(check.columns)
    ]
    for check in taken:
        change(connection, f"DROP CONSTRAINT {quote(check.name)}")
    return taken


def give_back(connection: sa.Connection, check: Check) -> str:
    """Have a check bind rows of other providers only."""
    condition = f"provider = '{OUR_PROVIDER}' OR ({check.condition})"
    later = "" if check.valid else " NOT VALID"
    try:
        change(connection, f"ADD CONSTRAINT {quote(check.name)} CHECK ({condition}){later}")
    except sa.exc.DBAPIError as error:
        raise AdoptionError(
            f"`generations` cannot be adopted: its check {check.name} does not fit what its columns"
            f" are now: {said(error)}; drop it, then try again"
        ) from error
    return f"check {check.name} binds rows of other providers only"


def read_checks(connection: sa.Connection) -> list[Check]:
    """The checks that are on the table now."""
    rows = connection.execute(sa.text(_CHECKS), {"oid": oid_of(connection)}).mappings()
    return [Check(**row) for row in rows]


def _as_text(letter: str | bytes) -> str:
    return letter.decode() if isinstance(letter, bytes) else letter
