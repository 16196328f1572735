"""When there is work for whom: what lets a simulation skip looks that would find nothing.

A look that finds nothing changes nothing, and in a day of virtual time there are 86,400 of them.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from math import inf
from typing import Any

import psycopg

from core.store.claims import Claims, Lane
from tests.checker.database import is_sqlite

_FREE_AT = "CASE WHEN lease_until IS NULL THEN due_at ELSE lease_until END"
_UNSUBMITTED = "submit_started_at IS NULL AND task_id IS NULL"
_QUERY = (
    f"SELECT min(CASE WHEN {_UNSUBMITTED} THEN {_FREE_AT} END),"
    f" min(CASE WHEN NOT ({_UNSUBMITTED}) THEN {_FREE_AT} END),"
    f" min(CASE WHEN NOT ({_UNSUBMITTED}) AND announced_at IS NOT NULL THEN {_FREE_AT} END)"
    " FROM generations WHERE due_at IS NOT NULL OR lease_until IS NOT NULL"
)


class DueTimes:
    """When the first generation of each sort can be claimed, by the clock of the store."""

    def __init__(self, url: str) -> None:
        self._connection: Any = (
            sqlite3.connect(url.removeprefix("sqlite:///"))
            if is_sqlite(url)
            else psycopg.connect(url, autocommit=True)
        )

    def read(self) -> tuple[float, float, float]:
        """To be submitted; to be delivered; to be delivered, and announced. Never: infinity."""
        submit, deliver, announced = self._connection.execute(_QUERY).fetchone()
        return _seconds(submit), _seconds(deliver), _seconds(announced)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _seconds(moment: str | datetime | None) -> float:
    if moment is None:
        return inf
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return moment.timestamp()


class SparingClaims:
    """Claims that are only tried where there is something to be claimed."""

    def __init__(self, claims: Claims, is_due: Any) -> None:
        self._claims = claims
        self._is_due = is_due

    def claim_next(self, lane: Lane, token: str, *, announced_only: bool = False) -> Any:
        """As `Claims.claim_next`."""
        if not self._is_due(lane):
            return None
        return self._claims.claim_next(lane, token, announced_only=announced_only)

    def has_set_aside(self) -> bool:
        """As `Claims.has_set_aside`."""
        return any(map(self._is_due, Lane)) and self._claims.has_set_aside()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._claims, name)
