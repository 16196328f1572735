"""What counts as stuck: why, in which order, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from core.generation.model import Code, Status
from core.store.counting import MADE, hour_of
from core.store.listing import Cursor
from core.store.stuck import (
    SAMPLES,
    Limits,
    Reason,
    StuckFilter,
    Usual,
    count_stuck,
    limits,
    read_stuck,
    read_usual,
)
from core.store.tables import cohorts, durations
from tests.contract.conftest import StoreCase

LIMITS = Limits(timedelta(minutes=10), {"fast": timedelta(minutes=1)})
ALL = StuckFilter()


def stuck(case: StoreCase, filter: StuckFilter = ALL, **page: Any) -> dict[str, tuple[Reason, ...]]:
    """The reasons of each of the stuck, oldest first."""
    with case.store.database.read() as connection:
        rows = read_stuck(connection, filter, LIMITS, case.clock(), **{"limit": 50, **page})
    return {row.generation.id: row.reasons for row in rows}


def counts(case: StoreCase, filter: StuckFilter = ALL) -> dict[Reason | None, int]:
    with case.store.database.read() as connection:
        return count_stuck(connection, filter, LIMITS, case.clock())


def add_old(case: StoreCase, age_s: float, **fields: Any) -> str:
    return case.add(created_at=case.clock() - timedelta(seconds=age_s), **fields).id


def one_of_each(case: StoreCase) -> dict[Reason, str]:
    """Young ones with one reason each, but for the one that is slow."""
    finished = case.clock() - timedelta(minutes=61)
    return {
        Reason.SLOW: add_old(case, 601),
        Reason.AT_RISK: add_old(case, 5, provider_completed_at=finished),
        Reason.SET_ASIDE: add_old(case, 4, crashes=3),
        Reason.SUBMIT_UNKNOWN: add_old(case, 3, error_code=Code.SUBMIT_UNKNOWN),
    }


@pytest.mark.parametrize(
    ("model", "age_s", "is_stuck"),
    [("m", 600, False), ("m", 601, True), ("fast", 60, False), ("fast", 61, True)],
)
def test_slow_is_what_exceeds_the_limit_of_its_model(
    case: StoreCase, model: str, age_s: float, is_stuck: bool
) -> None:
    one = add_old(case, age_s, model=model)
    assert stuck(case) == ({one: (Reason.SLOW,)} if is_stuck else {})


def test_each_reason_is_told_and_counted(case: StoreCase) -> None:
    each = one_of_each(case)
    assert stuck(case) == {one: (reason,) for reason, one in each.items()}
    assert counts(case) == {None: 4, **dict.fromkeys(Reason, 1)}


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_filters_the_list_and_not_the_counts(case: StoreCase, reason: Reason) -> None:
    each = one_of_each(case)
    assert list(stuck(case, StuckFilter(reason=reason))) == [each[reason]]
    assert list(stuck(case, StuckFilter(reason=reason))) == [each[reason]]
    assert counts(case, StuckFilter(reason=reason))[None] == 4


def test_one_may_have_several_reasons(case: StoreCase) -> None:
    one = add_old(case, 700, crashes=4)
    assert stuck(case) == {one: (Reason.SLOW, Reason.SET_ASIDE)}
    assert counts(case)[None] == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"provider_completed_at": None},
        {"crashes": 2},
        {"error_code": "submit.rate_limited"},
        {"status": Status.FAILED, "crashes": 3},
        {"status": Status.SUCCESS, "asset_url": "u", "crashes": 3},
    ],
)
def test_what_goes_on_or_has_ended_is_not_stuck(case: StoreCase, fields: Mapping[str, Any]) -> None:
    case.add(**fields)
    assert stuck(case) == {}


@pytest.mark.parametrize("hostile", ["'; DROP TABLE generations; --", "ann%", "", "\ufffd"])
def test_filters_match_whole_names_only(case: StoreCase, hostile: str) -> None:
    add_old(case, 700, model="m", user_id="ann")
    assert len(stuck(case, StuckFilter(model="m", user_id="ann"))) == 1
    assert stuck(case, StuckFilter(user_id=hostile)) == {}
    assert counts(case, StuckFilter(model=hostile))[None] == 0


def test_pages_follow_each_other_without_gap_or_repeat(case: StoreCase) -> None:
    made = [add_old(case, 900) for _ in range(3)] + [add_old(case, 800), add_old(case, 1000)]
    found: list[str] = []
    cursor = None
    while page := stuck(case, after=cursor, limit=2):
        found += page
        last = case.queries.by_id(found[-1])
        assert last is not None
        cursor = Cursor(last.created_at, last.id)
    assert found == [made[4], *sorted(made[:3]), made[3]] == list(stuck(case))


def write_hours(case: StoreCase, took: Mapping[int, int], *, credits: str = "0") -> None:
    """The roll-ups of an hour of model m: how many took how many ms, and cost what in total."""
    hour = hour_of(case.clock())
    common = {"hour": hour, "model": "m"}
    buckets = [
        {**common, "measure": MADE, "up_to_ms": bound, "generations": number}
        for bound, number in took.items()
    ]
    cohort = {"kind": "image", "error_code": "", "delivered_via": "poll", "files": 1, "bytes": 1}
    times = {"first_at": hour, "last_at": hour, "example": "x"}
    ended = [(Status.SUCCESS, 4, Decimal(credits)), (Status.FAILED, 4, Decimal(0))]
    with case.store.database.write() as connection:
        connection.execute(sa.insert(durations), buckets)
        for status, number, total in ended:
            values = {"status": status, "generations": number, "credits": total}
            connection.execute(sa.insert(cohorts).values(**common, **cohort, **times, **values))


def usual(case: StoreCase) -> dict[str, Usual]:
    with case.store.database.read() as connection:
        return read_usual(connection, case.clock())


def test_usual_tells_how_long_a_model_takes_and_what_a_delivered_one_costs(case: StoreCase) -> None:
    write_hours(case, {1600: 98, 25600: 2}, credits="10")
    found = usual(case)["m"]
    assert (found.samples, found.credits) == (100, 2.5)
    assert 1000 < found.p50_ms <= 1600
    assert 20_000 < found.p99_ms <= 25_600


def test_a_cost_that_kie_never_told_is_unknown(case: StoreCase) -> None:
    write_hours(case, {1600: 1})
    assert usual(case)["m"].credits is None


def test_what_is_long_ago_is_not_usual_any_more(case: StoreCase) -> None:
    write_hours(case, {1600: 1}, credits="10")
    case.clock.advance(timedelta(days=31).total_seconds())
    assert usual(case) == {}


@pytest.mark.parametrize(
    ("samples", "p99_ms", "limit_s"),
    [
        (SAMPLES, 90_000, 90),
        (SAMPLES, 5_000, 60),  # never below a minute
        (SAMPLES, 900_000, 600),  # never above the general limit
        (SAMPLES - 1, 90_000, 600),  # too few to know
    ],
)
def test_a_model_has_a_limit_of_its_own_where_it_is_known_to_be_faster(
    samples: int, p99_ms: float, limit_s: float
) -> None:
    chosen = limits({"m": Usual(samples, 1.0, p99_ms)}, timedelta(minutes=10))
    assert chosen.of("m").total_seconds() == limit_s
    assert chosen.of("another") == timedelta(minutes=10)
