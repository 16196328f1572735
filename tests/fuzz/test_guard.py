"""The guard's judgement against IANA's registries, written down here a second time."""

from __future__ import annotations

import random
from bisect import bisect_right
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import MediaError
from core.media.guard import check_url, is_public, resolve

#: IANA's special-purpose registries (RFC 6890) and multicast: nobody's media host is there.
CLOSED_4 = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
    *("192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
    *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
)
CLOSED_6 = ("2001::/23", "2001:db8::/32", "3fff::/20")
OPEN_6 = "2000::/3"
MAPPED = int(IPv6Address("::ffff:0:0"))
NAT64 = int(IPv6Address("64:ff9b::"))
LOW_32 = (1 << 32) - 1


class Ranges:
    """Networks as sorted numbers."""

    def __init__(self, *networks: str) -> None:
        parsed = [IPv6Network(text) if ":" in text else IPv4Network(text) for text in networks]
        bounds = sorted((int(each[0]), int(each[-1])) for each in parsed)
        self._starts = [start for start, _ in bounds]
        self._ends = [end for _, end in bounds]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number <= self._ends[at]


closed_4, closed_6, open_6 = Ranges(*CLOSED_4), Ranges(*CLOSED_6), Ranges(OPEN_6)


def may_be_called(number: int, version: int) -> bool:
    """What the registries say, also about where a translator or a tunnel leads."""
    if version == 4:
        return number not in closed_4
    if number >> 32 in (MAPPED >> 32, NAT64 >> 32):
        return may_be_called(number & LOW_32, 4)
    if number >> 112 == 0x2002:  # 6to4
        return may_be_called(number >> 80 & LOW_32, 4)
    return number in open_6 and number not in closed_6


def check(number: int, version: int) -> None:
    address = IPv4Address(number) if version == 4 else IPv6Address(number)
    assert is_public(str(address)) == may_be_called(number, version), address


EDGES = [
    (int(bound) + step, 4 if "." in text else 6)
    for text in (*CLOSED_4, *CLOSED_6, OPEN_6)
    for network in [IPv4Network(text) if "." in text else IPv6Network(text)]
    for bound in (network[0], network[-1])
    for step in (-1, 0, 1)
    if 0 <= int(bound) + step < 1 << (32 if "." in text else 128)
]
TUNNELS = {
    "mapped": lambda inner: MAPPED | inner,
    "NAT64": lambda inner: NAT64 | inner,
    "6to4": lambda inner: 0x2002 << 112 | inner << 80 | 1,
    "Teredo": lambda inner: 0x20010000 << 96 | 0x08080808 << 64 | ~inner & LOW_32,
}
#: Prefixes near which a random 128-bit number never falls.
PREFIXES = (
    *((0, 96), (0xFFFF << 32, 96), (NAT64, 96), (NAT64 | 1 << 80, 48), (0xFE80 << 112, 10)),
    *((0xFC << 120, 7), (0xFF << 120, 8), (0x2002 << 112, 16), (0x20010000 << 96, 23)),
    *((0x20010DB8 << 96, 32), (0x3FFF << 112, 20), (0x2000 << 112, 3), (0xFEC0 << 112, 10)),
    (0x5F00 << 112, 16),
)


@pytest.mark.parametrize("number, version", EDGES)
def test_the_guard_agrees_at_every_edge(number: int, version: int) -> None:
    check(number, version)


@pytest.mark.parametrize("tunnel", TUNNELS)
def test_the_guard_agrees_about_every_edge_inside_a_tunnel(tunnel: str) -> None:
    for number, version in EDGES:
        if version == 4:
            check(TUNNELS[tunnel](number), 6)


@given(st.integers(min_value=0))
def test_the_guard_agrees_about_addresses_drawn_by_lot(seed: int) -> None:
    """600 addresses an example; the long profile tries 12 millions."""
    dice = random.Random(seed)
    for _ in range(200):
        check(dice.getrandbits(32), 4)
        check(dice.getrandbits(128), 6)
        prefix, length = dice.choice(PREFIXES)
        check(prefix | dice.getrandbits(128 - length), 6)


@pytest.mark.parametrize("zone", ["eth0", "1", "0x7f"])
def test_a_zone_makes_no_address_public(zone: str) -> None:
    for text in ("fe80::1", "::1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::"):
        assert not is_public(f"{text}%{zone}")


@pytest.mark.parametrize("text", ["64:ff9b:1::808:808", "64:ff9b:1:ffff:ffff:ffff:808:808"])
def test_translators_of_a_local_network_are_closed_whatever_they_lead_to(text: str) -> None:
    assert not is_public(text)


def _spelled(number: int, form: str) -> str:
    a, b, c, d = number.to_bytes(4, "big")
    return {
        "decimal": f"{number}",
        "hex": f"{number:#x}",
        "octal": f"0{number:o}",
        "octal parts": f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        "hex parts": f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        "two parts": f"{a}.{number & 0xFFFFFF}",
        "three parts": f"{a}.{b}.{number & 0xFFFF}",
        "zeros": f"{a:04o}.{b}.{c}.{d}",
    }[form]


FORMS = ("decimal", "hex", "octal", "octal parts", "hex parts", "two parts", "three parts", "zeros")


@given(st.integers(0, LOW_32) | st.sampled_from([n for n, v in EDGES if v == 4]))
def test_an_odd_spelling_is_judged_by_where_it_leads(number: int) -> None:
    """All of these are literals: nobody is asked for them."""
    for form in FORMS:
        found = resolve(_spelled(number, form), 443)
        assert [is_public(address) for address in found] == [may_be_called(number, 4)], form


urls = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(
        ("https://", "http://", "https:/", "https:\\\\", "//", "file:///", "gopher://")
    ),
    st.sampled_from(("", "a@", "a:b@", "a.example\\@", "%40", "\t", "\u3000", "[", "#@", "?@")),
    st.sampled_from(("a.example", "127.0.0.1", "\uff11\uff12\uff17.1", "\u2460.example", "[::1]")),
    st.sampled_from(("", ":443", ":80", ":0", ":99999", ":443@b.example", "\\b", "%00", "\r\n")),
    st.text(max_size=5),
)


@given(urls)
def test_only_https_on_its_own_port_without_credentials_passes(text: str) -> None:
    try:
        url = httpx.URL(text)
        check_url(url, allow_private=False)
    except (httpx.InvalidURL, MediaError):
        return
    assert (url.scheme, url.port, url.userinfo) == ("https", None, b"")
    assert url.host
