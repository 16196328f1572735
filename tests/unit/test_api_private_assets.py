"""`GET /assets/{path}?sig=`: files of a private bucket."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from core.errors import StorageError
from core.storage.private_urls import PrivateUrls
from tests.support.api import Api, code_of, open_api
from tests.support.databases import on_sqlite
from tests.support.storage import AWAY, SIGNED, URLS, RemoteStorage

pytestmark = on_sqlite  # no database is asked
PATH = "user.0a1b/image/a_0_0123456789ab.png"


@pytest.fixture
def bucket(tmp_path: Path) -> RemoteStorage:
    storage = RemoteStorage(tmp_path / "bucket")
    for path in (PATH, "odd name/50%.png"):
        storage.file(path).parent.mkdir(parents=True, exist_ok=True)
        storage.file(path).write_bytes(b"private")
    return storage


@pytest.fixture
def api(tmp_path: Path, database_url: str, bucket: RemoteStorage) -> Iterator[Api]:
    with open_api(tmp_path, database_url, storage=bucket, request_threads=6) as opened:
        yield opened


def target(path: str, urls: PrivateUrls = URLS) -> str:
    """The permanent URL, as a request has it."""
    parts = urlsplit(urls.url(path))
    return f"{parts.path}?{parts.query}"


def test_its_url_leads_to_where_the_file_is_now(api: Api) -> None:
    response = api.client.get(target(PATH))
    assert (response.status_code, response.location) == (302, f"{SIGNED}/{PATH}?token=jwt")


def test_the_redirect_is_kept_for_less_than_its_target_lives_and_tells_nobody(api: Api) -> None:
    response = api.client.get(target(PATH))
    assert response.cache_control.private
    assert (response.cache_control.max_age or 0) <= 300
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_may_save_it(api: Api) -> None:
    response = api.client.get(f"{target(PATH)}&download=1")
    assert response.location == f"{SIGNED}/{PATH}?token=jwt&download="


def test_head_leads_there_too(api: Api) -> None:
    assert api.client.head(target(PATH)).status_code == 302


def test_an_odd_name_is_found(api: Api) -> None:
    assert api.client.get(target("odd name/50%.png")).status_code == 302


def test_the_url_of_a_delivered_file_leads_to_it(api: Api) -> None:
    generation = api.world.add_submitted()
    api.world.finish()
    url = urlsplit(api.world.advance(generation).asset_url or "")
    assert api.client.get(f"{url.path}?{url.query}").status_code == 302


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?sig=",
        "?sig=wrong",
        "?sig=" + "A" * 43,
        "?sig=" + "A" * 100_000,
        "?sig=%00",
        "?sig=%ff%fe",
        "?sig=%F0%9F%AA%81",
        f"?sig={quote('пароль')}",
        "?sig=wrong&sig={right}",
        "?SIG={right}",
        "?sig={right}A",
        "?sig={right}%3D",
        "?sig=%2520{right}",
    ],
)
def test_without_the_right_signature_there_is_nothing_and_storage_is_not_asked(
    api: Api, bucket: RemoteStorage, query: str
) -> None:
    right = target(PATH).partition("sig=")[2]
    response = api.client.get(f"/assets/{PATH}{query.format(right=right)}")
    assert (code_of(response), bucket.calls) == ((404, "asset.not_found"), 0)


def test_a_signature_opens_one_file_only(api: Api) -> None:
    signature = target(PATH).partition("?")[2]
    assert code_of(api.client.get(f"/assets/odd%20name/50%25.png?{signature}"))[0] == 404


@pytest.mark.parametrize(
    "spelled",
    [
        f"./{PATH}",
        f"x/../{PATH}",
        f"x/%2e%2e/{PATH}",
        f"x%2f..%2f{PATH}",
        PATH.replace("/", "//"),
        PATH.replace("/", "%252f"),
        f"{PATH}/",
        f"{PATH}%00",
        PATH.upper(),
    ],
)
def test_a_file_has_one_name_only(api: Api, spelled: str) -> None:
    signature = target(PATH).partition("?")[2]
    assert code_of(api.client.get(f"/assets/{spelled}?{signature}"))[0] == 404


@pytest.mark.parametrize("path", ["../kie.db", "/etc/passwd", "a/../../kie.db", "gone.png"])
def test_even_rightly_signed_nothing_else_is_there(api: Api, path: str) -> None:
    assert code_of(api.client.get(target(path)))[0] == 404


def test_a_path_that_storage_refuses_is_not_there(api: Api, bucket: RemoteStorage) -> None:
    bucket.error = StorageError("storage.bad_path", "not a path of an object")
    assert code_of(api.client.get(target(PATH))) == (404, "asset.not_found")


def test_storage_that_is_away_is_503_and_the_place_is_given_back(
    api: Api, bucket: RemoteStorage
) -> None:
    bucket.error = AWAY
    for _ in range(10):
        assert code_of(api.client.get(target(PATH))) == (503, "storage.unavailable")


def test_slow_storage_takes_fewer_threads_than_there_are(api: Api) -> None:
    places = api.client.application.extensions["kie-delivery"].asset_places
    assert [places.acquire(blocking=False) for _ in range(2)] == [True, True]
    assert code_of(api.client.get(target(PATH))) == (503, "asset.busy")
    places.release()
    assert api.client.get(target(PATH)).status_code == 302


def test_a_file_stored_in_the_folder_before_is_served_as_ever(api: Api) -> None:
    file = api.world.core.settings.assets_dir / "u/image/old.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"old")
    response = api.client.open("/assets/u/image/old.png", buffered=True)
    assert (response.status_code, response.data) == (200, b"old")


def test_neither_signature_nor_target_is_logged(
    api: Api, bucket: RemoteStorage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    generation = api.world.add_submitted()
    api.world.finish()
    url = api.world.advance(generation).asset_url or ""
    api.client.get(target(PATH))
    bucket.error = AWAY
    api.client.get(target(PATH))
    said = "".join(f"{record.getMessage()}{vars(record)}" for record in caplog.records)
    signatures = [url.partition("sig=")[2], target(PATH).partition("sig=")[2]]
    assert "sig=***" in said
    assert not [secret for secret in (*signatures, "jwt") if secret in said]


def test_the_description_knows_it(api: Api) -> None:
    described = api.client.get("/api/openapi.json").json["paths"]["/assets/{path}"]["get"]
    assert "sig" in {each["name"] for each in described["parameters"]}
    assert "content" not in described["responses"]["302"]
