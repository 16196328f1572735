"""From an id in the address to a generation, or to the callbacks that named it."""

from __future__ import annotations

from core.generation.model import Generation
from core.operator import TASK_ID
from core.store.queries import Queries, Record


def find(queries: Queries, wanted: str) -> Generation | None:
    """The generation of our id or KIE's."""
    if not TASK_ID.fullmatch(wanted):  # nobody's id
        return None
    return queries.by_id(wanted) or queries.by_task(wanted)


def callbacks_naming(queries: Queries, wanted: str) -> list[Record]:
    """The newest callbacks that named an id of which there is no generation, oldest first."""
    if not TASK_ID.fullmatch(wanted):
        return []
    return queries.callbacks_naming(wanted, wanted)
