"""Counts of generations by the time of their creation, from the roll-ups or counted just now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from core.figures.span import Span
from core.store.counting import MADE, SINCE, STORED, count_cohorts, count_durations
from core.store.sql import milliseconds_between
from core.store.tables import cohorts, durations, refusals, rollups
from core.store.tables import generations as g


class Cohorts(NamedTuple):
    """How many `generations` have these in common ('' for none); several rows may have the same."""

    by_step: pd.DataFrame  # `start` (of the step, UTC), `status`, `delivered_via`
    #: `model`, `kind`, `status`, `error_code`; `credits` (float), `first_at` and `last_at`
    #: (created), `example` (an id, the newest)
    by_model: pd.DataFrame


class Durations(NamedTuple):
    """Histograms: `up_to_ms` is a bucket's upper bound, `generations` how many are in it.

    Several rows may have the same.
    """

    made: pd.DataFrame  # by `model`: from KIE's acceptance to its completion
    stored: pd.DataFrame  # by `start`: from there to the last main file in storage


_ALIKE = (cohorts.c.model, cohorts.c.kind, cohorts.c.status, cohorts.c.error_code)
_BY_MODEL = (
    sa.select(
        *_ALIKE,
        *(sa.func.sum(one).label(one.name) for one in (cohorts.c.generations, cohorts.c.credits)),
        sa.func.min(cohorts.c.first_at).label("first_at"),
        sa.func.max(cohorts.c.last_at).label("last_at"),
        sa.func.max(cohorts.c.example).label("example"),
    )
    .where(cohorts.c.hour >= SINCE)
    .group_by(*_ALIKE)
)
_BUCKET = (durations.c.model, durations.c.up_to_ms)
_MADE = (
    sa.select(*_BUCKET, sa.func.sum(durations.c.generations).label("generations"))
    .where(durations.c.hour >= SINCE, durations.c.measure == MADE)
    .group_by(*_BUCKET)
)


def read_cohorts(connection: sa.Connection, span: Span) -> Cohorts:
    """How the generations created in a span stand."""
    if span.is_rolled_up:
        by_step = _frame(connection, _by_step(span), span)
        by_model = _frame(connection, _BY_MODEL, span)
    else:
        by_step = by_model = _frame(
            connection, count_cohorts(_step_of_creation(span), "start"), span
        )
    return Cohorts(
        by_step.astype({"generations": int}),
        by_model.astype({"generations": int, "credits": float}),
    )


def read_durations(connection: sa.Connection, span: Span) -> Durations:
    """How long the generations created in a span took."""
    if span.is_rolled_up:
        read = (_MADE, _stored(span))
        made, stored = (_frame(connection, one, span) for one in read)
    else:
        both = _frame(connection, count_durations(_step_of_creation(span), "start"), span)
        made, stored = (both[both["measure"] == one] for one in (MADE, STORED))
    kinds = {"up_to_ms": int, "generations": int}
    return Durations(made.astype(kinds), stored.astype(kinds))


def read_refusals(connection: sa.Connection, since: datetime) -> pd.DataFrame:
    """Callbacks that were refused or fitted nothing, since the hour of a moment.

    Columns: `reason`, `callbacks`, `last_hour` (UTC).
    """
    statement = (
        sa.select(refusals.c.reason, sa.func.sum(refusals.c.count), sa.func.max(refusals.c.hour))
        .where(refusals.c.hour >= since.replace(minute=0, second=0, microsecond=0))
        .group_by(refusals.c.reason)
        .order_by(sa.func.sum(refusals.c.count).desc())
    )
    rows = connection.execute(statement).all()
    return pd.DataFrame(rows, columns=["reason", "callbacks", "last_hour"])


def read_storage(connection: sa.Connection) -> pd.DataFrame:
    """What is stored, by month of creation and kind. Columns: `month` (date), `kind`, `files`,
    `bytes`."""
    c = cohorts.c
    files, size = sa.func.sum(c.files).label("files"), sa.func.sum(c.bytes).label("bytes")
    by_hour = sa.select(c.hour, c.kind, files, size).where(c.files > 0).group_by(c.hour, c.kind)
    h = by_hour.subquery().c  # first, as taking the month out of a moment is what costs most
    year, month = sa.extract("year", h.hour), sa.extract("month", h.hour)
    statement = (
        sa.select(year, month, h.kind, sa.func.sum(h.files), sa.func.sum(h.bytes))
        .group_by(year, month, h.kind)
        .order_by(year, month, h.kind)
    )
    rows = connection.execute(statement).all()
    frame = pd.DataFrame(rows, columns=["year", "month", "kind", "files", "bytes"])
    months = pd.to_datetime(frame[["year", "month"]].astype(int).assign(day=1))
    counted = frame.assign(month=months).drop(columns="year")
    return counted.astype({"files": int, "bytes": int})


def counted_at(connection: sa.Connection) -> datetime | None:
    """When the roll-ups were last brought up to date; None: never."""
    return connection.scalar(sa.select(rollups.c.folded_at))


def _step_of_creation(span: Span) -> sa.ColumnElement[int]:
    return _step(SINCE, g.c.created_at, span)


def _step(
    since: sa.ColumnElement[datetime], at: sa.ColumnElement[datetime], span: Span
) -> sa.ColumnElement[int]:
    """The number of the step in which a moment lies."""
    length_ms = sa.literal(round(span.step.total_seconds() * 1000), sa.BigInteger)
    return milliseconds_between(since, at) // length_ms


def _by_step(span: Span) -> sa.Select[*tuple[Any, ...]]:
    c = cohorts.c
    return (
        sa.select(
            _step(SINCE, c.hour, span).label("start"),
            c.status,
            c.delivered_via,
            sa.func.sum(c.generations).label("generations"),
        )
        .where(c.hour >= SINCE)
        .group_by("start", c.status, c.delivered_via)
    )


def _stored(span: Span) -> sa.Select[*tuple[Any, ...]]:
    d = durations.c
    start = _step(SINCE, d.hour, span).label("start")
    return (
        sa.select(start, d.up_to_ms, sa.func.sum(d.generations).label("generations"))
        .where(d.hour >= SINCE, d.measure == STORED)
        .group_by("start", d.up_to_ms)
    )


def _frame(connection: sa.Connection, statement: sa.Executable, span: Span) -> pd.DataFrame:
    """The rows of a statement; the number of a step, where there is one, as its beginning."""
    result = connection.execute(statement, {"since": span.since, "until": span.until})
    frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    if "start" not in frame:
        return frame
    steps = pd.to_timedelta(frame["start"].astype(float) * span.step.total_seconds(), unit="s")
    return frame.assign(start=pd.Timestamp(span.since) + steps)
