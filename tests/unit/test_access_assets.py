"""`/assets` against hostile names and hostile content."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from core.storage.local import PART_SUFFIX
from tests.support.api import Api, code_of, open_api
from tests.support.storage import URLS, RemoteStorage
from webhook.assets import CONTENT_TYPES, MEDIA

PAGE = b"<html><script>alert(document.cookie)</script></html>"
#: Types that a browser may run, by every name that a file of one might have.
RUN = [
    *("html", "htm", "xhtml", "shtml", "svg", "svgz", "xml", "xsl", "xslt", "js", "mjs", "css"),
    *("swf", "wasm", "mht", "mhtml", "hta", "vbs", "jar", "htc", "rss", "atom", "pdf", "json"),
    *("txt", "HTML", "Png", "png.html", "html.", "", "php", "manifest", "webmanifest", "vtt"),
]
ASKED = {
    "whole": ("GET", {}, 200),
    "head": ("HEAD", {}, 200),
    "part": ("GET", {"Range": "bytes=0-5"}, 206),
    "two parts": ("GET", {"Range": "bytes=0-1,3-4"}, 416),
    "behind the end": ("GET", {"Range": "bytes=9999-"}, 416),
    "wants HTML": ("GET", {"Accept": "text/html", "Sec-Fetch-Dest": "document"}, 200),
}


@pytest.fixture
def bucket(tmp_path: Path) -> RemoteStorage:
    return RemoteStorage(tmp_path / "bucket")


@pytest.fixture
def api(tmp_path: Path, bucket: RemoteStorage) -> Iterator[Api]:
    with open_api(tmp_path, storage=bucket, database_url="") as opened:
        opened.world.core.settings.assets_dir.mkdir(parents=True, exist_ok=True)
        yield opened


def put(api: Api, name: str, content: bytes = PAGE) -> Path:
    file = api.world.core.settings.assets_dir / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def is_harmless(response: TestResponse) -> bool:
    """A browser saves it, or shows our own JSON; it guesses no type and runs nothing."""
    headers = response.headers
    saved = headers["Content-Disposition"].startswith("attachment") and headers[
        "Content-Security-Policy"
    ].endswith("sandbox")
    return headers["X-Content-Type-Options"] == "nosniff" and saved


@pytest.mark.parametrize("asked", ASKED)
def test_what_a_browser_could_run_is_never_shown(api: Api, asked: str) -> None:
    method, headers, status = ASKED[asked]
    for extension in RUN:
        name = f"u/file.{extension}" if extension else "u/file"
        put(api, name)
        for query in ("", "?download=0", "?download=1"):
            response = api.client.open(
                f"/assets/{name}{query}", method=method, headers=headers, buffered=True
            )
            if status == 416:
                assert code_of(response)[0] == 416
                assert response.headers["X-Content-Type-Options"] == "nosniff"
            else:
                assert (response.status_code, is_harmless(response)) == (status, True), name


def test_a_page_under_the_name_of_a_picture_is_a_picture_to_browsers(api: Api) -> None:
    for extension, content_type in CONTENT_TYPES.items():
        if content_type.startswith(MEDIA):
            put(api, f"u/file.{extension}")
            headers = api.client.get(f"/assets/u/file.{extension}", buffered=True).headers
            assert headers["Content-Type"] == content_type
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "svg" not in content_type


def test_nothing_that_is_no_stored_file_is_served(api: Api, tmp_path: Path) -> None:
    folder = api.world.core.settings.assets_dir
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.png").write_bytes(PAGE)
    put(api, "u/real/a.png")
    (folder / "u/link").symlink_to(outside)
    (folder / "u/inside").symlink_to(folder / "u/real")
    (folder / "u/link.png").symlink_to(outside / "a.png")
    (folder / "u/again.png").symlink_to(folder / "u/real/a.png")
    (folder / "u/loop").symlink_to(folder / "u/loop")
    os.mkfifo(folder / "u/pipe.png")
    put(api, f"u/a.png.0a{PART_SUFFIX}")
    names = [
        *("u/link/a.png", "u/inside/a.png", "u/link.png", "u/again.png", "u/loop", "u/pipe.png"),
        *(f"u/a.png.0a{PART_SUFFIX}", "u/real", "u/real/", "u/real/.", "u/real/..", "."),
        *("u/real/a.png.", "u/real/a.png/.", "u/real/a.png%20", "u/real/a.png%0a", "U/real/a.png"),
        *("u/real/./a.png", "u//real/a.png", "u/real/../real/a.png", "%75/real/%2e%2e/real/a.png"),
        *("../outside/a.png", "%2e%2e/outside/a.png", "..%2foutside%2fa.png", "%252e%252e/outside"),
        *("..%5coutside%5ca.png", "..%c0%afoutside%c0%afa.png", "\u2025/outside/a.png", "~/a.png"),
        *("%2fetc%2fpasswd", "file:%2f%2f%2fetc%2fpasswd", "/proc/self/environ", "%00", "a%00.png"),
        *("%ff%fe", "%ed%a0%80", "a" * 300, "a/" * 3000, "u/real/a.png::$DATA", "u/real/a.png:x"),
    ]
    given = {name: code_of(api.client.get(f"/assets/{name}", buffered=True)) for name in names}
    assert {name: code for name, code in given.items() if code[0] != 404} == {}


def test_a_private_file_that_a_browser_could_run_leads_to_a_download_elsewhere(
    api: Api, bucket: RemoteStorage
) -> None:
    for name in ("u/page.html", "u/picture.svg"):
        bucket.file(name).parent.mkdir(parents=True, exist_ok=True)
        bucket.file(name).write_bytes(PAGE)
        target = URLS.url(name).removeprefix("http://127.0.0.1:8000")
        for query in ("", "&download=1"):
            response = api.client.get(target + query)
            assert (response.status_code, response.data) == (302, b"")
            assert response.location.startswith("https://storage.test/")
