"""Whether callbacks have stopped, or were only unlucky."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.figures.news import LOOKED_AT, Silence, read_silence, silent_run
from core.generation.model import Channel, Generation
from tests.support.world import World


def announced(text: str) -> list[bool]:
    """Newest first: `c` came with a callback, `-` without."""
    return [letter == "c" for letter in text]


@pytest.mark.parametrize(
    ("results", "run"),
    [
        ("", 0),
        ("cccc", 0),
        ("--", 0),
        ("---", 3),  # never a callback at all
        ("--" + "c" * 100, 0),
        ("---" + "c" * 100, 3),
        ("---" + "ccc-ccc-cccc" * 8, 0),  # where one in six is lost, three in a row are a chance
        ("----" + "ccc-ccc-cccc" * 8, 4),
        ("------" + "cc-" * 40, 0),  # a third is lost: the simulator's habit
        ("-------" + "cc-" * 40, 7),
        ("c" + "-" * 50, 0),  # they came back
        ("-" * 66 + "c" + "-" * 100, 66),  # nearly all are lost: it takes many to tell
        ("-" * 65 + "c" + "-" * 100, 0),
    ],
)
def test_a_run_counts_where_it_is_no_chance(results: str, run: int) -> None:
    assert silent_run(announced(results)) == run


def deliver(world: World, via: Channel | None) -> Generation:
    world.clock.advance(60)
    return world.add(delivered_via=via, provider_completed_at=world.clock(), due_at=None)


def silence(world: World) -> Silence | None:
    with world.core.store.database.read() as connection:
        return read_silence(connection)


def test_an_empty_database_is_not_silent(world: World) -> None:
    assert silence(world) is None


def test_what_has_no_result_yet_says_nothing(world: World) -> None:
    for _ in range(5):
        deliver(world, None)
    assert silence(world) is None


def test_results_without_any_callback_are_a_silence_since_ever(world: World) -> None:
    for via in (Channel.POLL, Channel.SYNC, Channel.POLL):
        deliver(world, via)
    assert silence(world) == Silence(None, 3)


def test_a_silence_begins_with_the_last_callback(world: World) -> None:
    generation = world.add_submitted()
    world.call_back(generation, "task-1")
    last = world.clock()
    for via in [Channel.CALLBACK] * 9 + [Channel.POLL] * 4:
        deliver(world, via)
    assert silence(world) == Silence(last, 4)


def test_a_callback_ends_the_silence(world: World) -> None:
    for via in [Channel.POLL] * 9 + [Channel.CALLBACK]:
        deliver(world, via)
    assert silence(world) is None


def test_results_are_ordered_by_when_they_were_there_and_not_by_creation(world: World) -> None:
    early = world.clock() - timedelta(hours=1)
    for _ in range(4):
        deliver(world, Channel.POLL)
    world.add(delivered_via=Channel.CALLBACK, provider_completed_at=early, due_at=None)
    assert silence(world) == Silence(None, 4)


def test_only_the_newest_results_are_looked_at(world: World) -> None:
    deliver(world, Channel.CALLBACK)
    for _ in range(LOOKED_AT + 1):
        deliver(world, Channel.POLL)
    assert silence(world) == Silence(None, LOOKED_AT)
