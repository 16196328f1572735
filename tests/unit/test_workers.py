"""The threads of a process: all that is due is done, lanes do not wait, and all can stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from core.generation.model import Channel, Generation
from core.store.claims import Lane
from core.workers import Workers
from tests.support.fake_kie import report
from tests.support.world import World

PATIENCE = 5.0  # seconds until a test fails


@pytest.fixture
def workers(world: World) -> Iterator[Workers]:
    """Threads that carry on what is due in the world."""
    made = world.core.workers(Channel.POLL)
    yield made
    assert made.stop(PATIENCE)


def eventually(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    return is_so()


class Gate:
    """Something that KIE does and that takes until the test lets it go on."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self) -> None:
        self.entered.release()
        assert self.opened.wait(PATIENCE)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """For the length of the block; then it opens."""
        try:
            yield
        finally:
            self.opened.set()

    def is_reached(self) -> bool:
        return self.entered.acquire(timeout=PATIENCE)


def finished(world: World, count: int) -> list[Generation]:
    for number in range(count):
        world.finish(f"task-{number}", f"{number}.png")
    return [world.add_submitted(f"task-{number}") for number in range(count)]


def all_delivered(world: World, rows: list[Generation]) -> bool:
    return all(world.row(row).status == "success" for row in rows)


def test_a_tick_delivers_all_that_is_due(world: World, workers: Workers) -> None:
    rows = finished(world, 30)
    workers.tick()
    assert eventually(lambda: all_delivered(world, rows))
    assert sorted(world.kie.asks) == sorted(f"task-{n}" for n in range(30))


def test_a_tick_returns_at_once_and_a_nudge_while_all_are_busy_is_kept(
    world: World, workers: Workers
) -> None:
    gate = Gate()
    world.kie.on_ask = gate
    busy = finished(world, world.core.settings.delivery_threads)
    with gate.closed():
        workers.tick()
        assert all(gate.is_reached() for _ in busy)
        world.finish("late", "late.png")
        late = world.add_submitted("late")
        workers.nudge(Lane.DELIVER)
    assert eventually(lambda: all_delivered(world, [*busy, late]))


def test_slow_creates_do_not_hold_up_deliveries(world: World, workers: Workers) -> None:
    gate = Gate()
    world.kie.on_create = gate
    slow = [world.add() for _ in range(20)]
    rows = finished(world, 5)
    with gate.closed():
        workers.tick()
        assert gate.is_reached()
        assert eventually(lambda: all_delivered(world, rows))
    assert eventually(lambda: all(world.row(row).submit_started_at for row in slow))


def test_one_generation_can_be_advanced_and_waited_for(world: World, workers: Workers) -> None:
    (row,) = finished(world, 1)
    done = workers.advance(row.id, Channel.SYNC, Lane.DELIVER).result(PATIENCE)
    assert done is not None
    assert (done.status, done.delivered_via) == ("success", "sync")


def test_what_no_callback_spoke_of_is_left_to_others(world: World) -> None:
    announced, other = finished(world, 2)
    world.call_back(announced, "task-0")
    workers = world.core.workers(Channel.CALLBACK, announced_only=True)
    workers.tick()
    assert eventually(lambda: all_delivered(world, [announced]))
    workers.stop(PATIENCE)
    assert world.kie.asks == ["task-0"]
    assert world.row(other) == other


def test_what_ended_its_workers_is_tried_alone(world: World, workers: Workers) -> None:
    gate = Gate()
    world.kie.on_ask = gate
    world.finish("bad", "bad.png")
    bad = world.add_submitted("bad", crashes=3)
    rows = finished(world, 3)
    with gate.closed():
        workers.tick()
        assert gate.is_reached()
        workers.tick()
        assert world.kie.asks == ["bad"]
    assert eventually(lambda: all_delivered(world, [bad]))
    assert eventually(lambda: all_delivered_after_ticks(world, workers, rows))


def all_delivered_after_ticks(world: World, workers: Workers, rows: list[Generation]) -> bool:
    workers.tick()
    return all_delivered(world, rows)


