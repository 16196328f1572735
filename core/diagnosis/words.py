"""Durations, moments and quotations, written for people."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from core.diagnosis.model import Facts
from core.masking import cap, mask

UNITS = ((86400, "days"), (3600, "h"), (60, "min"))  # used from two of them on
QUOTED_BYTES = 300
PROMPT_LENGTH = 8  # a shorter prompt is no secret, and may be part of any word

_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


def span(duration: timedelta) -> str:
    """How long, in the largest unit of which there are at least two: `119 s`, `2 min`, `3 days`."""
    seconds = int(abs(duration).total_seconds())
    for size, unit in UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def when(moment: datetime, now: datetime) -> str:
    """A moment as seen from now: `3 min ago`, `now`, `in 40 s`."""
    if abs(moment - now) < timedelta(seconds=1):
        return "now"
    return f"{span(now - moment)} ago" if moment < now else f"in {span(moment - now)}"


def happened(what: str, moment: datetime | None, now: datetime) -> str | None:
    """A sentence about when something happened; None where it did not."""
    return f"{what} {when(moment, now)}." if moment else None


def host(url: str | None) -> str:
    """The host of a URL, which is all that may be shown of one of KIE's."""
    try:
        return urlsplit(url or "").hostname or "an address without a host"
    except ValueError:
        return "an unreadable address"


def quoted(facts: Facts, who: str, text: str | None) -> str | None:
    """What somebody said, without credentials, addresses and the prompt."""
    if not text:
        return None
    shown = _URL.sub(lambda match: host(match[0]), mask(text))
    prompt = facts.generation.prompt or ""
    if len(prompt) >= PROMPT_LENGTH:
        shown = shown.replace(prompt, "(the prompt)")
    return f"{who}: “{cap(' '.join(shown.split()), QUOTED_BYTES)}”"


def next_look(facts: Facts) -> str:
    """When somebody will look at the generation again."""
    due_at = facts.generation.due_at
    if facts.is_held:
        return "A worker is on it now."
    if due_at is None:
        return "No next look is planned."
    return f"Next look {when(due_at, facts.now)}." if due_at > facts.now else "It is due now."


def sync(facts: Facts) -> str:
    """The advice to look at the generation at once."""
    return f"To look at once: `GET /api/kie/sync?id={facts.generation.id}`."


CHECK_POLLER = "Check that the poller runs: `GET /api/ready` has a line for its heartbeat."
