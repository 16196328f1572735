"""What has been open for too long, and why it counts as that: read live from the open rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.diagnosis.storing import AT_RISK_AFTER
from core.generation.model import Code, Generation, Status
from core.generation.schedule import CRASHES_SET_ASIDE
from core.store.counting import MADE, percentile
from core.store.listing import Cursor
from core.store.queries import readable
from core.store.sql import as_text, unindexed
from core.store.tables import IS_OPEN, IS_OURS, cohorts, durations
from core.store.tables import generations as g
from core.store.types import UtcDateTime

USUAL_SPAN = timedelta(days=7)  # long enough to know, short enough to be of today
SAMPLES = 100  # fewer say nothing about the slowest hundredth
LEAST_LIMIT = timedelta(minutes=1)


class Reason(StrEnum):
    """Why a generation stands on the stuck list."""

    SLOW = "slow"  # open for longer than it should
    AT_RISK = "at_risk"  # KIE finished it more than an hour ago, and it is not stored
    SET_ASIDE = "set_aside"  # its workers died three times
    SUBMIT_UNKNOWN = "submit_unknown"  # nobody knows whether KIE made a task


@dataclass(frozen=True, slots=True)
class Usual:
    """How long KIE took for a model's generations of the last week, and what one cost."""

    samples: int
    p50_ms: float
    p99_ms: float
    credits: float | None = None  # of a delivered one, on average; None: KIE told of none


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a generation may be open: a general limit, and those of models that are faster."""

    general: timedelta
    by_model: Mapping[str, timedelta]

    def of(self, model: str) -> timedelta:
        """The limit of a model."""
        return self.by_model.get(model, self.general)


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckFilter:
    """Which of the stuck; what is None filters nothing."""

    reason: Reason | None = None
    model: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Stuck:
    """A generation on the list, with all its reasons."""

    generation: Generation
    reasons: tuple[Reason, ...]


def read_usual(connection: sa.Connection, now: datetime) -> dict[str, Usual]:
    """How long each model usually takes, and what it costs, by model."""
    since = now - USUAL_SPAN
    costs = _costs(connection, since)
    return {
        model: Usual(
            sum(count for _, count in histogram),
            percentile(histogram, 0.5) or 0.0,
            percentile(histogram, 0.99) or 0.0,
            costs.get(model),
        )
        for model, histogram in _histograms(connection, since).items()
    }


def limits(usual: Mapping[str, Usual], stuck_after: timedelta) -> Limits:
    """`stuck_after` for all, and less for models of which 99 % are usually done sooner."""
    known = {
        model: max(timedelta(milliseconds=one.p99_ms), LEAST_LIMIT)
        for model, one in usual.items()
        if one.samples >= SAMPLES
    }
    sooner = {model: limit for model, limit in known.items() if limit < stuck_after}
    return Limits(stuck_after, sooner)


def count_stuck(
    connection: sa.Connection, filter: StuckFilter, limits: Limits, now: datetime
) -> dict[Reason | None, int]:
    """How many are stuck for each reason, and at all (None). The filter's reason is ignored."""
    flags = _flags(limits, now)
    any_of_them = sa.or_(*flags.values())
    counted = [sa.func.count().filter(flag) for flag in (any_of_them, *flags.values())]
    row = connection.execute(
        sa.select(*counted).where(IS_OURS, IS_OPEN, *_conditions(filter))
    ).one()
    return dict(zip((None, *flags), row, strict=True))


def read_stuck(
    connection: sa.Connection,
    filter: StuckFilter,
    limits: Limits,
    now: datetime,
    *,
    after: Cursor | None = None,
    limit: int,
) -> list[Stuck]:
    """The stuck, oldest first."""
    flags = _flags(limits, now)
    columns = [flag.label(f"is_{reason}") for reason, flag in flags.items()]
    query = _select(filter, flags, after, limit, g.c.id, *columns)
    rows = {row["id"]: row for row in connection.execute(query).mappings()}
    return [
        Stuck(one, tuple(reason for reason in Reason if rows[one.id][f"is_{reason}"]))
        for one in readable(connection, list(rows))
    ]


def _histograms(connection: sa.Connection, since: datetime) -> dict[str, list[tuple[int, int]]]:
    """By model: the upper bounds of buckets, and how many are in each."""
    d = durations.c
    statement = (
        sa.select(d.model, d.up_to_ms, sa.func.sum(d.generations))
        .where(d.hour >= since, d.measure == MADE)
        .group_by(d.model, d.up_to_ms)
    )
    found: dict[str, list[tuple[int, int]]] = {}
    for model, up_to_ms, generations in connection.execute(statement):
        found.setdefault(model, []).append((up_to_ms, int(generations)))
    return found


def _costs(connection: sa.Connection, since: datetime) -> dict[str, float]:
    """Credits per delivered generation; without models of which KIE told none."""
    c = cohorts.c
    credits = sa.func.sum(c.credits)
    statement = (
        sa.select(c.model, credits, sa.func.sum(c.generations))
        .where(c.hour >= since, c.status == Status.SUCCESS)
        .group_by(c.model)
        .having(credits > 0)
    )
    rows = connection.execute(statement).all()
    return {model: float(total) / int(generations) for model, total, generations in rows}


Flags = Mapping[Reason, sa.ColumnElement[bool]]


def _select(
    filter: StuckFilter,
    flags: Flags,
    after: Cursor | None,
    limit: int,
    *columns: sa.ColumnElement[Any],
) -> sa.Select[*tuple[Any, ...]]:
    wanted = sa.or_(*flags.values()) if filter.reason is None else flags[filter.reason]
    query = (
        sa.select(*columns)
        .where(IS_OURS, IS_OPEN, wanted, *_conditions(filter))
        .order_by(g.c.created_at, g.c.id)
        .limit(limit)
    )
    return query if after is None else query.where(after.after_oldest())


def _flags(limits: Limits, now: datetime) -> Flags:
    latest = {model: now - limit for model, limit in limits.by_model.items()}
    general = sa.literal(now - limits.general, UtcDateTime)
    created_before: Any = general
    if latest:
        moments = {model: sa.literal(moment, UtcDateTime) for model, moment in latest.items()}
        created_before = sa.case(moments, value=g.c.model, else_=general)
    return {
        Reason.SLOW: g.c.created_at < created_before,
        Reason.AT_RISK: sa.func.coalesce(
            g.c.provider_completed_at < sa.literal(now - AT_RISK_AFTER, UtcDateTime), sa.false()
        ),
        Reason.SET_ASIDE: g.c.crashes >= CRASHES_SET_ASIDE,
        Reason.SUBMIT_UNKNOWN: sa.func.coalesce(g.c.error_code == Code.SUBMIT_UNKNOWN, sa.false()),
    }


def _conditions(filter: StuckFilter) -> list[sa.ColumnElement[bool]]:
    """Few are open, and they have an index: it must not lose against that of a busy model."""
    equal: dict[sa.ColumnElement[Any], str | None] = {
        g.c.model: filter.model,
        as_text(g.c.user_id): filter.user_id,
    }
    return [unindexed(column) == value for column, value in equal.items() if value is not None]