def test_stopping_waits_for_what_is_under_way_and_claims_nothing_more(world: World) -> None:
    workers = world.core.workers(Channel.POLL)
    gate = Gate()
    world.kie.on_ask = gate
    width = world.core.settings.delivery_threads
    rows = finished(world, width + 5)
    stopped: Future[bool] = Future()
    with gate.closed():
        workers.tick()
        assert all(gate.is_reached() for _ in range(width))
        thread = threading.Thread(target=lambda: stopped.set_result(workers.stop(PATIENCE)))
        thread.start()
        assert not stopped.done()
    assert stopped.result(PATIENCE)
    thread.join()
    assert [world.row(row).status for row in rows].count("success") == width
    assert all(world.row(row).lease_token is None for row in rows)


def test_a_step_that_cannot_be_cancelled_is_handed_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workers.CANCEL_SECONDS", 0.05)
    workers = world.core.workers(Channel.POLL)
    gate = Gate()
    world.kie.on_ask = gate
    (row,) = finished(world, 1)
    with gate.closed():
        workers.tick()
        assert gate.is_reached()
        assert not workers.stop(0.05)
        handed_back = world.row(row)
        assert (handed_back.lease_token, handed_back.due_at) == (None, world.clock())
    assert eventually(lambda: not world.core.leases.held())
    assert world.row(row).crashes == 0


def test_what_waits_for_a_thread_does_not_hold_up_stopping(world: World) -> None:
    workers = world.core.workers(Channel.POLL)
    gate = Gate()
    world.kie.on_ask = gate
    width = world.core.settings.delivery_threads
    rows = finished(world, width)
    with gate.closed():
        futures = [workers.advance(row.id, Channel.SYNC, Lane.DELIVER) for row in rows]
        assert all(gate.is_reached() for _ in futures)
        waiting = workers.advance(rows[0].id, Channel.SYNC, Lane.DELIVER)
        workers.nudge(Lane.DELIVER)
        gate.opened.set()
        assert workers.stop(PATIENCE)
    assert waiting.done()


def test_after_stopping_nothing_begins(world: World) -> None:
    workers = world.core.workers(Channel.POLL)
    assert workers.stop(PATIENCE)
    row = world.add_submitted("task-1")
    workers.tick()
    workers.nudge(Lane.DELIVER)
    assert workers.advance(row.id, Channel.SYNC, Lane.DELIVER).cancelled()
    assert world.row(row) == row


def test_an_unexpected_error_of_a_claim_is_logged(
    world: World, workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    world.clock.now = None  # type: ignore[assignment]
    workers.nudge(Lane.DELIVER)
    assert eventually(lambda: "a worker failed" in caplog.messages)


def test_a_held_generation_is_not_advanced(world: World, workers: Workers) -> None:
    (row,) = finished(world, 1)
    assert world.core.store.claims.claim(row.id, "somebody") is not None
    assert workers.advance(row.id, Channel.SYNC, Lane.DELIVER).result(PATIENCE) is None
    world.clock.advance(timedelta(seconds=61).total_seconds())
    assert workers.advance(row.id, Channel.SYNC, Lane.DELIVER).result(PATIENCE) is not None


def test_kie_is_asked_once_however_many_look(world: World, workers: Workers) -> None:
    world.kie.will_say("task-1", report())
    row = world.add_submitted("task-1")
    futures = [workers.advance(row.id, Channel.SYNC, Lane.DELIVER) for _ in range(20)]
    results = [future.result(PATIENCE) for future in futures]
    assert [result is not None for result in results].count(True) == 1
    assert world.kie.asks == ["task-1"]


def test_a_look_that_fails_does_not_end_the_looking(world: World, workers: Workers) -> None:
    rows = finished(world, 1)
    claims = world.core.store.claims
    claim, failures = claims.claim_next, [ValueError("somebody's trigger")]

    def fail_first(*args: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return claim(*args, **more)

    claims.claim_next = fail_first  # type: ignore[method-assign]
    workers.nudge(Lane.DELIVER)
    assert eventually(lambda: not failures)

    def look_again() -> bool:
        workers.nudge(Lane.DELIVER)
        return all_delivered(world, rows)

    assert eventually(look_again)
