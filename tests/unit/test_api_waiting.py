"""Slow creates and syncs wait in some of the threads, never in all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from core.generation.model import Generation
from tests.support.api import Api, open_api, told
from webhook.waiting import Waiting


@contextmanager
def hanging(
    tmp_path: Path, database_url: str
) -> Iterator[tuple[Api, ThreadPoolExecutor, threading.Event]]:
    """KIE takes a create and says nothing until the end of the block."""
    answers, heard = threading.Event(), threading.Event()

    def hang() -> None:
        heard.set()
        answers.wait(10)

    with (
        open_api(tmp_path, database_url, threads=True) as api,
        ThreadPoolExecutor(4) as pool,
    ):
        api.world.kie.on_create = hang
        try:
            yield api, pool, heard
        finally:
            answers.set()


def test_a_create_that_takes_long_is_202_and_goes_on(tmp_path: Path, database_url: str) -> None:
    with hanging(tmp_path, database_url) as (api, pool, heard):
        creating = pool.submit(api.create)
        assert heard.wait(10)
        api.waiting.end()
        response = creating.result(10)
    assert (response.status_code, response.json["taskId"]) == (202, None)
    assert len(api.world.kie.creates) == 1


def test_where_no_place_is_free_a_create_is_202_at_once(tmp_path: Path, database_url: str) -> None:
    with hanging(tmp_path, database_url) as (api, pool, heard):
        with api.waiting.turn(1), api.waiting.turn(1):
            assert pool.submit(api.create).result(10).status_code == 202
        assert heard.wait(10)  # the work goes on all the same


def test_callbacks_need_no_place(tmp_path: Path, database_url: str) -> None:
    with hanging(tmp_path, database_url) as (api, _, _):
        generation = api.world.add_submitted()
        with api.waiting.turn(1), api.waiting.turn(1):
            assert api.callback(generation, told()).status_code == 200


def test_a_create_that_somebody_else_submits_is_watched(tmp_path: Path, database_url: str) -> None:
    with hanging(tmp_path, database_url) as (api, pool, heard):
        creating = pool.submit(api.create)
        assert heard.wait(10)
        (row,) = api.world.core.queries.page().items
        api.world.core.store.generations.save_task_id(row.id, row.lease_token or "", "task-7")
        api.waiting.end()
        assert creating.result(10).json["taskId"] == "task-7"


def test_a_turn_gives_what_is_done_and_none_where_it_is_late() -> None:
    done: Future[Generation | None] = Future()
    done.set_result(None)
    waiting = Waiting(1)
    with waiting.turn(0.01) as turn:
        assert turn.result(Future()) is None
        assert turn.result(done) is None
        assert not turn.pause()


def test_a_place_is_free_again_after_its_turn() -> None:
    waiting = Waiting(1)
    with waiting.turn(1) as first, waiting.turn(1) as second:
        assert (first.has_place, second.has_place) == (True, False)
    with waiting.turn(1) as third:
        assert third.has_place


def test_ending_twice_is_ending() -> None:
    waiting = Waiting(1)
    waiting.end()
    waiting.end()
    with waiting.turn(60) as turn:
        assert not turn.pause()
