from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from simulator.tasks import RETENTION_SECONDS
from tests.support.simulator import IMAGE, KEY, SPEECH, VIDEO, InProcessKie

Start = Callable[..., InProcessKie]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened: list[InProcessKie] = []

    def finished(request: dict[str, Any] = VIDEO, **faults: Any) -> InProcessKie:
        kie = InProcessKie(tmp_path, **faults)
        opened.append(kie)
        kie.create(request)
        kie.advance(100)
        return kie

    yield finished
    for kie in opened:
        kie.close()


def get(kie: InProcessKie, name: str = "1.mp4", **headers: str) -> TestResponse:
    return kie.client.get(f"/media/{1:032x}/0/{name}", headers=headers)


@pytest.mark.parametrize(
    ("request_body", "name", "content_type", "magic"),
    [
        (IMAGE, "1.png", "image/png", b"\x89PNG"),
        (VIDEO, "1.mp4", "video/mp4", b"\0\0\0\x20ftyp"),
        (SPEECH, "1.mp3", "audio/mpeg", b"ID3"),
    ],
)
def test_each_kind_has_its_own_file(
    start: Start, request_body: dict[str, Any], name: str, content_type: str, magic: bytes
) -> None:
    answer = get(start(request_body), name)
    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert answer.data.startswith(magic)
    assert answer.content_length == len(answer.data)


def test_parts_can_be_asked_for(start: Start) -> None:
    kie = start()
    whole = get(kie)
    part = get(kie, Range="bytes=100-")
    assert (part.status_code, part.data) == (206, whole.data[100:])
    assert part.headers["Content-Range"] == f"bytes 100-{len(whole.data) - 1}/{len(whole.data)}"


def test_a_part_of_another_version_is_the_whole(start: Start) -> None:
    kie = start()
    etag = get(kie).headers["ETag"]
    same = get(kie, **{"Range": "bytes=5-", "If-Range": etag})
    other = get(kie, **{"Range": "bytes=5-", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_a_part_past_the_end_is_416(start: Start) -> None:
    assert get(start(), Range="bytes=99999999-").status_code == 416


def test_head_tells_the_length_only(start: Start) -> None:
    kie = start()
    answer = kie.client.head(f"/media/{1:032x}/0/1.mp4")
    assert (answer.data, answer.content_length) == (b"", get(kie).content_length)


def test_the_default_python_client_is_turned_away(start: Start) -> None:
    assert get(start(), **{"User-Agent": "Python-urllib/3.11"}).status_code == 403


def test_a_key_sent_to_the_media_host_is_a_finding(start: Start) -> None:
    kie = start()
    assert get(kie, **KEY).status_code == 403
    assert kie.ledger.findings[0]["what"] == "key sent to the media host"


def test_every_download_is_noted(start: Start) -> None:
    kie = start()
    length = len(get(kie).data)
    noted = kie.view(f"{1:032x}")["downloads"][0]
    assert (noted["file"], noted["bytes"], noted["complete"]) == ("1.mp4", length, True)


def test_a_file_that_was_never_made_is_404(start: Start) -> None:
    assert get(start(), "2.mp4").status_code == 404


def test_a_file_is_gone_after_fourteen_days(start: Start) -> None:
    kie = start()
    kie.kie.advance(RETENTION_SECONDS)
    assert get(kie).status_code == 404


def test_a_file_can_appear_late(start: Start) -> None:
    kie = start(media_missing={"value": 60})
    assert get(kie).status_code == 404
    kie.advance(60)
    assert get(kie).status_code == 200


def test_a_file_can_be_of_any_size(start: Start) -> None:
    assert get(start(media_bytes={"value": 2_000_000})).content_length == 2_000_000


@pytest.mark.parametrize(
    ("fault", "length"), [({"media_empty": True}, 0), ({"media_short": {"value": 7}}, 7)]
)
def test_a_file_can_be_too_short(start: Start, fault: dict[str, Any], length: int) -> None:
    answer = get(start(**fault))
    assert (answer.status_code, len(answer.data), answer.content_length) == (200, length, length)


def test_a_cut_download_ends_before_its_length(start: Start) -> None:
    kie = start(media_cut={"value": 5000})
    answer = get(kie)
    assert len(answer.data) == 5000 < int(answer.headers["Content-Length"])
    assert not kie.view(f"{1:032x}")["downloads"][0]["complete"]


def test_a_file_can_change_between_two_requests(start: Start) -> None:
    kie = start(media_changed={"times": 1, "value": 5000})
    draft, final = get(kie), get(kie)
    assert (len(draft.data), len(final.data)) == (5000, int(final.headers["Content-Length"]))
    assert draft.headers["ETag"] != final.headers["ETag"]
    assert draft.data != final.data[:5000]


def test_a_host_can_ignore_ranges(start: Start) -> None:
    answer = get(start(media_no_range=True), Range="bytes=5-")
    assert answer.status_code == 200
    assert "Accept-Ranges" not in answer.headers


def test_a_file_can_be_an_error_page(start: Start) -> None:
    answer = get(start(media_html=True))
    assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_a_file_can_claim_to_be_anything(start: Start) -> None:
    answer = get(start(media_content_type={"value": "image/jpeg"}))
    assert (answer.mimetype, answer.data[4:8]) == ("image/jpeg", b"ftyp")


def test_a_file_can_drip(start: Start) -> None:
    kie = start(media_slow={"value": 10_000})
    assert kie.slept == 0
    assert kie.slept < len(get(kie).data) / 10_000 <= kie.slept + 0.1


def test_a_file_can_redirect_to_a_private_address(start: Start) -> None:
    assert get(start(media_redirect=True)).headers["Location"] == "http://10.0.0.1/internal"


def test_a_dead_url_is_replaced_by_the_next_record_once_found_dead(start: Start) -> None:
    kie = start(media_dead_url=True)
    assert "/0/1.mp4" in kie.record(f"{1:032x}")["data"]["resultJson"]
    assert get(kie).status_code == 404
    assert "/1/1.mp4" in kie.record(f"{1:032x}")["data"]["resultJson"]
    assert kie.client.get(f"/media/{1:032x}/1/1.mp4").status_code == 200


def link(kie: InProcessKie, url: str) -> Any:
    body = {"url": url}
    return kie.client.post("/api/v1/common/download-url", json=body, headers=KEY).json


def test_a_file_can_be_alive_only_through_a_download_link(start: Start) -> None:
    kie = start(media_dead_direct=True)
    answer = link(kie, f"http://kie.test/media/{1:032x}/0/1.mp4")
    parts = urlsplit(answer["data"])
    assert get(kie).status_code == 404
    assert kie.client.get(f"{parts.path}?{parts.query}").status_code == 200


@pytest.mark.parametrize(
    ("seconds", "expired", "status"), [(1199, False, 200), (1200, False, 403), (0, True, 403)]
)
def test_a_download_link_is_good_for_twenty_minutes(
    start: Start, seconds: float, expired: bool, status: int
) -> None:
    kie = start(link_expired=expired)
    parts = urlsplit(link(kie, f"http://kie.test/media/{1:032x}/0/1.mp4")["data"])
    kie.advance(seconds)
    assert kie.client.get(f"{parts.path}?{parts.query}").status_code == status


@pytest.mark.parametrize("url", ["https://elsewhere.test/1.mp4", "http://kie.test/media/x/0/1.mp4"])
def test_a_foreign_url_gets_no_link(start: Start, url: str) -> None:
    assert link(start(), url)["code"] == 422
