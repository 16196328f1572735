"""Between database rows and records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from core.generation.model import Asset, Channel, Generation, Status
from core.store.tables import assets

#: What the lease decides and not the transition.
LEASE_COLUMNS = frozenset({"lease_token", "lease_until", "due_at", "crashes"})

#: What reading a row raises that somebody has edited by hand, or that a newer release wrote.
UNREADABLE = (ValueError, TypeError, LookupError, sa.exc.DataError)

_GENERATION_FIELDS = [field.name for field in fields(Generation) if field.name != "assets"]
_ASSET_FIELDS = [field.name for field in fields(Asset)]

SELECT_ASSETS = (
    sa.select(assets)
    .where(assets.c.generation_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(assets.c.generation_id, assets.c.position)
)


def to_generation(row: sa.RowMapping, files: Iterable[Asset] = ()) -> Generation:
    """The record of a row of `generations`; columns that we do not know are left out."""
    values = {name: row[name] for name in _GENERATION_FIELDS}
    values["status"] = Status(values["status"])
    values["result_urls"] = tuple(values["result_urls"] or ())
    via = values["delivered_via"]
    values["delivered_via"] = Channel(via) if via in set(Channel) else None
    return Generation(**values, assets=tuple(files))


def to_columns(generation: Generation) -> dict[str, Any]:
    """The row of a record, without its files."""
    values = {name: getattr(generation, name) for name in _GENERATION_FIELDS}
    values["result_urls"] = list(generation.result_urls)
    values["input"] = dict(generation.input)
    return values


def changed_columns(before: Generation, after: Generation) -> dict[str, Any]:
    """What a transition changed, without what only the lease may change."""
    old, new = to_columns(before), to_columns(after)
    return {
        name: value
        for name, value in new.items()
        if name not in LEASE_COLUMNS and value != old[name]
    }


def asset_columns(asset: Asset) -> dict[str, Any]:
    """The row of a file, without the generation's id."""
    return {name: getattr(asset, name) for name in _ASSET_FIELDS}


def load_assets(connection: sa.Connection, ids: list[str]) -> dict[str, list[Asset]]:
    """The files of generations, by generation id and in their order."""
    found: dict[str, list[Asset]] = {}
    for row in connection.execute(SELECT_ASSETS, {"ids": ids}).mappings():
        asset = Asset(**{name: row[name] for name in _ASSET_FIELDS})
        found.setdefault(row["generation_id"], []).append(asset)
    return found


def load_generations(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> list[Generation]:
    """The records of rows of `generations`, with their files."""
    files = load_assets(connection, [row["id"] for row in rows]) if rows else {}
    return [to_generation(row, files.get(row["id"], ())) for row in rows]
