"""From a URL to a checked file: streams, cuts, resumption, limits and what is left behind."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

from core.errors import LeaseLostError, MediaError, StorageError
from core.media.download import Downloader, SpooledFile
from core.media.guard import guarded_client
from core.media.part import Record
from core.media.spool import Spool
from tests.support import media_samples as samples
from tests.support.media_host import Cut, MediaHost, dripping_host, media_host

Disk = namedtuple("Disk", "total free")
MIB = 1 << 20
VIDEO = samples.mp4(media_bytes=3 * MIB)
DIGEST = hashlib.sha256(VIDEO).hexdigest()


def no_matter() -> None:
    """The lease is never lost."""


@pytest.fixture
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        running.files["/a.mp4"] = VIDEO
        yield running


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, 1 << 30, disk_usage=lambda _: Disk(1 << 40, 1 << 39))


@pytest.fixture(scope="module")  # reading the certificate bundle takes a while
def client() -> Iterator[httpx.Client]:
    with guarded_client(connections=4, allow_private=True) as opened:
        yield opened


@pytest.fixture
def downloader(client: httpx.Client, spool: Spool) -> Downloader:
    return Downloader(client, spool, max_bytes=8 * MIB)


def answering(
    spool: Spool, answer: Callable[[httpx.Request], httpx.Response], max_bytes: int = MIB
) -> Downloader:
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return Downloader(client, spool, max_bytes=max_bytes)


def page(data: bytes) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(data))


def stalling_body() -> Iterator[bytes]:
    yield VIDEO[:MIB]
    raise httpx.ReadTimeout("nothing for 30 s")


def fetch(
    downloader: Downloader,
    url: str,
    token: str = "lease1",
    keep_going: Callable[[], None] = no_matter,
) -> SpooledFile:
    with downloader.fetch(url, name="g_0", token=token, keep_going=keep_going) as file:
        assert file.path.stat().st_size == file.size_bytes
        return file


def failure(
    downloader: Downloader, url: str = "https://media.example/a", token: str = "lease1"
) -> MediaError:
    with pytest.raises(MediaError) as caught:
        fetch(downloader, url, token)
    return caught.value


def left_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def lease_lost_after(writes: int) -> Callable[[], None]:
    calls = count(1)

    def keep_going() -> None:
        if next(calls) > writes:
            raise LeaseLostError

    return keep_going


def test_a_file_is_brought_typed_and_hashed(downloader: Downloader, host: MediaHost) -> None:
    file = fetch(downloader, host.url("/a.mp4"))
    assert (file.content_type, file.extension) == ("video/mp4", "mp4")
    assert (file.size_bytes, file.sha256) == (len(VIDEO), DIGEST)


def test_a_block_that_ends_well_leaves_nothing(
    downloader: Downloader, host: MediaHost, tmp_path: Path
) -> None:
    fetch(downloader, host.url("/a.mp4"))
    assert left_in(tmp_path) == set()


def test_the_block_may_move_the_file_away(
    downloader: Downloader, host: MediaHost, tmp_path: Path
) -> None:
    url = host.url("/a.mp4")
    with downloader.fetch(url, name="g_0", token="lease1", keep_going=no_matter) as file:
        file.path.rename(tmp_path / "stored.mp4")
    assert left_in(tmp_path) == {"stored.mp4"}
    assert (tmp_path / "stored.mp4").read_bytes() == VIDEO


def test_a_whole_file_that_could_not_be_stored_is_not_asked_for_again(
    downloader: Downloader, host: MediaHost
) -> None:
    url = host.url("/a.mp4")
    with (
        pytest.raises(ConnectionError),
        downloader.fetch(url, name="g_0", token="lease1", keep_going=no_matter),
    ):
        raise ConnectionError("storage is away")
    assert fetch(downloader, host.url("/signed-anew"), "lease2").sha256 == DIGEST
    assert len(host.requests) == 1


def test_a_whole_file_that_the_disk_spoilt_is_brought_again(
    downloader: Downloader, spool: Spool, host: MediaHost
) -> None:
    with spool.open("g_0", "lease1") as part:
        part.append(VIDEO[:-1] + b"x")
        part.remember(Record(validator=host.etag, sha256=DIGEST))
    assert fetch(downloader, host.url("/a.mp4"), "lease2").sha256 == DIGEST
    assert host.asked_ranges == [None]


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_cut_is_resumed_at_once(downloader: Downloader, host: MediaHost, reset: bool) -> None:
    host.cuts = [Cut(MIB, reset), Cut(MIB, reset)]
    assert fetch(downloader, host.url("/a.mp4")).sha256 == DIGEST
    assert len(host.requests) == 3
    assert host.requests[-1]["if-range"] == '"v1"'


def test_the_rest_of_a_file_is_asked_from_where_it_was_cut(
    downloader: Downloader, host: MediaHost
) -> None:
    host.cuts = [Cut(MIB)]
    fetch(downloader, host.url("/a.mp4"))
    assert host.asked_ranges == [None, f"bytes={MIB}-"]


def test_a_host_without_ranges_starts_over(downloader: Downloader, host: MediaHost) -> None:
    host.cuts, host.ranges = [Cut(MIB)], False
    assert fetch(downloader, host.url("/a.mp4")).sha256 == DIGEST


def test_a_file_that_changed_since_the_cut_starts_over(
    downloader: Downloader, host: MediaHost
) -> None:
    host.cuts = [Cut(MIB)]
    calls = count()

    def change() -> None:
        if next(calls) == 1:
            host.files["/a.mp4"], host.etag = samples.png(data_bytes=2 * MIB), '"v2"'

    assert fetch(downloader, host.url("/a.mp4"), keep_going=change).content_type == "image/png"


@pytest.mark.parametrize(
    "useless",
    [
        pytest.param(httpx.Response(416), id="no such range"),
        pytest.param(
            httpx.Response(
                206,
                headers={"etag": '"v2"', "content-range": f"bytes {MIB}-{2 * MIB}/{2 * MIB + 1}"},
            ),
            id="another version",
        ),
    ],
)
def test_a_rest_that_does_not_fit_starts_over(spool: Spool, useless: httpx.Response) -> None:
    first = httpx.Response(200, headers={"etag": '"v1"'}, content=stalling_body())
    answers = iter([first, useless, page(VIDEO)])
    downloader = answering(spool, lambda _: next(answers), 8 * MIB)
    assert fetch(downloader, "https://media.example/a").sha256 == DIGEST


def test_a_cut_without_a_validator_is_broken_and_leaves_nothing(
    downloader: Downloader, host: MediaHost, tmp_path: Path
) -> None:
    host.cuts, host.etag = [Cut(MIB)], None
    assert failure(downloader, host.url("/a.mp4")).code == "media.broken"
    assert (len(host.requests), left_in(tmp_path)) == (1, set())


def test_a_file_whose_rest_never_comes_is_broken(downloader: Downloader, host: MediaHost) -> None:
    host.cuts = [Cut(MIB), Cut(0), Cut(0), Cut(0), Cut(0)]
    assert failure(downloader, host.url("/a.mp4")).code == "media.broken"
    assert len(host.requests) == 2


def test_after_four_cuts_the_next_fetch_goes_on(downloader: Downloader, host: MediaHost) -> None:
    host.cuts = [Cut(MIB // 2)] * 5
    assert failure(downloader, host.url("/a.mp4")).code == "media.unreachable"
    assert fetch(downloader, host.url("/a.mp4"), "lease2").sha256 == DIGEST
    assert host.asked_ranges[4] == f"bytes={2 * MIB}-"


def test_a_lost_lease_stops_before_the_next_write_and_the_successor_resumes(
    downloader: Downloader, host: MediaHost
) -> None:
    with pytest.raises(LeaseLostError):
        fetch(downloader, host.url("/a.mp4"), keep_going=lease_lost_after(3))
    assert fetch(downloader, host.url("/a.mp4"), "lease2").sha256 == DIGEST
    assert host.asked_ranges[1] is not None


def test_bytes_of_another_url_are_not_resumed(downloader: Downloader, host: MediaHost) -> None:
    host.files["/b.mp4"] = samples.mp4(b"qt  ", media_bytes=MIB)
    with pytest.raises(LeaseLostError):
        fetch(downloader, host.url("/a.mp4"), keep_going=lease_lost_after(3))
    assert fetch(downloader, host.url("/b.mp4"), "lease2").extension == "mov"
    assert host.asked_ranges == [None, None]


def test_a_redirect_is_followed(downloader: Downloader, host: MediaHost) -> None:
    host.redirects = {"/old": "/older", "/older": host.url("/a.mp4")}
    assert fetch(downloader, host.url("/old")).sha256 == DIGEST


def test_a_redirect_loop_ends(downloader: Downloader, host: MediaHost) -> None:
    host.redirects = {"/old": "/old"}
    assert failure(downloader, host.url("/old")).code == "media.broken"
    assert len(host.requests) == 6


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/a", "http://user@127.0.0.1/a"])
def test_a_redirect_to_where_nobody_may_go_is_refused(
    downloader: Downloader, host: MediaHost, target: str
) -> None:
    host.redirects = {"/old": target}
    error = failure(downloader, host.url("/old"))
    assert (error.code, error.permanent) == ("media.refused", True)


def test_a_private_address_is_refused(spool: Spool, tmp_path: Path) -> None:
    with guarded_client(connections=1) as client:
        downloader = Downloader(client, spool, max_bytes=MIB)
        assert failure(downloader, "https://127.0.0.1/a.png").code == "media.refused"
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("url", ["nonsense", "/a.png", "https://a.example/\0", ""])
def test_what_is_no_url_is_refused(downloader: Downloader, url: str) -> None:
    assert failure(downloader, url).code == "media.refused"


def test_no_credentials_and_no_cookies_are_sent(downloader: Downloader, host: MediaHost) -> None:
    fetch(downloader, host.url("/a.mp4"))
    assert {"authorization", "cookie"}.isdisjoint(host.requests[0])


def test_a_missing_file_is_dead(downloader: Downloader, host: MediaHost, tmp_path: Path) -> None:
    assert failure(downloader, host.url("/none")).code == "media.dead"
    assert left_in(tmp_path) == set()


def test_a_host_that_is_down_is_unreachable(downloader: Downloader) -> None:
    assert failure(downloader, "http://127.0.0.1:1/a").code == "media.unreachable"


@pytest.mark.parametrize(
    "error", [httpx.ConnectTimeout("t"), httpx.ReadError("t"), httpx.PoolTimeout("t")]
)
def test_a_request_that_fails_is_unreachable(spool: Spool, error: httpx.TransportError) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    assert failure(answering(spool, answer)).code == "media.unreachable"


def test_a_stall_without_a_validator_is_unreachable_and_leaves_nothing(
    spool: Spool, tmp_path: Path
) -> None:
    downloader = answering(spool, lambda _: httpx.Response(200, content=stalling_body()), 8 * MIB)
    assert failure(downloader).code == "media.unreachable"
    assert left_in(tmp_path) == set()


def test_a_transfer_that_takes_too_long_is_unreachable(
    client: httpx.Client, spool: Spool, host: MediaHost
) -> None:
    clock = count(0, 1000)
    slow = Downloader(client, spool, max_bytes=8 * MIB, monotonic=lambda: float(next(clock)))
    assert failure(slow, host.url("/a.mp4")).code == "media.unreachable"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nx-drip: ", id="head"),
        pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", id="chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", id="body"),
    ],
)
def test_a_host_that_drips_is_unreachable(client: httpx.Client, spool: Spool, head: bytes) -> None:
    limits = {"wait_seconds": 0.2, "transfer_seconds": 0.5}
    impatient = Downloader(client, spool, max_bytes=MIB, **limits)  # type: ignore[arg-type]
    with dripping_host(head) as url:
        started = time.monotonic()
        assert failure(impatient, url).code == "media.unreachable"
    assert time.monotonic() - started < 5


def test_nothing_is_asked_once_the_lease_is_lost(downloader: Downloader, host: MediaHost) -> None:
    with pytest.raises(LeaseLostError):
        fetch(downloader, host.url("/a.mp4"), keep_going=lease_lost_after(0))
    assert host.requests == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>sign in</html>", id="page"),
        pytest.param(samples.png()[:-5], id="cut"),
    ],
)
def test_what_is_no_result_is_broken_and_leaves_nothing(
    spool: Spool, tmp_path: Path, body: bytes
) -> None:
    downloader = answering(spool, lambda _: page(body))
    assert failure(downloader).code == "media.broken"
    assert left_in(tmp_path) == set()


def test_bytes_of_no_known_format_are_kept_and_said_to_be_so(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    downloader = answering(spool, lambda _: page(samples.UNKNOWN))
    file = fetch(downloader, "https://media.example/a?signature=s3cret")
    assert (file.content_type, file.extension) == ("application/octet-stream", "bin")
    (record,) = [line for line in caplog.records if line.levelname == "WARNING"]
    assert (record.event, record.host) == ("media.unrecognised", "media.example")  # type: ignore[attr-defined]
    assert "s3cret" not in caplog.text


def test_too_large_by_header_is_refused_before_the_first_byte(spool: Spool) -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = {"content-length": str(MIB + 1)}
    downloader = answering(spool, lambda _: httpx.Response(200, headers=headers, content=never()))
    error = failure(downloader)
    assert (error.code, error.permanent) == ("media.too_large", True)


def test_too_large_by_count_is_refused_on_the_way(spool: Spool, tmp_path: Path) -> None:
    body = (bytes(MIB // 2) for _ in range(3))
    error = failure(answering(spool, lambda _: httpx.Response(200, content=body)))
    assert (error.code, left_in(tmp_path)) == ("media.too_large", set())


def test_a_file_as_large_as_allowed_is_taken(spool: Spool) -> None:
    data = samples.png()
    downloader = answering(spool, lambda _: page(data), len(data))
    assert fetch(downloader, "https://media.example/a").size_bytes == len(data)


def test_a_body_longer_than_promised_is_broken(spool: Spool) -> None:
    headers = {"content-length": "9"}
    response = httpx.Response(200, headers=headers, content=iter([samples.png()]))
    assert failure(answering(spool, lambda _: response)).code == "media.broken"


@pytest.mark.parametrize("length", [{}, {"content-length": str(20 * MIB)}], ids=["no", "length"])
def test_a_full_spool_says_so_and_leaves_nothing(tmp_path: Path, length: dict[str, str]) -> None:
    spool = Spool(tmp_path, 17 * MIB, disk_usage=lambda _: Disk(1 << 40, 1 << 39))

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=length, content=(bytes(MIB) for _ in range(20)))

    assert failure(answering(spool, answer, max_bytes=20 * MIB)).code == "spool.full"
    assert left_in(tmp_path) == set()


def test_a_result_that_is_data_is_spooled_as_json(downloader: Downloader, tmp_path: Path) -> None:
    text = '{"lyrics": "ünd"}'
    with downloader.write_json(text, name="g_0", token="lease1") as file:
        assert (file.content_type, file.extension) == ("application/json", "json")
        assert file.path.read_text() == text
        assert file.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert left_in(tmp_path) == set()


def test_a_download_is_logged_by_host_only(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    downloader = answering(spool, lambda _: page(samples.png()))
    with caplog.at_level(logging.INFO, logger="core.media"):
        fetch(downloader, "https://media.example/a.png?signature=s3cret")
    (record,) = caplog.records
    assert (record.event, record.host) == ("media.downloaded", "media.example")  # type: ignore[attr-defined]
    assert "s3cret" not in caplog.text


def test_what_storage_refuses_makes_way_for_a_new_file_and_not_the_other_way_round(
    host: MediaHost, client: httpx.Client, tmp_path: Path
) -> None:
    host.files["/b.mp4"] = VIDEO
    room_for_one = Spool(tmp_path, len(VIDEO) + MIB, disk_usage=lambda _: Disk(1 << 40, 1 << 39))
    downloader = Downloader(client, room_for_one, max_bytes=8 * MIB)

    def is_put(path: str, code: str, sha256: str | None = None) -> bool:
        dies_at = datetime.now(UTC) + timedelta(days=14)
        with (
            pytest.raises((MediaError, StorageError)) as caught,
            downloader.fetch(
                host.url(path),
                name=path[1],
                token="lease1",
                keep_going=no_matter,
                sha256=sha256,
                dies_at=dies_at,
            ),
        ):
            raise StorageError(code, "as the test has it")
        return caught.value.code == code

    assert is_put("/a.mp4", "storage.refused")
    assert is_put("/b.mp4", "storage.refused")  # /a.mp4 made way
    assert not is_put("/a.mp4", "storage.refused", DIGEST)  # and does not come back by itself
    assert is_put("/b.mp4", "storage.unavailable", DIGEST)
    assert not is_put("/a.mp4", "storage.refused")  # what is not refused any more stays
