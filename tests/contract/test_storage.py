"""Permanent storage: one suite for every adapter."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from core.errors import StorageError
from core.storage.local import LocalStorage
from core.storage.port import AssetStorage

PATH = "somebody/image/g_0_abc.png"
SHARED_MEMORY = Path("/dev/shm")


class Disk(NamedTuple):
    total: int
    free: int


@dataclass
class StorageCase:
    """Storage under test, and the folder behind it."""

    storage: AssetStorage
    root: Path
    spool: Path

    def source(self, content: bytes = b"whole", folder: Path | None = None) -> Path:
        """A file to be stored."""
        file = (folder or self.spool) / "source"
        file.write_bytes(content)
        return file

    def objects(self) -> dict[str, bytes]:
        """All that is stored, by path."""
        files = [file for file in self.root.rglob("*") if file.is_file()]
        return {str(file.relative_to(self.root)): file.read_bytes() for file in files}


@pytest.fixture(params=["local"])
def case(tmp_path: Path) -> StorageCase:
    """Empty storage."""
    spool = tmp_path / "spool"
    spool.mkdir()
    storage = LocalStorage(tmp_path / "assets", "https://ours.test")
    return StorageCase(storage, tmp_path / "assets", spool)


class FarPath(type(Path())):  # type: ignore[misc]
    """A path from which nothing can be renamed, as on another file system."""

    def replace(self, target: object) -> Path:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system; where the machine has only one, one that acts like it."""
    has_two = SHARED_MEMORY.is_dir() and SHARED_MEMORY.stat().st_dev != Path("/tmp").stat().st_dev
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if has_two else None) as folder:
        yield Path(folder) if has_two else FarPath(folder)


def test_what_is_put_is_there_under_its_path(case: StorageCase) -> None:
    case.storage.put(case.source(), PATH, "image/png")
    assert (case.objects(), case.storage.size(PATH)) == ({PATH: b"whole"}, 5)


def test_a_second_put_replaces_the_first(case: StorageCase) -> None:
    case.storage.put(case.source(b"first"), PATH, "image/png")
    case.storage.put(case.source(b"second one"), PATH, "image/png")
    assert case.objects() == {PATH: b"second one"}


def test_a_file_comes_from_another_file_system(case: StorageCase, elsewhere: Path) -> None:
    case.storage.put(case.source(folder=elsewhere), PATH, "image/png")
    assert case.objects() == {PATH: b"whole"}


def test_a_missing_source_leaves_what_is_there(case: StorageCase) -> None:
    case.storage.put(case.source(), PATH, "image/png")
    with pytest.raises(StorageError):
        case.storage.put(case.spool / "missing", PATH, "image/png")
    assert case.objects() == {PATH: b"whole"}


def test_a_file_in_the_place_of_a_folder_is_an_error(case: StorageCase) -> None:
    case.root.mkdir()
    (case.root / "somebody").touch()
    source = case.source()
    with pytest.raises(StorageError) as caught:
        case.storage.put(source, PATH, "image/png")
    assert (caught.value.code, caught.value.permanent) == ("storage.unavailable", False)
    assert source.read_bytes() == b"whole"  # to be tried again
    assert case.objects() == {"somebody": b""}


def test_a_copy_that_fails_leaves_nothing_behind(case: StorageCase, elsewhere: Path) -> None:
    (case.root / PATH / "in the way").mkdir(parents=True)
    with pytest.raises(StorageError):
        case.storage.put(case.source(folder=elsewhere), PATH, "image/png")
    assert case.objects() == {}


def test_what_is_not_there_has_no_size(case: StorageCase) -> None:
    assert case.storage.size(PATH) is None


def test_a_folder_is_not_an_object(case: StorageCase) -> None:
    case.storage.put(case.source(), PATH, "image/png")
    assert case.storage.size("somebody") is None


def test_what_is_deleted_is_gone_and_may_be_deleted_again(case: StorageCase) -> None:
    case.storage.put(case.source(), PATH, "image/png")
    case.storage.delete(PATH)
    case.storage.delete(PATH)
    assert (case.objects(), case.storage.size(PATH)) == ({}, None)


def test_a_url_is_ours_and_safe(case: StorageCase) -> None:
    assert case.storage.url(PATH) == f"https://ours.test/assets/{PATH}"
    assert case.storage.url("a b/c?d#e") == "https://ours.test/assets/a%20b/c%3Fd%23e"


def test_a_check_leaves_nothing_behind(case: StorageCase) -> None:
    case.storage.check()
    assert case.objects() == {}


def test_a_check_says_that_storage_is_away(case: StorageCase) -> None:
    case.root.touch()
    with pytest.raises(StorageError):
        case.storage.check()


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "a/..", "a\0b", "./."]
)
def test_a_path_that_names_no_object_is_refused(case: StorageCase, path: str) -> None:
    source = case.source()
    for act in (
        lambda: case.storage.put(source, path, "image/png"),
        lambda: case.storage.size(path),
        lambda: case.storage.delete(path),
    ):
        with pytest.raises(StorageError):
            act()
    assert source.exists()


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
