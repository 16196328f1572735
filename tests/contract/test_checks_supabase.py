"""The checks of storage over a bucket of the double."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.checks.model import Check
from tests.support.checks import internet, looked_at, world_with
from tests.support.supabase_storage.double import SupabaseStorageDouble
from tests.support.world import World

STEPS = ("write", "read", "url", "delete")


@contextmanager
def site(tmp_path: Path, double: SupabaseStorageDouble, **settings: Any) -> Iterator[World]:
    tmp_path.mkdir(exist_ok=True)
    chosen = {"asset_url_secret": "f0e1d2c3b4a5968778695a4b3c2d1e0f", **double.settings, **settings}
    with world_with(tmp_path, "", **chosen) as world:
        yield world


def checks_of(world: World, double: SupabaseStorageDouble) -> dict[str, Check]:
    def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(double.url):
            return httpx.get(request.url)
        return ours(request)

    ours = internet(world)
    return looked_at(world, answer, changing=True)


def states(checks: dict[str, Check]) -> list[str]:
    return [str(checks[f"storage_{step}"].state) for step in STEPS]


@pytest.mark.parametrize("is_public", [True, False])
def test_a_file_goes_into_a_new_bucket_and_out_again(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble, is_public: bool
) -> None:
    with site(tmp_path, supabase_storage, supabase_bucket_public=is_public) as world:
        checks = checks_of(world, supabase_storage)
    assert states(checks) == ["ok"] * 4
    where = supabase_storage.url if is_public else "https://kie.example.org/assets/"
    assert checks["storage_url"].found.startswith(where)
    assert supabase_storage.contents() == {}


def test_the_key_of_another_project_opens_nothing(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    supabase_storage.change_key("another")
    with site(tmp_path, supabase_storage) as world:
        checks = checks_of(world, supabase_storage)
    assert (checks["storage"].state, states(checks)) == ("failed", ["unknown"] * 4)
    assert "SUPABASE_SERVICE_ROLE_KEY" in checks["storage"].found
    assert supabase_storage.key not in str(checks)


def test_a_bucket_of_the_other_kind_is_told(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    with site(tmp_path / "a", supabase_storage) as world:
        checks_of(world, supabase_storage)
    with site(tmp_path / "b", supabase_storage, supabase_bucket_public=False) as world:
        check = checks_of(world, supabase_storage)["storage"]
    assert (check.state, "SUPABASE_BUCKET_PUBLIC=false" in check.found) == ("failed", True)


def test_a_limit_of_the_bucket_is_told(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    supabase_storage.limit(10)
    with site(tmp_path, supabase_storage) as world:
        check = checks_of(world, supabase_storage)["storage_write"]
    assert (check.state, "every type and size" in (check.remedy or "")) == ("failed", True)


def test_away_is_a_finding(tmp_path: Path, supabase_storage: SupabaseStorageDouble) -> None:
    with site(tmp_path, supabase_storage) as world, supabase_storage.away():
        checks = checks_of(world, supabase_storage)
    assert (checks["storage"].state, checks["poller"].state) == ("failed", "ok")
