"""Rows of other providers, in a table that we share with them, are none of our business."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.figures.figures import Figures
from core.generation.model import Change
from core.store.claims import Lane
from core.store.inbox import Verdict
from core.store.rows import to_columns
from core.store.stuck import Limits, StuckFilter
from core.store.tables import cohorts, generations
from tests.contract.conftest import StoreCase, received

LEASE = "a0"


@pytest.fixture
def others(case: StoreCase) -> StoreCase:
    """Two rows of another provider with one task id, and a status that we do not have."""
    rows = [
        to_columns(case.new(provider="other", task_id="task-1", due_at=None)) | {"status": status}
        for status in ("generating", "IN_PROGRESS")
    ]
    with case.store.database.write() as connection:
        connection.execute(sa.insert(generations), rows)
    return case


def ids(case: StoreCase) -> list[str]:
    with case.store.database.read() as connection:
        return list(connection.scalars(sa.select(generations.c.id)))


def test_they_are_in_no_list(others: StoreCase) -> None:
    assert others.queries.page().items == []
    assert others.queries.by_task("task-1") is None
    assert [others.queries.by_id(one) for one in ids(others)] == [None, None]


def test_their_task_ids_do_not_stand_in_the_way(others: StoreCase) -> None:
    ours = others.add_submitted("task-1")
    assert others.queries.by_task("task-1") == others.row(ours)


def test_nobody_claims_them(others: StoreCase) -> None:
    others.clock.advance(3600)
    assert others.store.claims.claim_next(Lane.DELIVER, LEASE) is None


def test_a_callback_does_not_wake_them(others: StoreCase) -> None:
    assert others.store.inbox.accept(received("task-1")) is Verdict.UNMATCHED
    assert others.store.sweep_unmatched() == 0


def test_they_are_not_counted(others: StoreCase) -> None:
    assert others.store.rollup.rebuild() == 0
    with others.store.database.read() as connection:
        assert connection.execute(sa.select(cohorts)).all() == []


def test_they_are_not_stuck(others: StoreCase) -> None:
    others.clock.advance(7200)
    figures = Figures(others.store.database, others.clock, timedelta(minutes=10))
    limits = Limits(timedelta(minutes=10), {})
    assert not any(figures.stuck_counts(StuckFilter(), limits).values())
    assert figures.stuck(StuckFilter(), limits) == []


def test_an_operator_cannot_act_on_them(others: StoreCase) -> None:
    for one in ids(others):
        with pytest.raises(KeyError):
            others.store.generations.act(one, Change)
