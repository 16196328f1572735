"""Storage away for an hour, and back: nothing lost, nothing fetched twice, the spool bounded."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import StorageError
from core.generation.model import Channel, Generation, Status
from core.ids import new_token
from core.store.claims import Lane
from tests.support.fake_kie import report
from tests.support.media import png
from tests.support.storage import AWAY, RemoteStorage
from tests.support.world import MEDIA, World, open_world

STEP_SECONDS = 150
HOUR = 3600
ORPHANS_AFTER = timedelta(hours=1)
LONGEST_GAP = 300  # POLL_MAX_SECONDS
FILE_BYTES = 16_000


@pytest.fixture
def storage(tmp_path: Path) -> RemoteStorage:
    return RemoteStorage(tmp_path / "bucket")


@pytest.fixture
def world(tmp_path: Path, database_url: str, storage: RemoteStorage) -> Iterator[World]:
    with open_world(tmp_path, database_url, storage=storage) as opened:
        opened.clock.now = datetime.now(UTC)  # files in the spool have real times
        yield opened


def finished(world: World, number: int, *, ago: timedelta = timedelta()) -> Generation:
    """A generation that KIE has finished; KIE keeps its file, which is its own, for 14 days."""
    task_id, path = f"task-{number}", f"/{number}.png"
    world.media.files[path] = png(number) + bytes(FILE_BYTES)
    said = report(task_id, "success", urls=[MEDIA + path], completed_at=world.clock() - ago)
    world.kie.will_say(task_id, said)
    return world.add_submitted(task_id)


def tick(world: World, token: Callable[[], str] = new_token) -> list[str]:
    """What the poller does once: works off all that is due; the ids in their order."""
    worked_on = []
    while claimed := world.core.store.claims.claim_next(Lane.DELIVER, token()):
        world.core.delivery.run(claimed, Channel.POLL)
        worked_on.append(claimed.id)
    return worked_on


def pass_time(world: World, seconds: float) -> None:
    """The poller at work, its sweep included."""
    for _ in range(round(seconds / STEP_SECONDS)):
        world.clock.advance(STEP_SECONDS)
        tick(world)
        world.core.sweep_spool(ORPHANS_AFTER)


def spooled(world: World) -> int:
    """Bytes in the spool."""
    return sum(file.stat().st_size for file in (world.core.settings.data_dir / "spool").iterdir())


def all_are(world: World, generations: list[Generation], status: Status) -> bool:
    return {world.row(generation).status for generation in generations} == {status}


@pytest.mark.parametrize(
    "error",
    [
        AWAY,
        StorageError("storage.unavailable", "storage.test: 503 Service Unavailable"),
        StorageError("storage.refused", "storage.test: signature verification failed"),
    ],
)
def test_after_an_hour_without_storage_all_is_delivered_and_fetched_once(
    world: World, storage: RemoteStorage, error: StorageError
) -> None:
    storage.error = error
    generations = []
    for number in range(12):
        generations.append(finished(world, number))
        pass_time(world, HOUR / 12)
    pass_time(world, 2 * HOUR)  # and longer, until the sweep would have taken all of them
    assert all_are(world, generations, Status.GENERATING)
    assert {world.row(each).error_code for each in generations} == {error.code}
    storage.error = None
    pass_time(world, LONGEST_GAP + STEP_SECONDS)
    assert all_are(world, generations, Status.SUCCESS)
    assert sorted(world.media.requests) == sorted(set(world.media.requests))
    assert len(storage.puts) == len(generations)
    assert spooled(world) == 0


def test_the_timeline_of_a_long_outage_stays_short(world: World, storage: RemoteStorage) -> None:
    storage.error = AWAY
    generation = finished(world, 0)
    pass_time(world, 3 * HOUR)
    assert len(world.events(generation)) < 15


def test_the_spool_stays_within_its_bound_and_the_rest_waits_at_kie(
    tmp_path: Path, database_url: str, storage: RemoteStorage
) -> None:
    room = 5 * (FILE_BYTES + 1000)
    with open_world(tmp_path, database_url, storage=storage, spool_max_bytes=room) as world:
        world.clock.now = datetime.now(UTC)
        storage.error = AWAY
        generations = [finished(world, number) for number in range(12)]
        for _ in range(24):
            pass_time(world, STEP_SECONDS)
            assert spooled(world) <= room
        codes = [world.row(each).error_code for each in generations]
        assert (codes.count("storage.unavailable"), codes.count("spool.full")) == (5, 7)
        storage.error = None
        pass_time(world, LONGEST_GAP + STEP_SECONDS)
        assert all_are(world, generations, Status.SUCCESS)


def test_what_dies_soon_is_brought_here_though_the_spool_is_full(
    tmp_path: Path, database_url: str, storage: RemoteStorage
) -> None:
    room = 5 * (FILE_BYTES + 1000)
    with open_world(tmp_path, database_url, storage=storage, spool_max_bytes=room) as world:
        world.clock.now = datetime.now(UTC)
        storage.error = AWAY
        others = [finished(world, number) for number in range(6)]
        pass_time(world, 600)
        dying = finished(world, 99, ago=timedelta(days=13, hours=23))
        pass_time(world, STEP_SECONDS)
        del world.media.files["/99.png"]  # and so it dies
        pass_time(world, HOUR)
        assert spooled(world) <= room
        storage.error = None
        pass_time(world, LONGEST_GAP + STEP_SECONDS)
        assert all_are(world, [dying, *others], Status.SUCCESS)


def test_of_all_that_waits_what_dies_first_is_stored_first(
    world: World, storage: RemoteStorage
) -> None:
    storage.error = AWAY
    ages = [5, 11, 2, 13, 7, 9]
    by_age = {age: finished(world, age, ago=timedelta(days=age)).id for age in ages}
    tick(world)
    storage.error = None
    world.clock.advance(LONGEST_GAP)
    numbers = itertools.count()
    order = tick(world, lambda: f"{next(numbers):x}1")  # odd: the turn of what dies first
    assert order == [by_age[age] for age in sorted(ages, reverse=True)]


def test_a_cut_between_put_and_save_costs_no_second_upload(
    world: World, storage: RemoteStorage
) -> None:
    generation = finished(world, 0)

    def put_and_vanish(*arguments: object) -> None:
        RemoteStorage.put(storage, *arguments)  # type: ignore[arg-type]
        storage.error = AWAY

    storage.put = put_and_vanish  # type: ignore[method-assign]
    tick(world)
    assert world.row(generation).status is Status.GENERATING
    storage.error = None
    pass_time(world, LONGEST_GAP)
    assert world.row(generation).status is Status.SUCCESS
    assert (len(storage.puts), world.media.requests) == (1, ["/0.png"])


def test_what_that_left_in_the_spool_is_swept(world: World, storage: RemoteStorage) -> None:
    test_a_cut_between_put_and_save_costs_no_second_upload(world, storage)
    assert spooled(world) > 0
    pass_time(world, HOUR + 2 * STEP_SECONDS)
    assert spooled(world) == 0


def test_a_kill_during_a_put_costs_no_file_though_kie_has_it_no_more(
    world: World, storage: RemoteStorage
) -> None:
    storage.error = AWAY
    generation = finished(world, 0)
    tick(world)
    for record in (world.core.settings.data_dir / "spool").glob("*.json"):
        record.unlink()  # of a small file it is written last of all
    world.media.files.clear()
    storage.error = None
    pass_time(world, LONGEST_GAP)
    assert world.row(generation).status is Status.SUCCESS


def test_a_stop_during_the_outage_leaves_whole_files_for_the_next_process(
    tmp_path: Path, database_url: str, storage: RemoteStorage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with open_world(tmp_path, database_url, storage=storage) as world:
        world.clock.now = datetime.now(UTC)
        storage.error = AWAY
        generation = finished(world, 0)
        tick(world)
    storage.error = None
    with open_world(tmp_path, database_url, storage=storage) as after:
        after.clock.now = world.clock() + timedelta(hours=5)  # nobody was there for hours
        after.core.sweep_spool(ORPHANS_AFTER)
        tick(after)
        assert after.row(generation).status is Status.SUCCESS
        assert after.media.requests == []
