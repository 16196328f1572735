"""The spool: one owner for each part, take-over after death, room, and the sweep."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

import pytest

from core.errors import LeaseLostError, MediaError
from core.media.part import LARGE_BYTES, Part, Record
from core.media.spool import Spool

GIB = 1 << 30
RECORD = Record(url_sha256="u", validator='"v1"')


@dataclass(frozen=True)
class Disk:
    total: int = 100 * GIB
    free: int = 50 * GIB


def spool_in(directory: Path, *, max_bytes: int = GIB, disk: Disk | None = None) -> Spool:
    return Spool(directory, max_bytes, disk_usage=lambda _: disk or Disk())


def leave(spool: Spool, name: str, token: str, data: bytes, record: Record = RECORD) -> Path:
    """A part as a worker leaves it that ended without discarding it."""
    with spool.open(name, token) as part:
        part.append(data)
        part.remember(record)
    return part.path


def nothing(_names: set[str]) -> set[str]:
    """None of the files is wanted any more."""
    return set()


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_new_part_is_empty_and_named_after_file_and_lease(tmp_path: Path) -> None:
    with spool_in(tmp_path).open("g_0", "lease1") as part:
        assert (part.path, part.size) == (tmp_path / "g_0.lease1.part", 0)


@pytest.mark.parametrize("bad", ["", "../a", "a.b", "a/b", "a\0", "a b", "a\n", "ä"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, bad: str) -> None:
    spool = spool_in(tmp_path)
    for name, token in ((bad, "lease"), ("g_0", bad)):
        with pytest.raises(ValueError, match="not a name"), spool.open(name, token):
            pass


def test_what_is_appended_is_on_disk_and_hashed(tmp_path: Path) -> None:
    with spool_in(tmp_path).open("g_0", "lease1") as part:
        part.append(b"abc")
        part.append(b"def")
        assert part.path.read_bytes() == b"abcdef"
        assert part.sha256 == hashlib.sha256(b"abcdef").hexdigest()


def test_the_part_of_a_dead_lease_is_taken_over_with_its_record(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "g_0", "lease1", b"abc")
    with spool.open("g_0", "lease2") as part:
        assert (part.size, part.record) == (3, RECORD)
        assert names(tmp_path) == {"g_0.lease2.part", "g_0.lease2.json"}


def test_the_same_lease_finds_its_part_again(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "g_0", "lease1", b"abc")
    with spool.open("g_0", "lease1") as part:
        assert (part.size, part.record) == (3, RECORD)


def test_a_rehashed_part_goes_on_behind_its_bytes(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "g_0", "lease1", b"abc")
    with spool.open("g_0", "lease2") as part:
        part.rehash()
        part.append(b"def")
        assert part.path.read_bytes() == b"abcdef"
        assert part.sha256 == hashlib.sha256(b"abcdef").hexdigest()


def test_of_several_dead_parts_the_largest_stays(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    with spool.open("g_0", "lease1") as first, spool.open("g_0", "lease2") as second:
        first.append(b"abc")
        second.append(b"a")
    with spool.open("g_0", "lease3") as part:
        assert (part.size, names(tmp_path)) == (3, {"g_0.lease3.part"})


def test_the_part_of_another_file_is_left_alone(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "g_10", "lease1", b"abc")
    with spool.open("g_1", "lease2") as part:
        assert part.size == 0


def test_a_part_that_is_open_is_not_taken_over(tmp_path: Path) -> None:
    with spool_in(tmp_path).open("g_0", "lease1") as first:
        first.append(b"abc")
        with spool_in(tmp_path).open("g_0", "lease2") as second:
            assert (first.path.exists(), second.size) == (True, 0)


def test_one_lease_cannot_open_its_part_twice(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    with spool.open("g_0", "lease1"), pytest.raises(LeaseLostError), spool.open("g_0", "lease1"):
        pass


HOLDER = """
    import sys
    from pathlib import Path
    from core.media.part import Record
    from core.media.spool import Spool

    with Spool(Path(sys.argv[1]), 1 << 30).open("g_0", "lease1") as part:
        part.append(b"abc")
        part.expected = 1 << 30
        part.remember(Record(url_sha256="u", validator="v"))
        print("open", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has a part open."""
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield process
        process.kill()


def test_a_part_of_a_living_process_stays_its_own(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    with spool_in(tmp_path).open("g_0", "lease2") as part:
        assert (part.size, (tmp_path / "g_0.lease1.part").read_bytes()) == (0, b"abc")


def test_a_part_of_a_killed_process_is_taken_over(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    holder.kill()
    holder.wait()
    with spool_in(tmp_path).open("g_0", "lease2") as part:
        assert (part.size, part.record.validator) == (3, "v")


def test_a_large_part_is_recorded_at_once_and_a_small_one_when_closed(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    with spool.open("small", "lease1") as small, spool.open("large", "lease1") as large:
        large.expected = LARGE_BYTES
        small.remember(RECORD)
        large.remember(RECORD)
        assert {"large.lease1.json"} == {name for name in names(tmp_path) if "json" in name}
    assert "small.lease1.json" in names(tmp_path)


@pytest.mark.parametrize("torn", [b"", b'{"validator": "v', b"[]", b'{"other": 1}', b"\xff"])
def test_a_torn_record_counts_as_none(tmp_path: Path, torn: bytes) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "g_0", "lease1", b"abc").with_suffix(".json").write_bytes(torn)
    with spool.open("g_0", "lease2") as part:
        assert part.record == Record()


def test_a_part_that_starts_over_has_no_record_any_more(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "g_0", "lease1", b"abc")
    with spool.open("g_0", "lease2") as part:
        part.restart()
        assert (part.size, names(tmp_path)) == (0, {"g_0.lease2.part"})


def test_a_discarded_part_leaves_nothing(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "g_0", "lease1", b"abc")
    with spool.open("g_0", "lease2") as part:
        part.discard()
    assert names(tmp_path) == set()


class FullFile(FileIO):
    def write(self, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class BadFile(FileIO):
    def write(self, _data: object) -> int:
        raise OSError(errno.EIO, "Input/output error")


class HastyFile(FileIO):
    """Writes three bytes at a time, as a raw file may."""

    def write(self, data: object) -> int:
        assert isinstance(data, bytes)
        return super().write(data[:3]) or 0


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[type[FileIO]], Part]:
    return lambda kind: Part(tmp_path / "g_0.lease1.part", kind(tmp_path / "g_0.lease1.part", "w"))


def test_a_full_disk_removes_the_part(
    tmp_path: Path, opened: Callable[[type[FileIO]], Part]
) -> None:
    part = opened(FullFile)
    with pytest.raises(MediaError) as caught:
        part.append(b"abc")
    part.close()
    assert (caught.value.code, names(tmp_path)) == ("disk.full", set())


def test_a_failing_disk_is_not_taken_for_a_full_one(
    opened: Callable[[type[FileIO]], Part],
) -> None:
    part = opened(BadFile)
    with pytest.raises(OSError, match="Input/output"):
        part.append(b"abc")
    part.close()


def test_a_short_write_is_finished(opened: Callable[[type[FileIO]], Part]) -> None:
    part = opened(HastyFile)
    part.append(b"abcdefgh")
    part.close()
    assert part.path.read_bytes() == b"abcdefgh"


@pytest.mark.parametrize(
    ("disk", "expected"),
    [
        (Disk(total=10 * GIB, free=GIB), 0),
        (Disk(total=10 * GIB, free=GIB + 9), 9),
        (Disk(total=100 * GIB, free=5 * GIB + 9), 9),
    ],
)
def test_a_download_starts_while_enough_of_the_disk_stays_free(
    tmp_path: Path, disk: Disk, expected: int
) -> None:
    spool = spool_in(tmp_path, disk=disk)
    with spool.open("g_0", "lease1") as part:
        spool.make_room(part, expected)
        with pytest.raises(MediaError) as caught:
            spool.make_room(part, expected + 1)
    assert caught.value.code == "disk.full"


def test_the_spool_is_full_when_all_parts_together_reach_its_limit(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, max_bytes=100)
    leave(spool, "g_0", "lease1", bytes(60), Record())
    with spool.open("g_1", "lease1") as part:
        spool.make_room(part, 40)
        with pytest.raises(MediaError) as caught:
            spool.make_room(part, 41)
    assert caught.value.code == "spool.full"


def test_room_is_set_aside_for_bytes_still_to_come(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, max_bytes=100)
    with spool.open("g_0", "lease1") as first, spool.open("g_1", "lease1") as second:
        spool.make_room(first, 60)
        first.append(bytes(10))
        with pytest.raises(MediaError):
            spool.make_room(second, 41)
        spool.make_room(second, 40)


def test_room_set_aside_is_given_back_at_close(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, max_bytes=100)
    with spool.open("g_0", "lease1") as first:
        spool.make_room(first, 100)
    with spool.open("g_1", "lease1") as second:
        spool.make_room(second, 100)


HOUR, WEEK = 3600.0, 7 * 86_400.0


def whole(spool: Spool, name: str, size: int, dies_at: float | None) -> Path:
    """A whole file that waits for storage."""
    return leave(spool, name, "lease1", b"x" * size, Record(sha256="s", dies_at=dies_at))


def spool_at_epoch(directory: Path, max_bytes: int) -> Spool:
    """One whose clock stands at 0."""
    return Spool(directory, max_bytes, lambda _: Disk(), clock=lambda: 0.0)


def parts(directory: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in directory.glob("*.part")}


def test_what_is_about_to_die_takes_the_room_of_what_lives_longest(tmp_path: Path) -> None:
    spool = spool_at_epoch(tmp_path, 1000)
    for name, dies_at in (("week", WEEK), ("longer", WEEK + 1), ("day", 86_400.0)):
        whole(spool, name, 200, dies_at)
    with spool.open("dying", "lease1") as part:
        part.dies_at = HOUR
        spool.make_room(part, 250)
    assert parts(tmp_path) == {"dying", "day", "week"}


@pytest.mark.parametrize(
    ("dies_at", "others", "expected"),
    [
        (None, [WEEK], 400),  # nobody knows that it dies
        (WEEK, [2 * WEEK], 400),  # there is time
        (HOUR, [86_400.0 + HOUR - 1], 400),  # the other one is hardly better off
        (HOUR, [None], 400),  # nor may one go of which nobody knows
        (HOUR, [WEEK, WEEK], 1001),  # it would be in vain
    ],
)
def test_nothing_else_makes_way(
    tmp_path: Path, dies_at: float | None, others: list[float | None], expected: int
) -> None:
    spool = spool_at_epoch(tmp_path, 1000)
    for number, other in enumerate(others):
        whole(spool, f"g_{number}", 800 // len(others), other)
    with spool.open("new", "lease1") as part:
        part.dies_at = dies_at
        with pytest.raises(MediaError) as caught:
            spool.make_room(part, expected)
    assert caught.value.code == "spool.full"
    assert len(parts(tmp_path)) == len(others) + 1


def refused(spool: Spool, name: str, size: int, dies_at: float) -> Path:
    """A whole file that storage does not take."""
    record = Record(sha256="s", dies_at=dies_at, refused=True)
    return leave(spool, name, "lease1", b"x" * size, record)


def test_what_storage_refuses_makes_way_for_what_is_new(tmp_path: Path) -> None:
    spool = spool_at_epoch(tmp_path, 1000)
    whole(spool, "waiting", 400, 2 * WEEK)
    refused(spool, "refused", 400, WEEK)
    with spool.open("new", "lease1") as part:
        part.dies_at, part.is_first = 2 * WEEK, True
        spool.make_room(part, 300)
    assert parts(tmp_path) == {"new", "waiting"}


@pytest.mark.parametrize(
    ("is_first", "dies_at"),
    [
        (False, WEEK),  # it may be one that is refused itself: they would chase each other away
        (True, 86_400.0),  # soon KIE has it no more
    ],
)
def test_nor_does_what_is_refused_always(tmp_path: Path, is_first: bool, dies_at: float) -> None:
    spool = spool_at_epoch(tmp_path, 1000)
    refused(spool, "refused", 800, dies_at)
    with spool.open("new", "lease1") as part:
        part.dies_at, part.is_first = 2 * WEEK, is_first
        with pytest.raises(MediaError):
            spool.make_room(part, 300)
    assert "refused" in parts(tmp_path)


def test_what_cannot_go_is_not_counted_on(tmp_path: Path) -> None:
    elsewhere = spool_at_epoch(tmp_path, 1000)
    whole(elsewhere, "held", 400, WEEK + 1)
    whole(elsewhere, "free", 400, WEEK)
    spool = spool_at_epoch(tmp_path, 1000)
    with elsewhere.open("held", "lease2"), spool.open("dying", "lease1") as part:
        part.dies_at = HOUR
        spool.make_room(part, 400)
        with pytest.raises(MediaError):  # and in vain nothing goes
            spool.make_room(part, 900)
    assert parts(tmp_path) == {"held", "dying"}


def test_what_is_just_being_stored_does_not_make_way(tmp_path: Path) -> None:
    spool = spool_at_epoch(tmp_path, 1000)
    whole(spool, "g_0", 800, WEEK)
    with spool.open("g_0", "lease2"), spool.open("new", "lease1") as part:
        part.dies_at = HOUR
        with pytest.raises(MediaError):
            spool.make_room(part, 400)
    assert "g_0" in parts(tmp_path)


def test_what_another_process_is_just_storing_does_not_make_way(tmp_path: Path) -> None:
    whole(spool_at_epoch(tmp_path, 1000), "g_0", 800, WEEK)
    with spool_at_epoch(tmp_path, 1000).open("g_0", "lease2"):
        spool = spool_at_epoch(tmp_path, 1000)
        with spool.open("new", "lease1") as part:
            part.dies_at = HOUR
            with pytest.raises(MediaError):
                spool.make_room(part, 400)
    assert "g_0" in parts(tmp_path)


def test_the_sweep_leaves_what_is_still_to_be_stored(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    for name in ("wanted", "stored"):
        leave(spool, name, "lease1", b"abc")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert spool.sweep(timedelta(hours=1), tomorrow, lambda names: names - {"stored"}) == 1
    assert names(tmp_path) == {"wanted.lease1.part", "wanted.lease1.json"}


def test_the_sweep_removes_what_is_old_and_not_open(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "old", "lease1", b"abc")
    (tmp_path / "lost.lease1.json").write_text("{}")
    with spool.open("open", "lease1"):
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert spool.sweep(timedelta(hours=1), tomorrow, nothing) == 1
        assert names(tmp_path) == {"open.lease1.part"}


def test_the_sweep_leaves_what_is_young(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    leave(spool, "young", "lease1", b"abc")
    assert spool.sweep(timedelta(hours=1), datetime.now(UTC), nothing) == 0
    assert names(tmp_path) == {"young.lease1.part", "young.lease1.json"}
