"""What the headers of a media host mean."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core.errors import MediaError
from core.media.answer import Answer, read_answer


def answer(status: int, *, start: int = 0, **headers: str) -> Answer | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = httpx.Request("GET", "https://media.example/a.mp4?signature=s3cret")
    response = httpx.Response(status, headers=named, request=request)
    return read_answer(response, start=start, validator='"v1"' if start else None)


def test_a_whole_file_is_promised_with_its_length_and_version() -> None:
    assert answer(200, content_length="9", etag='"v1"') == Answer(0, 9, '"v1"')


def test_a_file_of_unknown_length_is_promised() -> None:
    assert answer(200, transfer_encoding="chunked") == Answer(0, None, None)


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"etag": '"v1"', "last_modified": "Mon, 02 Nov 2026 10:00:00 GMT"}, '"v1"'),
        ({"etag": 'W/"v1"'}, None),
        ({"last_modified": "Mon, 02 Nov 2026 10:00:00 GMT"}, "Mon, 02 Nov 2026 10:00:00 GMT"),
    ],
)
def test_only_a_strong_validator_names_the_bytes(
    headers: dict[str, Any], validator: str | None
) -> None:
    promised = answer(200, **headers)
    assert promised is not None
    assert promised.validator == validator


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (204, "media.broken"),
        (304, "media.broken"),
        (400, "media.dead"),
        (401, "media.dead"),
        (403, "media.dead"),
        (404, "media.dead"),
        (408, "media.unreachable"),
        (410, "media.dead"),
        (416, "media.dead"),
        (429, "media.unreachable"),
        (500, "media.unreachable"),
        (503, "media.unreachable"),
        (520, "media.unreachable"),
    ],
)
def test_a_status_without_a_file_has_its_code(status: int, code: str) -> None:
    with pytest.raises(MediaError) as caught:
        answer(status)
    assert (caught.value.code, "s3cret" in str(caught.value)) == (code, False)


@pytest.mark.parametrize("total", ["100", "*"])
def test_the_rest_of_a_file_is_taken(total: str) -> None:
    promised = answer(206, start=40, content_range=f"bytes 40-99/{total}", etag='"v1"')
    assert promised == Answer(40, 100 if total == "100" else None, '"v1"')


@pytest.mark.parametrize("content_range", ["", "bytes 0-99/100", "bytes */100", "lines 40-99/100"])
def test_a_rest_that_starts_elsewhere_is_broken(content_range: str) -> None:
    with pytest.raises(MediaError, match="not the bytes from 40 on"):
        answer(206, start=40, content_range=content_range)


def test_a_rest_that_nobody_asked_for_is_broken() -> None:
    with pytest.raises(MediaError) as caught:
        answer(206, content_range="bytes 0-9/100")
    assert caught.value.code == "media.broken"


def test_the_rest_of_another_version_starts_over() -> None:
    assert answer(206, start=40, content_range="bytes 40-99/100", etag='"v2"') is None


def test_a_range_that_does_not_exist_starts_over() -> None:
    assert answer(416, start=40) is None


def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(MediaError, match="compressed"):
        answer(200, content_encoding="gzip")
