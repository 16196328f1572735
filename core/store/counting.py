"""How generations are counted: one set of statements for the roll-ups and for the last hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from core.store.sql import milliseconds_between
from core.store.tables import IS_OURS, assets
from core.store.tables import generations as g
from core.store.types import UtcDateTime

HOUR = timedelta(hours=1)
#: Upper bounds of the histograms, in ms: four to an octave, so that a percentile is 9 % off at
#: most. The last one takes everything that took longer.
BOUNDS_MS = (*(round(50 * 2 ** (step / 4)) for step in range(4 * 21)), 1 << 40)
_HALF_A_BUCKET = 2 ** (1 / 8)  # four buckets are an octave


class up_to_ms(FunctionElement[int]):  # noqa: N801 - reads as an SQL function
    """The upper bound of the bucket that a number of milliseconds falls into."""

    type = sa.BigInteger()
    inherit_cache = True
    name = "up_to_ms"


@compiles(up_to_ms, "sqlite")
def _choose(element: up_to_ms, compiler: SQLCompiler, **kw: Any) -> str:
    took = compiler.process(element.clauses, **kw)
    *bounds, longest = BOUNDS_MS
    cases = " ".join(f"WHEN {took} <= {bound} THEN {bound}" for bound in bounds)
    return f"CASE {cases} ELSE {longest} END"


@compiles(up_to_ms, "postgresql")
def _look_up(element: up_to_ms, compiler: SQLCompiler, **kw: Any) -> str:
    """The number is worked out once, and looked up by halves: not for each bound again."""
    took = compiler.process(element.clauses, **kw)
    bounds = f"'{{{','.join(map(str, BOUNDS_MS))}}}'::bigint[]"
    most = f"LEAST({took}, {BOUNDS_MS[-1]})"
    return f"({bounds})[width_bucket({most} - 1, {bounds}) + 1]"


MADE = "made"  # from KIE's acceptance to KIE's completion
STORED = "stored"  # from KIE's completion to the last main file in storage
MEASURES = {
    MADE: (g.c.submitted_at, g.c.provider_completed_at),
    STORED: (g.c.provider_completed_at, g.c.delivered_at),
}
#: What a cohort has in common; '' for none.
COMMON = {
    column.name: sa.func.coalesce(column, sa.literal_column("''"))
    for column in (g.c.model, g.c.kind, g.c.status, g.c.error_code, g.c.delivered_via)
}

SINCE = sa.bindparam("since", type_=UtcDateTime)
UNTIL = sa.bindparam("until", type_=UtcDateTime)
_CREATED_THEN = sa.and_(IS_OURS, g.c.created_at >= SINCE, g.c.created_at < UNTIL)

_STORED_FILES = (
    sa.select(
        assets.c.generation_id,
        sa.func.count().label("files"),
        sa.func.sum(assets.c.size_bytes).label("bytes"),
    )
    .join(g, g.c.id == assets.c.generation_id)
    .where(_CREATED_THEN, assets.c.stored_at.is_not(None))
    .group_by(assets.c.generation_id)
    .subquery()
)


def count_cohorts(start: sa.ColumnElement[Any], *grouped: str) -> sa.Select[*tuple[Any, ...]]:
    """The cohorts of the generations created from `:since` up to `:until`, one row each.

    Columns as in `cohorts`, with `start` in the place of the hour. `grouped`: "start", where it
    is not the same for all; by its name, since a database does not see that an expression with
    parameters stands there twice.
    """
    return (
        sa.select(
            start.label("start"),
            *(value.label(name) for name, value in COMMON.items()),
            sa.func.count().label("generations"),
            sa.func.coalesce(sa.func.sum(g.c.credits_consumed), 0).label("credits"),
            sa.func.coalesce(sa.func.sum(_STORED_FILES.c.files), 0).label("files"),
            sa.func.coalesce(sa.func.sum(_STORED_FILES.c.bytes), 0).label("bytes"),
            sa.func.min(g.c.created_at).label("first_at"),
            sa.func.max(g.c.created_at).label("last_at"),
            sa.func.max(sa.cast(g.c.id, sa.String)).label("example"),  # UUIDs have no maximum,
        )
        .select_from(g.outerjoin(_STORED_FILES, _STORED_FILES.c.generation_id == g.c.id))
        .where(_CREATED_THEN)
        .group_by(*grouped, *COMMON.values())
    )


def count_durations(start: sa.ColumnElement[Any], *grouped: str) -> sa.CompoundSelect[Any]:
    """Histograms of the same generations; columns as in `durations`."""
    return sa.union_all(*(_count_duration(start, measure, *grouped) for measure in MEASURES))


def _count_duration(
    start: sa.ColumnElement[Any], measure: str, *grouped: str
) -> sa.Select[*tuple[Any, ...]]:
    began, ended = MEASURES[measure]
    took = milliseconds_between(began, ended)
    up_to = up_to_ms(took).label("up_to_ms")
    return (
        sa.select(
            start.label("start"),
            g.c.model,
            sa.literal(measure).label("measure"),
            up_to,
            sa.func.count().label("generations"),
        )
        .where(_CREATED_THEN, began.is_not(None), ended.is_not(None))
        .group_by(*grouped, g.c.model, "up_to_ms")
    )


def hour_of(at: datetime) -> datetime:
    """The hour in which a moment lies."""
    return at.replace(minute=0, second=0, microsecond=0)


def percentile(histogram: Iterable[tuple[int, int]], share: float) -> float | None:
    """Milliseconds that this share of a histogram did not exceed; None for an empty one.

    9 % off at most, or 50 ms; a day where it is more. `histogram` gives the upper bounds of buckets
    and how many are in each; buckets may repeat.
    """
    counts: Counter[int] = Counter()
    for bound, count in histogram:
        counts[bound] += count
    wanted, reached = counts.total() * share, 0
    for bound in sorted(counts):
        reached += counts[bound]
        if reached >= wanted:
            return float(min(bound / _HALF_A_BUCKET, BOUNDS_MS[-2]))
    return None
