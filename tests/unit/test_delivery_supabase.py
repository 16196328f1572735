"""Deliveries into a Supabase bucket, whatever is wrong with it: one stored file, and no lie."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import ConfigError
from core.generation.model import Generation, Status
from core.storage.supabase.opening import open_supabase_storage
from tests.support.media import png
from tests.support.processes import ROOT
from tests.support.supabase_storage import SupabaseStorageDouble
from tests.support.world import MEDIA, World, open_world, settings

STALL_SECONDS = 1.0
LONGEST_GAP = 400.0
TRIES = 4


def large_png(size: int) -> bytes:
    """A picture with a long comment."""
    small, text = png(), bytes(size)
    chunk = struct.pack(">I", size) + b"teXt" + text + struct.pack(">I", zlib.crc32(b"teXt" + text))
    return small[:-12] + chunk + small[-12:]


FILES = {"small": png(), "large": large_png(7 << 20)}


@contextmanager
def bucket_world(folder: Path, double: SupabaseStorageDouble, **more: Any) -> Iterator[World]:
    """A world whose files go to the double, by a client that has little patience."""
    chosen = {**double.settings, **more}
    with (
        open_supabase_storage(settings(folder, **chosen), STALL_SECONDS) as storage,
        open_world(folder, storage=storage, **chosen) as world,
    ):
        yield world


def finished(world: World, content: bytes = FILES["small"]) -> Generation:
    """A generation whose result is to be had."""
    generation = world.add_submitted(user_id="somebody")
    world.finish()
    world.media.files["/a.png"] = content
    return generation


def test_a_result_has_a_permanent_public_url(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    with bucket_world(tmp_path, supabase_storage) as world:
        delivered = world.advance(finished(world))
    (path,) = supabase_storage.objects()
    assert path.startswith(f"somebody/image/{delivered.id}_0_")
    url = f"{supabase_storage.url}/storage/v1/object/public/generations/{path}"
    assert (delivered.status, delivered.asset_url) == (Status.SUCCESS, url)
    assert supabase_storage.contents() == {path: FILES["small"]}
    assert supabase_storage.objects()[path].content_type == "image/png"
    assert httpx.get(url, trust_env=False).content == FILES["small"]


def test_of_a_private_bucket_it_is_a_url_of_ours(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    with bucket_world(tmp_path, supabase_storage, supabase_bucket_public=False) as world:
        delivered = world.advance(finished(world))
        assert delivered.status is Status.SUCCESS
        path, _, signature = (delivered.asset_url or "").partition("?sig=")
        path = path.removeprefix("http://127.0.0.1:8000/assets/")
        opened = httpx.get(world.core.storage.signed_url(path, signature) or "", trust_env=False)
    assert opened.content == FILES["small"]
    assert MEDIA not in (delivered.asset_url or "")


@pytest.mark.parametrize("size", list(FILES))
@pytest.mark.parametrize(
    ("kind", "on"),
    [
        *((kind, "POST /") for kind in ("answer", "cut", "lose_answer", "truncate", "forget")),
        *((kind, "PATCH /") for kind in ("answer", "cut", "lose_answer", "forget")),
        *((kind, "GET /object/info") for kind in ("answer", "cut", "truncate", "forget")),
        ("hang", "POST /"),
    ],
)
def test_every_fault_ends_in_one_stored_file(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble, kind: str, on: str, size: str
) -> None:
    content = FILES[size]
    with bucket_world(tmp_path, supabase_storage) as world:
        world.core.prepare_storage()
        generation = finished(world, content)
        supabase_storage.fault(kind, on, times=2)
        for _ in range(TRIES):
            row = world.advance(generation)
            assert (row.status is Status.SUCCESS) == (row.asset_url is not None)
            if row.status is Status.SUCCESS:
                break
            world.clock.advance(LONGEST_GAP)
    assert row.status is Status.SUCCESS
    assert list(supabase_storage.contents().values()) == [content]
    assert world.media.requests.count("/a.png") == 1


def test_a_limit_that_is_raised_lets_all_through(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    with bucket_world(tmp_path, supabase_storage) as world:
        world.core.prepare_storage()
        supabase_storage.buckets["generations"].file_size_limit = 100
        generation = finished(world)
        row = world.advance(generation)
        assert (row.status, row.error_code) == (Status.GENERATING, "storage.refused")
        assert "raise the file size limit" in (row.error or "")
        supabase_storage.buckets["generations"].file_size_limit = None
        world.clock.advance(LONGEST_GAP)
        assert world.advance(generation).status is Status.SUCCESS


def test_a_bucket_that_was_deleted_between_two_tries_is_made_anew(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    with bucket_world(tmp_path, supabase_storage) as world:
        world.core.prepare_storage()
        generation = finished(world)
        supabase_storage.fault("answer", "POST /object")
        assert world.advance(generation).status is Status.GENERATING
        supabase_storage.buckets.clear()
        for _ in range(2):
            world.clock.advance(LONGEST_GAP)
            row = world.advance(generation)
    assert row.status is Status.SUCCESS
    assert len(supabase_storage.objects()) == 1


def test_storage_that_is_away_at_the_start_is_a_line_in_the_log(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble, caplog: pytest.LogCaptureFixture
) -> None:
    with bucket_world(tmp_path, supabase_storage) as world:
        with supabase_storage.away():
            world.core.prepare_storage()
        assert [getattr(line, "event", "") for line in caplog.records] == ["storage.unavailable"]
        assert caplog.records[0].levelno == logging.WARNING
        assert world.advance(finished(world)).status is Status.SUCCESS


def test_a_wrong_key_at_the_start_is_an_error(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    with (
        bucket_world(tmp_path, supabase_storage, supabase_service_role_key="wrong") as world,
        pytest.raises(ConfigError, match="set SUPABASE_SERVICE_ROLE_KEY"),
    ):
        world.core.prepare_storage()


def test_who_stores_in_a_folder_does_not_load_supabase() -> None:
    """Its client takes some 60 MiB of each process."""
    look = "import core.wiring, sys; sys.exit('supabase' in sys.modules)"
    subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True)
