"""The checker over a data folder, its database and its objects."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from tests.checker.evidence import Evidence, facts_of, objects_in, objects_of, rows_of
from tests.checker.invariants import check


def audit(data: Path, database_url: str, objects: Mapping[str, bytes] | None = None) -> list[str]:
    """Every broken promise of a data folder and its database, in words; the processes may run.

    `objects`: what is stored, by path, where that is not in the folder.
    """
    return [str(violation) for violation in check(gather(data, database_url, objects))]


def gather(data: Path, database_url: str, objects: Mapping[str, bytes] | None = None) -> Evidence:
    """The evidence of one moment: looked at again where anything happened meanwhile."""
    ledger = data / "simulator" / "ledger.jsonl"
    # The ledger first: what it says was acknowledged is on record by the time the rows are read.
    facts = facts_of(ledger)
    rows = rows_of(database_url)
    found = objects_in(data / "assets") if objects is None else objects_of(objects)
    if facts_of(ledger) != facts or rows_of(database_url)["assets"] != rows["assets"]:
        return gather(data, database_url, objects)
    ahead = next((fact["offset"] for fact in reversed(facts) if fact["fact"] == "clock"), 0.0)
    return Evidence(facts=facts, objects=found, horizon=time.time() + ahead, **rows)
