"""Which addresses may be called. No test reaches the network: names and sockets are made up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import httpcore
import httpx
import pytest

from core.errors import MediaError
from core.media.guard import GuardedBackend, check_url, guarded_client, is_public, resolve

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nok"
PRIVATE = [
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "127.0.0.1",
    "0.0.0.0",
    "100.64.0.1",  # carrier-grade NAT
    "169.254.169.254",  # cloud metadata
    "192.0.2.1",
    "198.18.0.1",
    "224.0.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2001:0:a00:1::f5ff:fffe",  # Teredo, by way of 10.0.0.1
]
PUBLIC = ["8.8.8.8", "104.16.1.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


class FakeConnector(httpcore.NetworkBackend):
    """Answers every connection with one page and remembers where it went."""

    def __init__(self, *, dead: tuple[str, ...] = (), page: bytes = PAGE) -> None:
        self.called: list[str] = []
        self.dead = dead
        self.page = page

    def connect_tcp(self, host: str, *_: object, **__: object) -> httpcore.NetworkStream:
        self.called.append(host)
        if host in self.dead:
            raise httpcore.ConnectError("no route")
        return httpcore.MockStream([self.page])


def client(*answers: list[str], connector: FakeConnector | None = None) -> httpx.Client:
    look_ups: Iterator[list[str]] = cycle(answers)
    return guarded_client(
        connections=1,
        resolver=lambda _host, _port: next(look_ups),
        connector=connector or FakeConnector(),
    )


@pytest.mark.parametrize("address", PRIVATE)
def test_an_inside_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_internet_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_refused_for_good(address: str) -> None:
    connector = FakeConnector()
    backend = GuardedBackend(lambda _host, _port: ["8.8.8.8", address], connector)
    with pytest.raises(MediaError) as caught:
        backend.connect_tcp("media.example", 443)
    assert (caught.value.code, caught.value.permanent) == ("media.refused", True)
    assert connector.called == []


def test_the_socket_goes_to_the_checked_address() -> None:
    connector = FakeConnector()
    with client(["8.8.8.8"], ["10.0.0.1"], connector=connector) as guarded:
        assert guarded.get("https://media.example/").text == "ok"
    assert connector.called == ["8.8.8.8"]


def test_a_name_that_changes_is_checked_at_each_connection() -> None:
    connector = FakeConnector()
    with client(["8.8.8.8"], ["10.0.0.1"], connector=connector) as guarded:
        guarded.get("https://media.example/", headers={"connection": "close"})
        with pytest.raises(MediaError):
            guarded.get("https://other.example/")
    assert connector.called == ["8.8.8.8"]


def test_the_next_address_is_tried_when_one_is_dead() -> None:
    connector = FakeConnector(dead=("8.8.8.8",))
    with client(["8.8.8.8", "8.8.4.4"], connector=connector) as guarded:
        assert guarded.get("https://media.example/").status_code == 200
    assert connector.called == ["8.8.8.8", "8.8.4.4"]


def test_a_refusal_takes_no_connection_away() -> None:
    with client(["10.0.0.1"], ["8.8.8.8"]) as guarded:
        with pytest.raises(MediaError):
            guarded.get("https://media.example/")
        assert guarded.get("https://media.example/").text == "ok"


@pytest.mark.parametrize("addresses", [[], ["8.8.8.8"]])
def test_a_host_that_cannot_be_reached_is_a_connection_error(addresses: list[str]) -> None:
    connector = FakeConnector(dead=("8.8.8.8",))
    with client(addresses, connector=connector) as guarded, pytest.raises(httpx.ConnectError):
        guarded.get("https://media.example/")


def test_a_name_that_does_not_resolve_is_a_connection_error() -> None:
    def fails(_host: str, _port: int) -> list[str]:
        raise OSError("no such host")

    connector = FakeConnector()
    with (
        guarded_client(connections=1, resolver=fails, connector=connector) as guarded,
        pytest.raises(httpx.ConnectError),
    ):
        guarded.get("https://media.example/")


@pytest.mark.parametrize(
    "url",
    [
        "http://media.example/",
        "ftp://media.example/",
        "file:///etc/passwd",
        "//media.example/a",
        "https:///a",
        "https://user:secret@media.example/",
        "https://media.example:22/",
        "https://media.example:80/",
    ],
)
def test_a_url_that_is_not_plain_https_is_refused(url: str) -> None:
    with pytest.raises(MediaError) as caught:
        check_url(httpx.URL(url), allow_private=False)
    assert (caught.value.code, "secret" in str(caught.value)) == ("media.refused", False)


@pytest.mark.parametrize("url", ["http://user@127.0.0.1/", "ftp://127.0.0.1/", "http:///a"])
def test_some_urls_are_refused_for_a_simulator_too(url: str) -> None:
    with pytest.raises(MediaError):
        check_url(httpx.URL(url), allow_private=True)


@pytest.mark.parametrize("target", ["https://inside.example/", "http://media.example/"])
def test_every_hop_of_a_redirect_is_checked(target: str) -> None:
    page = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {target}\r\n\r\n".encode()
    connector = FakeConnector(page=page)
    with (
        client(["8.8.8.8"], ["10.0.0.1"], connector=connector) as guarded,
        pytest.raises(MediaError),
    ):
        guarded.get("https://media.example/", follow_redirects=True)
    assert connector.called == ["8.8.8.8"]


def test_private_addresses_are_called_when_allowed() -> None:
    connector = FakeConnector()
    with guarded_client(connections=1, allow_private=True, connector=connector) as allowed:
        assert allowed.get("http://127.0.0.1:9000/").text == "ok"
    assert connector.called == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost"])
def test_every_spelling_of_loopback_resolves_to_an_inside_address(host: str) -> None:
    assert not any(is_public(address) for address in resolve(host, 443))


def test_a_name_that_is_no_name_is_an_os_error() -> None:
    with pytest.raises(OSError, match="not a host name"):
        resolve("a" * 64 + ".example", 443)


def test_no_cookie_is_kept_and_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    connector = FakeConnector()
    with client(["8.8.8.8"], connector=connector) as guarded:
        guarded.get("https://media.example/")
        assert list(guarded.cookies.jar) == []
    assert connector.called == ["8.8.8.8"]


def test_the_client_asks_for_plain_bytes_and_names_itself() -> None:
    with client(["8.8.8.8"]) as guarded:
        headers = guarded.get("https://media.example/").request.headers
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("Mozilla/5.0")
    assert "authorization" not in headers
