"""Counts of generations by the time of their creation, from the roll-ups or counted just now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from core.figures.span import Span
from core.store.counting import SINCE, count_cohorts, count_durations
from core.store.sql import milliseconds_between
from core.store.tables import cohorts, durations, refusals, rollups
from core.store.tables import generations as g

COHORT_COLUMNS = [
    *("start", "model", "kind", "status", "error_code", "delivered_via"),
    *("generations", "credits", "files", "bytes", "first_at", "last_at", "example"),
]
DURATION_COLUMNS = ["start", "model", "measure", "up_to_ms", "generations"]


def read_cohorts(connection: sa.Connection, span: Span) -> pd.DataFrame:
    """How the generations created in a span stand, one row per step and what they have in common.

    Columns: `start` (of the step, UTC), `model`, `kind`, `status`, `error_code`, `delivered_via`
    ('' for none); `generations`, `credits` (float), stored `files` and `bytes`; `first_at` and
    `last_at` (created), `example` (an id).
    """
    if span.is_rolled_up:
        statement: sa.Executable = _rolled_up_cohorts(span)
    else:
        statement = count_cohorts(_step_of_creation(span))
    frame = _frame(connection, statement, COHORT_COLUMNS, span)
    return frame.astype({"credits": float})


def read_durations(connection: sa.Connection, span: Span) -> pd.DataFrame:
    """Histograms of how long the generations created in a span took.

    Columns: `start`, `model`, `measure` (`made`: from KIE's acceptance to its completion;
    `stored`: from there to the last main file in storage), `up_to_ms` (the bucket's upper bound),
    `generations`.
    """
    if span.is_rolled_up:
        statement: sa.Executable = _rolled_up_durations(span)
    else:
        statement = count_durations(_step_of_creation(span))
    return _frame(connection, statement, DURATION_COLUMNS, span)


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
    year, month = sa.extract("year", cohorts.c.hour), sa.extract("month", cohorts.c.hour)
    statement = (
        sa.select(
            year, month, cohorts.c.kind, sa.func.sum(cohorts.c.files), sa.func.sum(cohorts.c.bytes)
        )
        .where(cohorts.c.files > 0)
        .group_by(year, month, cohorts.c.kind)
        .order_by(year, month, cohorts.c.kind)
    )
    rows = connection.execute(statement).all()
    frame = pd.DataFrame(rows, columns=["year", "month", "kind", "files", "bytes"])
    months = pd.to_datetime(frame[["year", "month"]].assign(day=1))
    return frame.assign(month=months).drop(columns="year")


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


def _rolled_up_cohorts(span: Span) -> sa.Select[*tuple[Any, ...]]:
    c = cohorts.c
    common = (c.model, c.kind, c.status, c.error_code, c.delivered_via)
    sums = [sa.func.sum(one) for one in (c.generations, c.credits, c.files, c.bytes)]
    ends = (sa.func.min(c.first_at), sa.func.max(c.last_at), sa.func.max(c.example))
    return (
        sa.select(_step(SINCE, c.hour, span).label("start"), *common, *sums, *ends)
        .where(c.hour >= SINCE)
        .group_by("start", *common)
    )


def _rolled_up_durations(span: Span) -> sa.Select[*tuple[Any, ...]]:
    d = durations.c
    common = (d.model, d.measure, d.up_to_ms)
    start = _step(SINCE, d.hour, span).label("start")
    return (
        sa.select(start, *common, sa.func.sum(d.generations))
        .where(d.hour >= SINCE)
        .group_by("start", *common)
    )


def _frame(
    connection: sa.Connection, statement: sa.Executable, columns: list[str], span: Span
) -> pd.DataFrame:
    rows = connection.execute(statement, {"since": span.since, "until": span.until}).all()
    frame = pd.DataFrame(rows, columns=columns)
    steps = pd.to_timedelta(frame["start"].astype(float) * span.step.total_seconds(), unit="s")
    return frame.assign(start=pd.Timestamp(span.since) + steps)
