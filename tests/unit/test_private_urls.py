"""Permanent URLs of private files."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from core.storage.private_urls import PrivateUrls

PATH = "user.0a1b/image/01930a3c_0_0123456789ab.png"
URLS = PrivateUrls("https://ours.test", ("new", "old"))


def signature(urls: PrivateUrls, path: str = PATH) -> str:
    """What a URL of theirs carries."""
    return parse_qs(urlsplit(urls.url(path)).query)["sig"][0]


def test_a_url_names_the_file_and_opens_it() -> None:
    assert URLS.url(PATH).startswith(f"https://ours.test/assets/{PATH}?sig=")
    assert URLS.verifies(PATH, signature(URLS))


def test_a_path_that_needs_quoting_is_quoted() -> None:
    assert URLS.url("a b/c?d#e").startswith("https://ours.test/assets/a%20b/c%3Fd%23e?sig=")


def test_the_same_file_has_the_same_url_for_ever() -> None:
    assert URLS.url(PATH) == PrivateUrls("https://ours.test", ("new", "another")).url(PATH)


def test_a_url_made_before_a_rotation_still_opens() -> None:
    before = PrivateUrls("https://ours.test", ("old",))
    assert URLS.verifies(PATH, signature(before))


def test_a_secret_that_was_left_out_opens_nothing() -> None:
    before = PrivateUrls("https://ours.test", ("leaked",))
    assert not URLS.verifies(PATH, signature(before))


def test_a_signature_opens_its_own_file_only() -> None:
    assert not URLS.verifies(PATH.replace("_0_", "_1_"), signature(URLS))


@pytest.mark.parametrize("forged", ["", "new", "é", "\ud800", "\0", "A" * 43, "A" * 1_000_000])
@pytest.mark.parametrize("path", [PATH, "", "\ud800", "../x", "\0"])
def test_hostile_signatures_are_wrong_and_no_error(path: str, forged: str) -> None:
    assert not URLS.verifies(path, forged)


def test_secrets_are_not_shown() -> None:
    assert "old" not in repr(URLS)
