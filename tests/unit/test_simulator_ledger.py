from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.ledger import INITIAL_CREDITS, Ledger
from tests.support.simulator import NOON, InProcessKie


@pytest.fixture
def kie(tmp_path: Path) -> Iterator[InProcessKie]:
    made = InProcessKie(tmp_path)
    yield made
    made.close()


def test_everything_is_known_after_a_restart(kie: InProcessKie) -> None:
    task_id = kie.create()
    kie.advance(100)
    assert kie.client.get(f"/media/{task_id}/0/1.png").data
    again = kie.reopened()
    before, after = kie.view(task_id), again.view(task_id)
    again.close()
    assert after == before
    assert after["callbacks"][0]["status"] == 200 and after["downloads"][0]["complete"]


def test_a_torn_last_line_is_cut_off(kie: InProcessKie) -> None:
    task_id = kie.create()
    path = kie.data / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"fact":"created","task":{"id')
    again = kie.reopened()
    again.close()
    assert list(again.ledger.tasks) == [task_id]
    assert path.read_bytes() == whole


def test_numbers_go_on_after_a_restart(kie: InProcessKie) -> None:
    kie.create()
    kie.client.post(
        "/api/v1/jobs/createTask", json={}, headers={"Authorization": "Bearer simulator"}
    )
    again = kie.reopened()
    number = again.ledger.next_number()
    again.close()
    assert number == 3


def test_a_task_costs_its_price_until_it_fails(kie: InProcessKie) -> None:
    task_id = kie.create()
    assert kie.ledger.credits(NOON) == INITIAL_CREDITS - 5
    kie.ledger.finish(task_id, NOON, "501", "Generation Failed")
    assert kie.ledger.credits(NOON) == INITIAL_CREDITS


def test_the_moved_clock_stays_moved_after_a_restart(kie: InProcessKie) -> None:
    kie.kie.advance(3600)
    again = kie.reopened()
    again.close()
    assert again.kie.clock.now() == NOON + 3600


def test_a_closed_ledger_takes_no_more(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.close()
    ledger.refuse(1, NOON, 422, "no", None)
    assert ledger.refused == []
