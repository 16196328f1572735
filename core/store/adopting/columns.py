"""The old table's columns: which become ours, and what they must no longer insist on."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from core.store.adopting.old_table import (
    AdoptionError,
    Column,
    Columns,
    change,
    quote,
    read_columns,
    said,
)
from core.store.tables import generations

#: Where an old value is kept that is not ours, or that had to give way to one of ours.
KEPT_AS = "before_adoption"

TEXT = ("text", "character varying")
MOMENT = "timestamp with time zone"
_TEXTS = ("error", "kind", "model", "preview_url", "prompt", "provider", "status", "task_id")
_MOMENTS = ("created_at", "updated_at")
#: Columns that mean the same in the table we find as in ours, and the types that we can go on
#: with. A name of ours on anything else means something else.
_SHARED = {
    **dict.fromkeys((*_TEXTS, "asset_url"), TEXT),
    **dict.fromkeys(_MOMENTS, (MOMENT,)),
    "result_urls": ("jsonb", "json"),
    "id": ("uuid",),
}
_WHOEVER = "user_id"  # of any type: what it refuses, the API refuses


def set_aside(connection: sa.Connection) -> Iterator[str]:
    """Rename the columns that have a name of ours and another meaning or shape."""
    for column in read_columns(connection).values():
        if _is_alien(column):
            name = aside(column.name)
            change(connection, f"RENAME COLUMN {quote(column.name)} TO {quote(name)}")
            yield f"column {column.name} ({column.type}) is not what we mean by it: now {name}"


def aside(name: str) -> str:
    """What a column, index or constraint is called once it has given way to ours."""
    return f"{name[: 62 - len(KEPT_AS)]}_{KEPT_AS}"


def make_plain(connection: sa.Connection) -> Iterator[str]:
    """Give the columns that become ours a type that takes all that we write."""
    for column in read_columns(connection).values():
        if column.name in _TEXTS + _MOMENTS + ("asset_url",):
            wanted = MOMENT if column.name in _MOMENTS else "text"
            if column.type not in _SHARED[column.name]:
                _convert(connection, column, wanted)
                yield f"column {column.name} is {wanted} now, it was {column.type}"


def relax(connection: sa.Connection) -> Iterator[str]:
    """Let columns be empty that we do not write, or may write NULL to."""
    names = [
        column.name
        for column in read_columns(connection).values()
        if column.required and not column.is_key and _is_left_empty(column)
    ]
    change(connection, *(f"ALTER COLUMN {quote(name)} DROP NOT NULL" for name in names))
    if names:
        yield f"columns that may be empty from now on: {', '.join(names)}"


def add_missing(connection: sa.Connection, wanted: Columns) -> Iterator[str]:
    """Add our columns that the table lacks, and one for what it held before."""
    missing = [column for name, column in wanted.items() if name not in read_columns(connection)]
    change(
        connection,
        *(f"ADD COLUMN {quote(c.name)} {c.type} {_filled(c)}" for c in missing),
        f"ADD COLUMN IF NOT EXISTS {KEPT_AS} jsonb",
    )
    yield f"columns added: {', '.join([*(column.name for column in missing), KEPT_AS])}"


def require_filled(connection: sa.Connection, wanted: Columns) -> None:
    """Let no column of ours be empty that must not be, nor be forgotten by others."""
    known = read_columns(connection)
    for name, value in FILLED_WITH.items():
        if wanted[name].required and not known[name].required:
            change(connection, f"ALTER COLUMN {name} SET NOT NULL")
        if known[name].default is None:
            change(connection, f"ALTER COLUMN {name} SET DEFAULT {value}")


#: What must not be empty, for rows that we do not write: others go on writing theirs.
FILLED_WITH = {
    "provider": "'kie'",
    "family": "'market'",
    "model": "'unknown'",
    "input": "'{}'",
    "status": "'unknown'",
    "result_urls": "'[]'",
    "attempts": "0",
    "crashes": "0",
    "created_at": "now()",
    "updated_at": "now()",
}


def _filled(column: Column) -> str:
    return f"NOT NULL DEFAULT {FILLED_WITH[column.name]}" if column.required else ""


def _is_alien(column: Column) -> bool:
    if column.name not in generations.c or column.name == _WHOEVER:
        return False
    types = _SHARED.get(column.name)
    return types is None or (types[0] == "jsonb" and column.type not in types)


def _is_left_empty(column: Column) -> bool:
    if column.name in generations.c:
        return bool(generations.c[column.name].nullable) and column.name != _WHOEVER
    return column.default is None and not column.made_by_itself


def _convert(connection: sa.Connection, column: Column, wanted: str) -> None:
    name = quote(column.name)
    value = f"{name}::{wanted}"
    if wanted == MOMENT:
        if column.sort not in (MOMENT, "timestamp without time zone", "date"):
            raise AdoptionError(
                f"`generations` cannot be adopted: its column {column.name} is of type"
                f" {column.type}, not {MOMENT}"
            )
        if column.sort != MOMENT:
            value = f"{name}::timestamp AT TIME ZONE 'UTC'"
    default = f"ALTER COLUMN {name} SET DEFAULT ({column.default})::{wanted}"
    try:
        change(
            connection,
            f"ALTER COLUMN {name} DROP DEFAULT",
            f"ALTER COLUMN {name} TYPE {wanted} USING {value}",
        )
        if column.default is not None:
            change(connection, default)
    except sa.exc.DBAPIError as error:
        raise AdoptionError(
            f"`generations` cannot be adopted: its column {column.name} is of type {column.type}"
            f" and cannot become {wanted}: {said(error)}; drop the view, index, trigger or policy"
            " that holds it, try again, and make it anew for the new type"
        ) from error
