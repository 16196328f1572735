"""All figures of one database: each method is one short read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from core.figures.counts import (
    Cohorts,
    Durations,
    counted_at,
    read_cohorts,
    read_durations,
    read_refusals,
    read_storage,
)
from core.figures.news import Silence, read_silence
from core.figures.span import Span
from core.store.database import Database
from core.store.listing import Cursor
from core.store.stuck import (
    Limits,
    Reason,
    Stuck,
    StuckFilter,
    Usual,
    count_stuck,
    limits,
    read_stuck,
    read_usual,
)
from core.store.tables import callbacks


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview is made of; see core.figures.counts for the frames."""

    cohorts: Cohorts
    durations: Durations
    refusals: pd.DataFrame
    silence: Silence | None
    counted_at: datetime | None  # None: the roll-ups were never made


class Figures:
    """Reads that block no writer. Raises StoreUnavailableError."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], stuck_after: timedelta
    ) -> None:
        self._database = database
        self._now = now
        self._stuck_after = stuck_after

    def overview(self, span: Span) -> Overview:
        """The counts of a span, and how callbacks come."""
        with self._database.read() as connection:
            return Overview(
                read_cohorts(connection, span),
                read_durations(connection, span),
                read_refusals(connection, span.since),
                read_silence(connection),
                counted_at(connection),
            )

    def storage(self) -> pd.DataFrame:
        """What is stored; see `read_storage`."""
        with self._database.read() as connection:
            return read_storage(connection)

    def usual(self) -> dict[str, Usual]:
        """How long each model usually takes. Changes slowly: keep it for minutes."""
        with self._database.read() as connection:
            return read_usual(connection, self._now())

    def limits(self, usual: Mapping[str, Usual]) -> Limits:
        """How long a generation may be open before it is called stuck."""
        return limits(usual, self._stuck_after)

    def stuck_counts(self, filter: StuckFilter, limits: Limits) -> dict[Reason | None, int]:
        """How many are stuck for each reason, and at all (None)."""
        with self._database.read() as connection:
            return count_stuck(connection, filter, limits, self._now())

    def stuck(
        self, filter: StuckFilter, limits: Limits, *, after: Cursor | None = None, limit: int = 50
    ) -> list[Stuck]:
        """The stuck, oldest first."""
        with self._database.read() as connection:
            return read_stuck(connection, filter, limits, self._now(), after=after, limit=limit)

    def callbacks(self, reason: str, *, limit: int = 50) -> list[Mapping[str, Any]]:
        """The newest callbacks with a reason, as rows of `callbacks`."""
        newest = (
            sa.select(callbacks)
            .where(callbacks.c.reason == reason)
            .order_by(callbacks.c.received_at.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(newest).mappings()]
