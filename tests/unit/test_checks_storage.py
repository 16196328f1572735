"""A file on its way into storage and out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.checks.model import Check
from core.checks.run import run_checks
from core.checks.sample import Sample
from core.errors import StorageError
from core.storage.local import LocalStorage
from tests.support.checks import PUBLIC, internet, looked_at, looking, world_with
from tests.support.databases import on_sqlite
from tests.support.world import World

pytestmark = on_sqlite
BUCKET = "https://project.supabase.co/storage/v1/object/public/generations"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Everything is well, on the internet."""
    with world_with(tmp_path, database_url) as world:
        yield world


class OddStorage(LocalStorage):
    """A folder of which one method does what a test says."""

    def __init__(self, world: World, **methods: Callable[..., Any]) -> None:
        settings = world.core.settings
        super().__init__(settings.assets_dir, settings.public_base_url)
        for name, method in methods.items():
            setattr(self, name, method)


def fails(code: str = "storage.unavailable") -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise StorageError(code, "503: the bucket\nis away")

    return fail


def with_storage(site: World, answer: Any = None, **methods: Any) -> dict[str, Check]:
    storage = OddStorage(site, **methods)
    sample = Sample(storage)
    return looked_at(site, answer, changing=True, storage=storage, sample=sample)


def test_nothing_is_left_of_the_file(site: World) -> None:
    states = {name: check.state for name, check in looked_at(site, changing=True).items()}
    assert {states[f"storage_{step}"] for step in ("write", "read", "url", "delete")} == {"ok"}
    assert list(site.core.settings.assets_dir.rglob("*")) == []


def test_nothing_is_left_where_somebody_stops_in_between(site: World) -> None:
    with looking(site, internet(site)) as around:
        checks = run_checks(around, changing=True)
        while next(checks).name != "storage_write":
            pass
        assert len(list(site.core.settings.assets_dir.iterdir())) == 1
        checks.close()
    assert list(site.core.settings.assets_dir.iterdir()) == []


def test_without_storage_nothing_is_written(site: World) -> None:
    checks = with_storage(site, check=fails())
    assert checks["storage"].state == "failed"
    unknown = {name for name, check in checks.items() if check.state == "unknown"}
    assert unknown == {"storage_write", "storage_read", "storage_url", "storage_delete"}
    assert checks["storage_read"].found == "not looked at: first `storage` must be well"


def test_what_cannot_be_written_is_not_read(site: World) -> None:
    checks = with_storage(site, put=fails("storage.refused"))
    assert (checks["storage"].state, checks["storage_write"].state) == ("ok", "failed")
    assert checks["storage_write"].found == "503: the bucket is away"
    assert checks["storage_url"].found == "not looked at: first `storage_write` must be well"


@contextmanager
def _other_bytes(_path: str) -> Iterator[Iterator[bytes]]:
    yield iter([b"x" * 50, b"y" * 1000])


@pytest.mark.parametrize(
    ("method", "does", "step", "found"),
    [
        ("read", fails("storage.missing"), "read", "503"),
        ("read", _other_bytes, "read", "what was read is not what was written"),
        ("delete", fails(), "delete", "503"),
        ("delete", lambda path: None, "delete", "is still there after it was deleted"),
    ],
)
def test_a_step_that_fails_is_named(
    site: World, method: str, does: Callable[..., Any], step: str, found: str
) -> None:
    checks = with_storage(site, **{method: does})
    failed = [name for name, check in checks.items() if check.state == "failed"]
    assert failed == [f"storage_{step}"]
    assert found in checks[failed[0]].found


# Its URL


def nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectTimeout("timed out", request=request)


@pytest.mark.parametrize(
    ("answer", "state", "found"),
    [
        (lambda _: httpx.Response(404), "failed", "does not give what was stored: HTTP 404"),
        (lambda _: httpx.Response(200, content=b"x" * 9999), "failed", "HTTP 200"),
        (nobody, "warning", ": ConnectTimeout"),  # the way from outside may be open all the same
    ],
)
def test_a_file_that_does_not_open_at_its_url(
    site: World, answer: Any, state: str, found: str
) -> None:
    check = looked_at(site, internet(site, assets=answer), changing=True)["storage_url"]
    assert (check.state, check.found.endswith(found)) == (state, True)
    assert "webhook" in (check.remedy or "")


class Private(OddStorage):
    """Of a folder whose files have signed URLs."""

    def url(self, path: str) -> str:
        return f"{PUBLIC}/assets/{path}?sig=permanent"


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (403, "failed")])
def test_a_private_file_is_opened_by_its_redirect_and_no_signature_is_shown(
    site: World, status: int, state: str
) -> None:
    storage = Private(site)
    sample = Sample(storage)

    def redirect(request: httpx.Request) -> httpx.Response:
        assert request.url.query == b"sig=permanent"
        return httpx.Response(302, headers={"location": f"{BUCKET}/signed?token=ten-minutes"})

    def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(BUCKET):
            return httpx.Response(status, content=sample.content)
        return ours(request)

    ours = internet(site, assets=redirect)
    parts = {"storage": storage, "sample": sample}
    check = looked_at(site, answer, changing=True, **parts)["storage_url"]
    assert (check.state, "permanent" in check.found) == (state, False)
    assert "ten-minutes" not in check.found


def test_a_public_bucket_that_is_not_public(site: World) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400) if "supabase" in str(request.url) else ours(request)

    ours = internet(site)
    check = with_storage(site, answer, url=lambda path: f"{BUCKET}/{path}")["storage_url"]
    assert (check.state, "SUPABASE_BUCKET_PUBLIC" in (check.remedy or "")) == ("failed", True)
