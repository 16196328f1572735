"""Permanent storage in a folder: what only a folder can meet."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from core.errors import StorageError
from core.storage.local import LocalStorage
from tests.contract.storage_cases import PATH, LocalCase, local_case

SHARED_MEMORY = Path("/dev/shm")


class Disk(NamedTuple):
    total: int
    free: int


class FarPath(type(Path())):  # type: ignore[misc]
    """A path from which nothing can be renamed, as on another file system."""

    def replace(self, target: object) -> Path:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


@pytest.fixture
def case(tmp_path: Path) -> LocalCase:
    """An empty folder."""
    return local_case(tmp_path)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system; where the machine has only one, one that acts like it."""
    has_two = SHARED_MEMORY.is_dir() and SHARED_MEMORY.stat().st_dev != Path("/tmp").stat().st_dev
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if has_two else None) as folder:
        yield Path(folder) if has_two else FarPath(folder)


def put_from(folder: Path, case: LocalCase) -> None:
    source = folder / "source"
    source.write_bytes(b"whole")
    case.storage.put(source, PATH, "image/png")


def test_a_file_comes_from_another_file_system(case: LocalCase, elsewhere: Path) -> None:
    put_from(elsewhere, case)
    assert case.objects() == {PATH: b"whole"}


def test_a_file_in_the_place_of_a_folder_is_an_error(case: LocalCase) -> None:
    case.root.mkdir()
    (case.root / "somebody").touch()
    source = case.source()
    with pytest.raises(StorageError) as caught:
        case.storage.put(source, PATH, "image/png")
    assert (caught.value.code, caught.value.permanent) == ("storage.unavailable", False)
    assert source.read_bytes() == b"whole"  # to be tried again
    assert case.objects() == {"somebody": b""}


def test_a_copy_that_fails_leaves_nothing_behind(case: LocalCase, elsewhere: Path) -> None:
    (case.root / PATH / "in the way").mkdir(parents=True)
    with pytest.raises(StorageError):
        put_from(elsewhere, case)
    assert case.objects() == {}


def test_a_url_is_ours(case: LocalCase) -> None:
    assert case.storage.url(PATH) == f"https://ours.test/assets/{PATH}"


def test_nothing_here_is_private(case: LocalCase) -> None:
    assert case.storage.signed_url(PATH, "any") is None


def test_what_a_killed_process_left_is_swept_once_it_is_old(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path, "https://ours.test")
    (tmp_path / "u/image").mkdir(parents=True)
    for name in ("u/image/a.png.0123.storing", "check-0123.storing", "u/image/a.png"):
        (tmp_path / name).touch()
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert storage.sweep(hour, now) == 0
    assert storage.sweep(hour, now + 2 * hour) == 2
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.png"]


def test_what_is_being_written_is_not_listed(case: LocalCase) -> None:
    case.put()
    (case.root / "b.png.0123.storing").touch()
    assert [item.path for item in case.storage.objects()] == [PATH]


def test_storage_that_is_not_there_yet_is_swept(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "assets", "https://ours.test")
    assert storage.sweep(timedelta(), datetime.now(UTC)) == 0


@pytest.mark.parametrize("disk", [Disk(1 << 40, 1 << 35), Disk(1 << 33, (1 << 30) + 4)])
def test_a_copy_to_a_disk_that_would_be_too_full_is_refused(
    tmp_path: Path, elsewhere: Path, disk: Disk
) -> None:
    storage = LocalStorage(tmp_path, "https://ours.test", disk_usage=lambda _: disk)
    (elsewhere / "source").write_bytes(b"whole")
    with pytest.raises(StorageError, match="disk full") as caught:
        storage.put(elsewhere / "source", PATH, "image/png")
    assert caught.value.code == "storage.unavailable"
    assert (elsewhere / "source").exists()


def test_within_one_file_system_no_room_is_needed(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path, "https://ours.test", disk_usage=lambda _: Disk(1 << 40, 0))
    (tmp_path / "source").write_bytes(b"whole")
    storage.put(tmp_path / "source", PATH, "image/png")
    assert storage.size(PATH) == 5
