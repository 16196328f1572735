"""Storage under test, and what is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.storage.local import LocalStorage
from core.storage.port import AssetStorage
from core.storage.supabase.opening import open_supabase_storage
from tests.support.supabase_storage import SupabaseStorageDouble
from tests.support.world import settings

PATH = "somebody/image/g_0_abc.png"
OURS = "https://ours.test"


class StorageCase(Protocol):
    """What the suite needs of a case."""

    storage: AssetStorage
    spool: Path

    def source(self, content: bytes = b"whole") -> Path:
        """A file to be stored."""
        ...

    def put(self, content: bytes = b"whole", path: str = PATH) -> None:
        """Store such a file."""
        ...

    def objects(self) -> dict[str, bytes]:
        """All that is stored, by path, seen from behind."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """Let storage be away for a while."""
        ...


@dataclass
class _Case:
    storage: AssetStorage
    spool: Path

    def source(self, content: bytes = b"whole") -> Path:
        """A file to be stored."""
        file = self.spool / "source"
        file.write_bytes(content)
        return file

    def put(self, content: bytes = b"whole", path: str = PATH) -> None:
        """Store such a file."""
        self.storage.put(self.source(content), path, "image/png")


@dataclass
class LocalCase(_Case):
    """A folder."""

    root: Path

    def objects(self) -> dict[str, bytes]:
        """All that is stored, by path."""
        files = [file for file in self.root.rglob("*") if file.is_file()]
        return {str(file.relative_to(self.root)): file.read_bytes() for file in files}

    @contextmanager
    def away(self) -> Iterator[None]:
        """A file is in its place."""
        aside = self.root.rename(self.root.with_name("aside"))
        self.root.touch()
        yield
        self.root.unlink()
        aside.rename(self.root)


@dataclass
class SupabaseCase(_Case):
    """A bucket of the double."""

    double: SupabaseStorageDouble

    def objects(self) -> dict[str, bytes]:
        """All that is stored, by path."""
        return self.double.contents()

    def away(self) -> AbstractContextManager[None]:
        """It refuses connections."""
        return self.double.away()


def local_case(folder: Path) -> LocalCase:
    """An empty folder, not yet made."""
    spool = folder / "spool"
    spool.mkdir()
    return LocalCase(LocalStorage(folder / "assets", OURS), spool, folder / "assets")


@contextmanager
def supabase_case(
    folder: Path, double: SupabaseStorageDouble, stall_seconds: float = 30.0, **overrides: Any
) -> Iterator[SupabaseCase]:
    """A bucket that is not yet made, as one process has it; `folder` is its DATA_DIR."""
    spool = folder / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    chosen = settings(folder, public_base_url=OURS, **{**double.settings, **overrides})
    with open_supabase_storage(chosen, stall_seconds) as storage:
        yield SupabaseCase(storage, spool, double)
