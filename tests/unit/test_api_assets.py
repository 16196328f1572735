"""`GET /assets/{path}`: stored files, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.api import Api, code_of, open_api

CONTENT = bytes(range(256))


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        put(opened, "u/image/a.png")
        yield opened


def put(api: Api, path: str) -> Path:
    file = api.world.core.settings.assets_dir / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(CONTENT)
    return file


def fetch(api: Api, path: str, **more: Any) -> TestResponse:
    """The whole answer, and the file closed."""
    return api.client.open(path, buffered=True, **more)


def test_a_stored_file_is_served_at_its_asset_url(api: Api) -> None:
    generation = api.world.add_submitted()
    api.world.finish()
    url = api.world.advance(generation).asset_url or ""
    response = fetch(api, url.removeprefix("http://127.0.0.1:8000"))
    assert (response.status_code, response.content_type) == (200, "image/png")
    assert response.data == api.world.media.files["/a.png"]


@pytest.mark.parametrize("name", ["a.png", "a.bin"])
def test_it_is_cached_for_good_and_its_type_is_believed(api: Api, name: str) -> None:
    put(api, name)
    headers = fetch(api, f"/assets/{name}").headers
    assert set(headers["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["a.png", "a.mp4", "a.mp3"])
def test_a_browser_may_show_and_play_media(api: Api, name: str) -> None:
    put(api, name)
    headers = fetch(api, f"/assets/{name}").headers
    assert "Content-Security-Policy" not in headers  # it would apply to the player as well
    assert headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("name", ["a.pdf", "a.json", "a.txt", "a.html", "a.bin"])
def test_all_else_is_a_download_that_may_do_nothing(api: Api, name: str) -> None:
    put(api, name)
    headers = fetch(api, f"/assets/{name}").headers
    assert headers["Content-Security-Policy"].endswith("sandbox")
    assert headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("query", "disposition"),
    [
        ("?download=1", "attachment; filename=a.mp4"),
        ("?download=0", "inline; filename=a.mp4"),
        ("?v=2", "inline; filename=a.mp4"),
    ],
)
def test_a_caller_may_have_media_downloaded(api: Api, query: str, disposition: str) -> None:
    put(api, "a.mp4")
    response = fetch(api, f"/assets/a.mp4{query}")
    assert (response.data, response.content_type) == (CONTENT, "video/mp4")
    assert response.headers["Content-Disposition"] == disposition


def test_the_description_says_how_to_download(api: Api) -> None:
    described = api.client.get("/api/openapi.json").json["paths"]["/assets/{path}"]["get"]
    named = {each["name"]: each for each in described["parameters"]}
    assert (named["download"]["in"], named["download"]["required"]) == ("query", False)


def test_files_are_sent_to_fewer_readers_than_there_are_threads(
    tmp_path: Path, database_url: str
) -> None:
    with open_api(tmp_path, database_url, request_threads=6) as api:
        put(api, "a.png")
        reading = [api.client.get("/assets/a.png") for _ in range(2)]
        busy = fetch(api, "/assets/a.png")
        assert code_of(busy) == (503, "asset.busy")
        assert busy.headers["Retry-After"]
        for response in reading:
            response.close()
        assert fetch(api, "/assets/a.png").status_code == 200


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"method": "HEAD"}, 200),
        ({"headers": {"Range": "bytes=0-3"}}, 206),
        ({"headers": {"Range": "bytes=999-"}}, 416),
    ],
)
def test_every_answer_gives_its_place_back(api: Api, more: dict[str, Any], status: int) -> None:
    answers = [fetch(api, "/assets/u/image/a.png", **more) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {status}


def test_head_tells_the_length_without_the_bytes(api: Api) -> None:
    response = fetch(api, "/assets/u/image/a.png", method="HEAD")
    assert (response.status_code, response.content_length, response.data) == (200, 256, b"")


@pytest.mark.parametrize(
    ("asked", "given"), [("bytes=0-3", slice(0, 4)), ("bytes=250-", slice(250, 256))]
)
def test_a_range_is_206(api: Api, asked: str, given: slice) -> None:
    response = fetch(api, "/assets/u/image/a.png", headers={"Range": asked})
    assert (response.status_code, response.data) == (206, CONTENT[given])


def test_a_range_behind_the_end_is_416(api: Api) -> None:
    response = fetch(api, "/assets/u/image/a.png", headers={"Range": "bytes=256-"})
    assert code_of(response)[0] == 416
    assert response.headers["Content-Range"] == "bytes */256"


def test_what_has_not_changed_is_304(api: Api) -> None:
    etag = fetch(api, "/assets/u/image/a.png").headers["ETag"]
    response = fetch(api, "/assets/u/image/a.png", headers={"If-None-Match": etag})
    assert response.status_code == 304


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("a.mp4", "video/mp4"), ("a.mp3", "audio/mpeg"), ("a.json", "application/json")],
)
def test_the_type_is_that_of_the_extension(api: Api, name: str, content_type: str) -> None:
    put(api, name)
    assert fetch(api, f"/assets/{name}").content_type == content_type


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xml", "a.js", "a.bin", "a"])
def test_what_a_browser_might_run_is_a_download(api: Api, name: str) -> None:
    put(api, name)
    response = fetch(api, f"/assets/{name}")
    assert response.content_type == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path",
    [
        "nothing.png",
        "",
        "u",
        "u/",
        "u/image",
        "u/image/a.png/",
        "u//image/a.png",
        "u/./image/a.png",
        "../kie.db",
        "u/../../kie.db",
        "%2e%2e/kie.db",
        "..%2fkie.db",
        "u/%2e%2e/%2e%2e/kie.db",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "u/image/a.png%00",
        "%00",
        "..\\kie.db",
        "..%5ckie.db",
        "u/image/" + "a" * 5000,
        "%ff",
    ],
)
def test_nothing_else_is_there(api: Api, path: str) -> None:
    assert code_of(fetch(api, f"/assets/{path}"))[0] == 404


def test_a_link_out_of_the_folder_is_not_followed(api: Api) -> None:
    folder = api.world.core.settings.assets_dir
    (folder / "out.png").symlink_to(api.world.core.settings.data_dir / "kie.db")
    assert code_of(fetch(api, "/assets/out.png")) == (404, "asset.not_found")


def test_what_is_only_half_there_is_not_served(api: Api) -> None:
    put(api, "u/image/b.png.0123.storing")
    assert code_of(fetch(api, "/assets/u/image/b.png.0123.storing"))[0] == 404


def test_files_are_served_while_the_database_is_away(api: Api) -> None:
    api.lose_database()
    assert fetch(api, "/assets/u/image/a.png").status_code == 200


def test_files_cannot_be_written(api: Api) -> None:
    assert code_of(api.client.put("/assets/u/image/a.png"))[0] == 405
