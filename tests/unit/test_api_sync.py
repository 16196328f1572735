"""`GET /api/kie/sync`: look now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.generation.model import Generation
from core.kie.report import AskFailed, NotNow
from core.store.claims import Lane
from core.store.tables import generations
from tests.support.api import Api, code_of, open_api
from tests.support.fake_kie import report


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


def sync(api: Api, generation: Generation) -> Any:
    response = api.client.get("/api/kie/sync", query_string={"id": generation.id})
    assert response.status_code == 200
    return response.json


def submitted(api: Api, **fields: Any) -> Generation:
    """A generation that is not due for an hour."""
    return api.world.add_submitted(**{"due_at": api.world.clock() + timedelta(hours=1), **fields})


@pytest.mark.parametrize("name", ["id", "taskId"])
def test_a_finished_task_is_delivered_while_one_waits(api: Api, name: str) -> None:
    generation = submitted(api)
    api.world.finish()
    which = {"id": generation.id, "taskId": "task-1"}[name]
    answer = api.client.get("/api/kie/sync", query_string={name: which}).json
    assert (answer["status"], answer["deliveredVia"]) == ("success", "sync")
    assert answer["deliveredAt"] == "2026-11-22T12:00:00.000Z"
    assert [asset["position"] for asset in answer["assets"]] == [0]


def test_a_task_in_progress_is_asked_about_and_shown(api: Api) -> None:
    generation = submitted(api)
    api.world.kie.will_say("task-1", report(progress=40))
    answer = sync(api, generation)
    assert (answer["status"], answer["providerState"], answer["progress"]) == (
        "generating",
        "generating",
        40,
    )


def test_kie_is_asked_at_most_once_in_two_seconds(api: Api) -> None:
    generation = submitted(api)
    api.world.kie.will_say("task-1", report())
    asked = []
    for seconds in (0, 1, 0.9, 0.1):
        api.world.clock.advance(seconds)
        sync(api, generation)
        asked.append(len(api.world.kie.asks))
    assert asked == [1, 1, 1, 2]


def test_a_delivered_generation_answers_from_the_row(api: Api) -> None:
    generation = submitted(api)
    api.world.finish()
    sync(api, generation)
    api.world.clock.advance(3600)
    assert sync(api, generation)["status"] == "success"
    assert len(api.world.kie.asks) == 1


def test_kies_own_failure_answers_from_the_row(api: Api) -> None:
    generation = submitted(api)
    api.world.kie.will_say("task-1", report(state="fail", fail_code="500", fail_message="no"))
    sync(api, generation)
    api.world.clock.advance(3600)
    assert sync(api, generation)["error"] == {"code": "provider.failed", "message": "500: no"}
    assert len(api.world.kie.asks) == 1


def test_a_giving_up_is_asked_about_again(api: Api) -> None:
    generation = submitted(api)
    api.world.kie.will_say("task-1", report())
    api.world.clock.advance(25 * 3600)
    assert sync(api, generation)["error"]["code"] == "provider.timeout"
    api.world.finish()
    api.world.clock.advance(2)
    assert sync(api, generation)["status"] == "success"


def test_a_failed_ask_changes_nothing_but_says_why(api: Api) -> None:
    generation = submitted(api)
    api.world.clock.advance(600)
    api.world.kie.will_say("task-1", AskFailed("kie.unauthorized", "401"))
    answer = sync(api, generation)
    assert (answer["status"], answer["error"]["code"]) == ("queued", "kie.unauthorized")


def test_a_due_submission_goes_to_its_own_lane(api: Api) -> None:
    generation = api.world.add()
    assert sync(api, generation)["taskId"] == "task-1"
    assert api.workers.lanes == [Lane.SUBMIT]


def test_a_submission_that_kie_put_off_is_not_hurried(api: Api) -> None:
    api.world.kie.create_script = [NotNow("kie.rate_limited", "slow down", retry_after=30)]
    generation = api.world.add()
    sync(api, generation)
    sync(api, generation)
    assert len(api.world.kie.creates) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"id": "a", "taskId": "b"},
        {"id": ""},
        {"taskId": "t" * 129},
        {"other": "x"},
        {"id": ["a", "b"]},
    ],
)
def test_a_query_that_names_no_one_generation_is_400(api: Api, query: dict[str, Any]) -> None:
    response = api.client.get("/api/kie/sync", query_string=query)
    assert code_of(response) == (400, "query.invalid")


@pytest.mark.parametrize("query", [{"id": "nobody"}, {"taskId": "nothing"}])
def test_an_unknown_one_is_404(api: Api, query: dict[str, str]) -> None:
    response = api.client.get("/api/kie/sync", query_string=query)
    assert code_of(response) == (404, "generation.not_found")


def test_with_the_database_away_it_is_503(api: Api) -> None:
    api.lose_database()
    response = api.client.get("/api/kie/sync", query_string={"id": "x"})
    assert code_of(response) == (503, "store.unavailable")


def test_many_at_once_ask_kie_once(tmp_path: Path, database_url: str) -> None:
    with (
        open_api(tmp_path, database_url, threads=True) as api,
        ThreadPoolExecutor(8) as pool,
    ):
        generation = submitted(api)
        api.world.finish()
        answers = list(pool.map(lambda _: sync(api, generation), range(16)))
    assert api.world.kie.asks == ["task-1"]
    assert "success" in {answer["status"] for answer in answers}


def test_while_one_waits_for_the_database_another_is_answered(
    tmp_path: Path, database_url: str
) -> None:
    with (
        open_api(tmp_path, database_url, threads=True) as api,
        ThreadPoolExecutor(2) as pool,
    ):
        delivered = submitted(api)
        api.world.finish()
        sync(api, delivered)
        open_one = submitted(api, task_id="task-2")
        with api.world.core.store.database.write() as connection:  # somebody has the row
            mine = sa.select(generations.c.id).where(generations.c.id == open_one.id)
            connection.execute(mine.with_for_update())
            waiting = pool.submit(sync, api, open_one)
            assert pool.submit(sync, api, delivered).result(2)["status"] == "success"
            assert not waiting.done()
        assert waiting.result(10)["taskId"] == "task-2"


def test_a_held_lease_is_waited_for(tmp_path: Path, database_url: str) -> None:
    with (
        open_api(tmp_path, database_url, threads=True) as api,
        ThreadPoolExecutor(1) as pool,
    ):
        generation = submitted(api, due_at=api.world.clock())
        claims = api.world.core.store.claims
        claims.claim(generation.id, "somebody")
        api.world.finish()
        waiting = pool.submit(sync, api, generation)
        claims.hand_back(generation.id, "somebody", after=timedelta())
        assert waiting.result(10)["status"] == "success"


def test_where_nobody_may_wait_any_longer_the_row_is_shown_as_it_is(
    tmp_path: Path, database_url: str
) -> None:
    with open_api(tmp_path, database_url, threads=True) as api:
        generation = submitted(api)
        entered, answered = threading.Event(), threading.Event()

        def hang() -> None:
            entered.set()
            answered.wait(10)

        api.world.kie.on_ask = hang
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(sync, api, generation)
            entered.wait(10)
            api.waiting.end()
            answer = waiting.result(10)
            answered.set()
    assert answer["status"] == "queued"
