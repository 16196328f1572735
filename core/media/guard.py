"""Which addresses may be called: a client that can reach the public internet and nothing else.

The address is checked where the socket opens and the socket goes to the address that was checked,
so neither a redirect nor a name that changes between two look-ups can lead inside.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from core.deadline import BoundedTransport
from core.errors import MediaError

# KIE's media host answers 403 to the names of some HTTP libraries, httpx's default among them.
USER_AGENT = "Mozilla/5.0 (compatible; kie-delivery/1.0)"
TIMEOUT = httpx.Timeout(30, connect=10)
IDLE_SECONDS = 30
MAX_ADDRESSES = 6  # each may take the whole connect timeout
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Closed as a whole: what Python takes for public there depends on its version.
CLOSED = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # for protocols
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4, given up in 2015
    ipaddress.IPv6Network("2001::/23"),  # for protocols, Teredo among them
    ipaddress.IPv6Network("3fff::/20"),  # documentation
)

Resolver = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, in the order in which they should be tried. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"not a host name: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address literal, or the address hidden inside it, is on the public internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if embedded := _embedded(ip):
            return is_public(str(embedded))
        if ip not in GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in each for each in CLOSED)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a translator or tunnel may take the packets on to."""
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def check_url(url: httpx.URL, *, allow_private: bool) -> None:
    """Raise MediaError `media.refused` for a URL that must not be called.

    Only port 443: media hosts need no other, and other ports of public machines may be open to our
    address alone. Credentials in a URL are refused always: they would be sent on.
    """
    if url.userinfo:
        raise refused(f"the URL of {url.host} holds credentials")
    if not url.host:
        raise refused("the URL names no host")
    if url.scheme != "https" and not (allow_private and url.scheme == "http"):
        raise refused(f"{url.host} would be called by {url.scheme or 'no scheme'}, not https")
    if url.port not in (None, 443) and not allow_private:
        raise refused(f"{url.host} would be called on port {url.port}")


def refused(message: str) -> MediaError:
    """The error for an address that must not be called, however often it is tried."""
    return MediaError("media.refused", message, permanent=True)


class GuardedBackend(httpcore.NetworkBackend):
    """Opens sockets to public addresses only. Raises MediaError `media.refused` for all others."""

    def __init__(self, resolver: Resolver, connector: httpcore.NetworkBackend) -> None:
        self._resolve = resolver
        self._connector = connector

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; one bad address refuses the whole host."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._checked(host, port):
            try:
                return self._connector.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        for address in addresses:
            if not is_public(address):
                raise refused(f"{host} is at {address}, which is not a public address")
        return addresses[:MAX_ADDRESSES]


class GuardedTransport(BoundedTransport):
    """A transport whose URLs and sockets the guard watches."""

    def __init__(
        self, backend: httpcore.NetworkBackend, *, connections: int, allow_private: bool
    ) -> None:
        limits = httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=IDLE_SECONDS,
        )
        super().__init__(backend, limits)
        self._allow_private = allow_private

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, each hop of a redirect included, if its URL may be called."""
        check_url(request.url, allow_private=self._allow_private)
        return super().handle_request(request)


def guarded_client(
    *,
    connections: int,
    allow_private: bool = False,
    resolver: Resolver = resolve,
    connector: httpcore.NetworkBackend | None = None,
) -> httpx.Client:
    """A client for media hosts: guarded, without proxies or netrc, keeping no cookies.

    `allow_private` lifts the limits on scheme, port and address, for a simulator and tests.
    """
    backend = connector or httpcore.SyncBackend()
    if not allow_private:
        backend = GuardedBackend(resolver, backend)
    return httpx.Client(
        transport=GuardedTransport(backend, connections=connections, allow_private=allow_private),
        trust_env=False,
        timeout=TIMEOUT,
        headers={"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )
