"""Where the guarded client goes and does not go, and how much any host can cost us.

Names and sockets are made up where a test is about addresses, and real where it is about floods.
"""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deadline import time_limit
from core.errors import MediaError, StorageError
from core.kie.client import MAX_BODY_BYTES, KieClient, kie_http
from core.kie.report import AskFailed, Report, Unknown
from core.media.download import Downloader
from core.media.guard import guarded_client, is_public
from core.media.spool import Spool
from core.storage.supabase.http import MAX_ANSWER_BYTES, outage_told, storage_http
from core.storage.supabase.refusals import RefusalError
from tests.fuzz.flooding_host import flooding_host

Disk = namedtuple("Disk", "total free")
HOST, PUBLIC = "media.example", "8.8.8.8"
URL = f"https://{HOST}/a"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
MIB = 1 << 20
PRIVATE = (
    *("10.0.0.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "192.168.0.1"),
    *("::1", "fe80::1%eth0", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:808:808::80ff:fffe"),
)


class Internet(httpcore.NetworkBackend):
    """Names and sockets of a made-up internet; `called` are the addresses that were connected."""

    def __init__(self) -> None:
        self.build()

    def build(self, *pages: bytes, **names: list[list[str]]) -> None:
        """Anew: answers to one connection after the other, and to one look-up after the other."""
        self.called: list[str] = []
        self._pages = chain(pages, repeat(PAGE))
        self._names = {HOST: repeat([PUBLIC]), "::1": repeat(["::1"])}
        for name, found in names.items():
            self._names[f"{name}.example"] = chain(found, repeat(found[-1]))

    def resolve(self, host: str, _port: int) -> list[str]:
        """Names that nobody told of are inside."""
        return next(self._names.get(host, repeat(["10.0.0.1"])))

    def connect_tcp(self, host: str, *_: object, **__: object) -> httpcore.NetworkStream:
        """One more connection."""
        self.called.append(host)
        return httpcore.MockStream([next(self._pages)])


INTERNET = Internet()


@pytest.fixture(scope="module")  # reading the certificate bundle takes a while
def client() -> Iterator[httpx.Client]:
    resolver = INTERNET.resolve
    with guarded_client(connections=1, resolver=resolver, connector=INTERNET) as opened:
        yield opened


def moved(location: bytes, status: int = 302) -> bytes:
    lines = b"HTTP/1.1 %d Moved\r\nContent-Length: 0\r\nConnection: close\r\nLocation: %b\r\n\r\n"
    return lines % (status, location)


def fetch(client: httpx.Client, folder: Path, url: str, **limits: float) -> str:
    """The code of the failure, or `ok`. Nothing is left of a file that failed."""
    spool = Spool(folder, 1 << 30, disk_usage=lambda _: Disk(1 << 40, 1 << 39))
    downloader = Downloader(client, spool, max_bytes=MIB, **limits)  # type: ignore[arg-type]
    try:
        with downloader.fetch(url, name="g_0", token="t", keep_going=lambda: None):
            return "ok"
    except MediaError as error:
        assert len(str(error)) < 500
        return error.code
    finally:
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("hop", range(5))
def test_no_hop_leads_inside(client: httpx.Client, tmp_path: Path, address: str, hop: int) -> None:
    pages = [moved(b"https://inside.example/" if at == hop else b"/") for at in range(hop + 1)]
    INTERNET.build(*pages, inside=[[address]])
    assert fetch(client, tmp_path, URL) == "media.refused"
    assert INTERNET.called == [PUBLIC] * (hop + 1)


@pytest.mark.parametrize("address", PRIVATE)
def test_one_inside_address_among_public_ones_refuses_the_name(
    client: httpx.Client, tmp_path: Path, address: str
) -> None:
    for found in ([address], [PUBLIC, address], [address, PUBLIC], [PUBLIC] * 9 + [address]):
        INTERNET.build(media=[found])
        assert fetch(client, tmp_path, URL) == "media.refused"
        assert INTERNET.called == []


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_changes_its_address_is_refused_at_the_second_look(
    client: httpx.Client, tmp_path: Path, address: str
) -> None:
    INTERNET.build(moved(b"/again"), media=[[PUBLIC], [address]])
    assert fetch(client, tmp_path, URL) == "media.refused"
    assert INTERNET.called == [PUBLIC]


ODD_LOCATIONS = (
    *(b"https://xn--/", b"https://xn--a/", b"https://xn--ls8h.la/", b"https://\xff/", b"https://"),
    *(b"https://[::1/", b"https://[::1]/", b"https://a..b/", b"https://%00/", b"https://a%2eb/"),
    *(b"https://2130706433/", b"https://0x7f.1/", b"https://0177.1/", b"https://127.1/"),
    *(
        "https://\uff11\uff12\uff17.0.0.1/".encode(),
        "https://\u2100.example/".encode(),
        "https://\xad/".encode(),
    ),
    *(b"https://inside.example\\@media.example/", b"https://media.example\\@inside.example/"),
    *(b"https://media.example@inside.example/", b"https://inside.example#@media.example/"),
    *(b"https://inside.example:443@media.example/", b"\\\\inside.example\\a", b"//inside.example"),
    *(b"file:///etc/passwd", b"ftp://media.example/", b"gopher://media.example/", b"data:,x"),
    *(
        b"http://media.example/",
        b"HTTP://media.example/",
        b"https://media.example:22/",
        b"mailto:x",
    ),
    *(b"https://media.example:0/", b"https://media.example:99999/", b"https://media.example:x/"),
    *(b"https://a:b@media.example/", b"\thttps://inside.example/", b"https:\t//inside.example/"),
    *(b"?" + b"x" * 70_000, b"/" + b"x" * 7_000, b"https://" + b"a" * 300 + b"/", b"https:///x"),
)


@pytest.mark.parametrize("location", ODD_LOCATIONS, ids=lambda each: each[:24].decode("latin-1"))
def test_an_odd_redirect_ends_in_a_named_error_or_at_the_public_host(
    client: httpx.Client, tmp_path: Path, location: bytes
) -> None:
    INTERNET.build(moved(location))
    code = fetch(client, tmp_path, URL)
    assert code in ("ok", "media.refused", "media.broken", "media.unreachable")
    assert set(INTERNET.called) == {PUBLIC}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


written = st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode())


@given(written, st.sampled_from((b"", b"https://", b"//", b"https://media.example")))
def test_any_redirect_ends_in_a_named_error_or_at_a_public_host(
    client: httpx.Client, folder: Path, location: bytes, start: bytes
) -> None:
    INTERNET.build(moved(start + location))
    fetch(client, folder, URL)
    assert all(map(is_public, INTERNET.called))


@given(st.text(max_size=40), st.sampled_from(("", "https://", "https://media.example")))
def test_any_url_ends_in_a_named_error_or_at_a_public_host(
    client: httpx.Client, folder: Path, text: str, start: str
) -> None:
    INTERNET.build()
    fetch(client, folder, start + text)
    assert all(map(is_public, INTERNET.called))


def test_a_chain_without_end_is_left(client: httpx.Client, tmp_path: Path) -> None:
    INTERNET.build(*(moved(b"/%d" % at) for at in range(100)))
    assert fetch(client, tmp_path, URL) == "media.broken"
    assert len(INTERNET.called) == 6


BOMB = gzip.compress(bytes(64 * MIB), mtime=0)
OK = b"HTTP/1.1 200 OK\r\n"
#: What a host says first, and what it then says for ever.
FLOODS = {
    "endless body": (OK + b"\r\n", b"x"),
    "endless chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "one chunk of 2^64 bytes": (
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"x",
    ),
    "endless chunk extension": (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "endless trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    "length of a terabyte": (OK + b"Content-Length: 1000000000000\r\n\r\n", b"x"),
    "length of 5,000 digits": (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b"x"),
    "two lengths": (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", b"x"),
    "endless headers": (OK, b"a: b\r\n"),
    "endless header": (OK + b"a: ", b"x"),
    "endless status line": (b"HTTP/1.1 200 ", b"x"),
    "endless 1xx": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "no HTTP": (b"\x16\x03\x01\x02", b"\0"),
    "packed zeros": (
        OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
        b"x",
    ),
    "endless refusal": (b"HTTP/1.1 403 Forbidden\r\n\r\n", b"x"),
    "endless redirect": (b"HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\n", b"x"),
}


@contextmanager
def frugal(most_bytes: int, seconds: float = 10) -> Iterator[None]:
    """Fails what takes long or much memory."""
    started = time.monotonic()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most_bytes
    assert time.monotonic() - started < seconds


@pytest.mark.parametrize("flood", FLOODS)
def test_a_media_host_without_end_costs_little(tmp_path: Path, flood: str) -> None:
    codes = {"media.broken", "media.unreachable", "media.too_large", "media.dead"}
    with (
        guarded_client(connections=1, allow_private=True) as allowed,
        flooding_host(*FLOODS[flood]) as url,
        frugal(8 * MIB),
    ):
        found = fetch(allowed, tmp_path, f"{url}/a", wait_seconds=0.3, transfer_seconds=1)
    assert found in codes


@pytest.mark.parametrize("flood", FLOODS)
def test_a_kie_without_end_costs_little(flood: str) -> None:
    with (
        flooding_host(*FLOODS[flood]) as url,
        kie_http(url, connections=1) as http,
        frugal(8 * MAX_BODY_BYTES),
    ):
        assert isinstance(KieClient(http, "key", ask_seconds=0.3).ask("market", "t"), AskFailed)


@pytest.mark.parametrize("flood", FLOODS)
def test_after_a_create_without_end_nobody_knows(flood: str) -> None:
    with flooding_host(*FLOODS[flood]) as url, kie_http(url, connections=1) as http:
        answer = KieClient(http, "key", create_seconds=0.3).create("market", "m", {}, None)
    assert isinstance(answer, Unknown)


@pytest.mark.parametrize("flood", FLOODS)
def test_a_storage_without_end_costs_little(flood: str) -> None:
    with (
        flooding_host(*FLOODS[flood]) as url,
        storage_http(url, "key", connections=1, stall_seconds=1) as http,
        frugal(4 * MAX_ANSWER_BYTES),
        pytest.raises((StorageError, RefusalError)),
        outage_told("asking"),
        time_limit(0.3),
    ):
        http.get("/bucket").json()


def test_an_answer_of_kie_that_comes_packed_is_read_all_the_same() -> None:
    body = gzip.compress(b'{"code":200,"data":{"taskId":"t","state":"waiting"}}', mtime=0)
    headers = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with flooding_host(OK + headers + body, b"x") as url, kie_http(url) as http:
        assert isinstance(KieClient(http, "key").ask("market", "t"), Report)


@pytest.mark.parametrize(
    "content_range", ["bytes 1-2/" + "9" * 5000, "bytes " + "9" * 5000 + "-2/3", "bytes ²-3/4"]
)
def test_a_range_that_is_no_number_is_broken(tmp_path: Path, content_range: str) -> None:
    head = {"etag": '"v1"', "content-length": "9"}
    rest = {"content-range": content_range.encode()}
    answers = iter([httpx.Response(200, headers=head, stream=httpx.ByteStream(b"a"))])

    def answer(_: httpx.Request) -> httpx.Response:
        return next(answers, httpx.Response(206, headers=rest))

    with httpx.Client(transport=httpx.MockTransport(answer)) as mocked:
        assert fetch(mocked, tmp_path, "https://media.example/a") == "media.broken"
