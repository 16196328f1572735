"""Identifiers: generations sort by creation, lease tokens cannot be guessed."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then randomness.

    Greater than all that this process made before, within a millisecond too.
    """
    global _last
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    with _lock:
        # Not by one: a process that was forked goes on from the same id.
        _last = max(value, _last + 1 + secrets.randbits(32))
        return str(uuid.UUID(int=_last))


def made_at(generation_id: str) -> datetime | None:
    """When an id of ours was made; None: it is an adopted one, which does not tell."""
    try:
        value = uuid.UUID(generation_id)
        moment = datetime.fromtimestamp((value.int >> 80) / 1000, UTC)
    except ValueError:
        return None
    return moment if value.version == 7 else None


def new_token() -> str:
    """A lease token."""
    return secrets.token_hex(12)
