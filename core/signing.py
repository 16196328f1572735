"""Keyed hashes: how they are made, written into URLs, and compared."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence


def hmac_sha256(key: str, message: str) -> bytes:
    """The HMAC-SHA256 of two texts, whatever characters they hold."""
    return hmac.digest(_bytes(key), _bytes(message), "sha256")


def url_token(key: str, message: str) -> str:
    """The same for a URL: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(hmac_sha256(key, message)).rstrip(b"=").decode()


def matches_any(presented: str | bytes, expected: Sequence[str | bytes]) -> bool:
    """Whether one of the expected values was presented; nothing never matches.

    All are compared, each in constant time, so that the time taken tells nothing about them.
    """
    matches = [hmac.compare_digest(_bytes(presented), _bytes(value)) for value in expected]
    return any(matches) and bool(presented)


def _bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
