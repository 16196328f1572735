"""The server's time is told without asking, and asked for again before it can be wrong."""

from __future__ import annotations

from datetime import timedelta

from core.store.server_clock import PROMPT_SECONDS, READ_EVERY_SECONDS, ServerClock
from tests.support.clock import NOON


class Uptime:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def read(clock: ServerClock, uptime: Uptime, told: timedelta, *, took: float = 0.0) -> None:
    def ask() -> object:
        uptime.seconds += took
        return NOON + told

    clock.set(ask)  # type: ignore[arg-type]


def test_before_it_was_read_it_tells_nothing() -> None:
    clock = ServerClock(Uptime(), Uptime())
    assert clock.now() is None
    assert clock.is_stale


def test_it_goes_on_by_itself() -> None:
    uptime = Uptime()
    clock = ServerClock(uptime, uptime)
    read(clock, uptime, timedelta(0))
    uptime.seconds += 5
    assert clock.now() == NOON + timedelta(seconds=5)
    assert not clock.is_stale


def test_it_is_read_again_after_a_while() -> None:
    uptime = Uptime()
    clock = ServerClock(uptime, uptime)
    read(clock, uptime, timedelta(0))
    uptime.seconds += READ_EVERY_SECONDS + 1
    assert clock.is_stale
    read(clock, uptime, timedelta(minutes=3))
    assert clock.now() == NOON + timedelta(minutes=3)


def test_what_was_told_was_true_half_way() -> None:
    uptime = Uptime()
    clock = ServerClock(uptime, uptime)
    read(clock, uptime, timedelta(0), took=0.2)
    assert clock.now() == NOON + timedelta(seconds=0.1)


def test_an_answer_that_was_slow_does_not_replace_a_prompt_one() -> None:
    uptime = Uptime()
    clock = ServerClock(uptime, uptime)
    read(clock, uptime, timedelta(0))
    uptime.seconds += READ_EVERY_SECONDS + 1
    before = clock.now()
    read(clock, uptime, timedelta(hours=1), took=PROMPT_SECONDS + 1)
    assert clock.now() == before + timedelta(seconds=PROMPT_SECONDS + 1)  # type: ignore[operator]
    assert clock.is_stale


def test_a_first_answer_counts_however_slow_it_was() -> None:
    uptime = Uptime()
    clock = ServerClock(uptime, uptime)
    read(clock, uptime, timedelta(0), took=4)
    assert clock.now() == NOON + timedelta(seconds=2)


def test_it_is_read_again_after_the_machine_was_paused() -> None:
    uptime, wall = Uptime(), Uptime()
    clock = ServerClock(uptime, wall)
    read(clock, uptime, timedelta(0))
    assert not clock.is_stale
    wall.seconds += 40  # put right by the host, while the guest's uptime stood still
    assert clock.is_stale
