"""A bucket to measure with: the double of Supabase Storage, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.processes import free_port, python, running, wait_for_port
from tests.support.supabase_storage import SupabaseStorageDouble


@contextmanager
def bucket(folder: Path) -> Iterator[Mapping[str, str]]:
    """The settings that lead there; what is stored is in a folder."""
    folder.mkdir()
    port = free_port()
    module = python("tests.support.supabase_storage", "--data", str(folder), "--port", str(port))
    with running(module, folder, {}):
        wait_for_port(port)
        yield {
            "SUPABASE_URL": f"http://127.0.0.1:{port}",
            "SUPABASE_SERVICE_ROLE_KEY": SupabaseStorageDouble.key,
        }
