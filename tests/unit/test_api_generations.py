"""`/api/generations`: one, pages, and deleting for good."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.generation.model import Channel, Generation
from core.storage.local import LocalStorage
from tests.support.api import Api, code_of, open_api, told
from tests.support.storage import RemoteStorage


class Killed(BaseException):
    """The process ends here: nothing of ours may handle it."""


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


def delivered(api: Api, **fields: Any) -> Generation:
    generation = api.world.add_submitted(**fields)
    api.world.finish(generation.task_id or "", "a.png", "b.png")
    return api.world.advance(generation)


def listed(api: Api, **query: Any) -> Any:
    return api.client.get("/api/generations", query_string=query).json


FIELDS = {
    *("id", "taskId", "provider", "family", "model", "kind", "userId", "status", "providerState"),
    *("progress", "prompt", "assetUrl", "previewUrl", "resultUrls", "assets", "error"),
    *("creditsConsumed", "attempts", "createdAt", "updatedAt", "deliveredAt", "deliveredVia"),
}
ASSET_FIELDS = {"position", "role", "url", "path", "contentType", "sizeBytes", "sha256"}


def test_a_generation_has_these_fields(api: Api) -> None:
    generation = delivered(api, user_id="u1")
    shown = api.client.get(f"/api/generations/{generation.id}").json
    assert set(shown) == FIELDS
    asset = shown["assets"][0]
    assert set(asset) == ASSET_FIELDS
    assert shown["assetUrl"] == asset["url"]


def test_only_stored_files_are_listed(api: Api) -> None:
    generation = api.world.add_submitted()
    api.world.finish("task-1", "a.png", "b.png")
    del api.world.media.files["/b.png"]
    api.world.advance(generation)
    shown = api.client.get(f"/api/generations/{generation.id}").json
    assert [asset["position"] for asset in shown["assets"]] == [0]
    assert (shown["deliveredAt"], shown["deliveredVia"]) == (None, None)


@pytest.mark.parametrize(("amount", "shown"), [("5", 5), ("0.25", 0.25), (None, None)])
def test_credits_are_a_number(api: Api, amount: str | None, shown: Any) -> None:
    generation = api.world.add(credits_consumed=Decimal(amount) if amount else None)
    answer = api.client.get(f"/api/generations/{generation.id}").json
    assert answer["creditsConsumed"] == shown


def test_an_unknown_one_is_404(api: Api) -> None:
    assert code_of(api.client.get("/api/generations/nobody")) == (404, "generation.not_found")


def test_pages_are_newest_first_and_follow_each_other(api: Api) -> None:
    ids = [api.world.add().id for _ in range(5)]
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = listed(api, limit=2, **({"cursor": cursor} if cursor else {}))
        pages.append([item["id"] for item in page["items"]])
        cursor = page["nextCursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == sorted(ids, reverse=True)


def test_lists_can_be_filtered(api: Api) -> None:
    mine = api.world.add(user_id="me")
    api.world.add(user_id="you")
    assert [item["id"] for item in listed(api, userId="me", status="queued")["items"]] == [mine.id]
    assert listed(api, userId="me", status="failed") == {"items": [], "nextCursor": None}


def test_fifty_are_listed_by_default(api: Api) -> None:
    for _ in range(51):
        api.world.add()
    assert len(listed(api)["items"]) == 50
    assert len(listed(api, limit=200)["items"]) == 51


@pytest.mark.parametrize(
    "query",
    [
        {"status": "done"},
        {"status": ""},
        {"limit": 0},
        {"limit": 201},
        {"limit": "many"},
        {"limit": "1.5"},
        {"cursor": "x"},
        {"cursor": "'; drop table generations"},
        {"userId": ""},
        {"userId": "u" * 129},
        {"user": "me"},
        {"status": ["queued", "failed"]},
    ],
)
def test_a_bad_filter_is_400(api: Api, query: dict[str, Any]) -> None:
    response = api.client.get("/api/generations", query_string=query)
    assert code_of(response) == (400, "query.invalid")


def test_deleting_removes_the_files_and_then_the_rows(api: Api) -> None:
    generation = delivered(api)
    api.callback(generation, told())
    response = api.client.delete(f"/api/generations/{generation.id}")
    assert (response.status_code, response.json) == (
        200,
        {"deleted": generation.id, "notFound": []},
    )
    assert api.world.stored() == {}
    assert api.world.core.queries.events_of(generation) == []
    assert api.world.core.queries.callbacks_of(generation) == []


def test_deleting_removes_what_was_stored_before_a_move_to_a_bucket(
    tmp_path: Path, database_url: str
) -> None:
    bucket = RemoteStorage(tmp_path / "bucket")
    moved = {"supabase_url": "https://x.supabase.test", "supabase_service_role_key": "key"}
    with open_api(tmp_path, database_url, storage=bucket, **moved) as api:
        generation = delivered(api)
        before = api.world.core.settings.assets_dir
        (tmp_path / "bucket").rename(before)
        assert api.client.delete(f"/api/generations/{generation.id}").status_code == 200
    assert not [file for file in before.rglob("*") if file.is_file()]


def test_a_file_that_is_nowhere_is_named(api: Api) -> None:
    generation = delivered(api)
    path = min(api.world.stored())
    (api.world.core.settings.assets_dir / path).unlink()
    response = api.client.delete(f"/api/generations/{generation.id}")
    assert response.json == {"deleted": generation.id, "notFound": [path]}
    assert api.world.core.queries.by_id(generation.id) is None


def test_what_is_deleted_is_404_the_second_time(api: Api) -> None:
    url = f"/api/generations/{api.world.add().id}"
    assert api.client.delete(url).status_code == 200
    assert code_of(api.client.delete(url)) == (404, "generation.not_found")
    assert code_of(api.client.get(url)) == (404, "generation.not_found")


def test_what_somebody_works_on_is_409(api: Api) -> None:
    generation = api.world.add()
    api.world.core.store.claims.claim(generation.id, "somebody")
    response = api.client.delete(f"/api/generations/{generation.id}")
    assert code_of(response) == (409, "generation.busy")
    assert api.world.row(generation).due_at is None  # and its holder is not disturbed


def test_a_dead_lease_does_not_keep_from_deleting(api: Api) -> None:
    generation = api.world.add()
    api.world.core.store.claims.claim(generation.id, "somebody")
    api.world.clock.advance(61)
    assert api.client.delete(f"/api/generations/{generation.id}").status_code == 200


@pytest.mark.parametrize("by", ["a repeated DELETE", "the poller"])
@pytest.mark.parametrize("removed", [1, 2])
def test_a_deletion_that_was_killed_is_finished_by_the_next(
    api: Api, monkeypatch: pytest.MonkeyPatch, removed: int, by: str
) -> None:
    generation = delivered(api)
    url = f"/api/generations/{generation.id}"
    remove, gone = LocalStorage.delete, []

    def remove_and_die(storage: LocalStorage, path: str) -> None:
        remove(storage, path)
        gone.append(path)
        if len(gone) == removed:
            raise Killed

    with monkeypatch.context() as dying, pytest.raises(Killed):
        dying.setattr(LocalStorage, "delete", remove_and_die)
        api.client.delete(url)
    assert len(api.world.stored()) == 2 - removed
    assert code_of(api.client.delete(url)) == (409, "generation.busy")
    api.world.clock.advance(61)
    if by == "a repeated DELETE":
        assert api.client.delete(url).json == {"deleted": generation.id, "notFound": []}
    else:
        assert api.world.core.delivery.advance(generation.id, Channel.POLL) is None
    assert api.world.stored() == {}
    assert api.world.core.queries.by_id(generation.id) is None


def test_with_storage_away_a_deletion_goes_on_by_itself(api: Api) -> None:
    generation = delivered(api)
    folder = api.world.core.settings.assets_dir
    folder.rename(folder.with_name("lost"))
    folder.write_text("a file where the folder was")
    response = api.client.delete(f"/api/generations/{generation.id}")
    assert code_of(response) == (503, "storage.unavailable")
    assert api.world.row(generation).lease_token is None
    api.world.advance(generation)
    assert api.world.events(generation)[-2:] == ["deletion.begun", "deletion.retry"]
    folder.unlink()
    folder.with_name("lost").rename(folder)
    api.world.clock.advance(300)
    assert api.world.core.delivery.advance(generation.id, Channel.POLL) is None
    assert api.world.stored() == {}
    assert api.world.core.queries.by_id(generation.id) is None


def test_deleting_waits_for_a_holder(tmp_path: Path, database_url: str) -> None:
    with (
        open_api(tmp_path, database_url, threads=True) as api,
        ThreadPoolExecutor(1) as pool,
    ):
        generation = api.world.add()
        claims = api.world.core.store.claims
        claims.claim(generation.id, "somebody")
        deleting = pool.submit(api.client.delete, f"/api/generations/{generation.id}")
        claims.hand_back(generation.id, "somebody", after=timedelta(hours=1))
        assert deleting.result(10).status_code == 200


@pytest.mark.parametrize("method", ["get", "delete"])
def test_with_the_database_away_it_is_503(api: Api, method: str) -> None:
    api.lose_database()
    response = getattr(api.client, method)("/api/generations/x")
    assert code_of(response) == (503, "store.unavailable")


def test_what_was_set_aside_after_crashes_can_be_deleted(api: Api) -> None:
    generation = api.world.add_submitted(crashes=3)
    assert api.client.delete(f"/api/generations/{generation.id}").status_code == 200
