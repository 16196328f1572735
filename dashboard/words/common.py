"""Words that all pages share: what states, severities and channels look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from core.diagnosis import Severity
from core.generation.model import Channel, Status
from core.store.stuck import Reason

Color = Literal["red", "orange", "blue", "green", "violet", "gray"]


class Look(NamedTuple):
    """How something is shown: a colour is never the only sign of it."""

    word: str
    icon: str
    color: Color


PRODUCT = "KIE delivery"
TITLE: Mapping[str, str] = {
    "overview": "Overview",
    "stuck": "Stuck",
    "task": "Task",
    "results": "Results",
    "create": "Create",
    "system": "System",
}

STATUS: Mapping[Status, Look] = {
    Status.QUEUED: Look("Queued", ":material/schedule:", "gray"),
    Status.GENERATING: Look("Generating", ":material/autorenew:", "blue"),
    Status.SUCCESS: Look("Delivered", ":material/check_circle:", "green"),
    Status.FAILED: Look("Failed", ":material/cancel:", "red"),
}
SEVERITY: Mapping[Severity, Look] = {
    Severity.OK: Look("All is well", ":material/check_circle:", "green"),
    Severity.INFO: Look("Nothing to do", ":material/info:", "blue"),
    Severity.WARNING: Look("Needs an eye", ":material/warning:", "orange"),
    Severity.ERROR: Look("Needs somebody", ":material/error:", "red"),
}
CHANNEL: Mapping[Channel, Look] = {
    Channel.CALLBACK: Look("Announced by callback", ":material/webhook:", "green"),
    Channel.POLL: Look("Found by poll", ":material/search:", "orange"),
    Channel.SYNC: Look("Found by sync", ":material/sync:", "violet"),
}
REASON: Mapping[Reason, Look] = {
    Reason.SLOW: Look("Open too long", ":material/hourglass_bottom:", "orange"),
    Reason.AT_RISK: Look("At risk", ":material/timer:", "red"),
    Reason.SET_ASIDE: Look("Set aside", ":material/dangerous:", "red"),
    Reason.SUBMIT_UNKNOWN: Look("Submission unknown", ":material/help:", "violet"),
}
KIND: Mapping[str, Look] = {
    "image": Look("Picture", ":material/image:", "blue"),
    "video": Look("Video", ":material/movie:", "violet"),
    "audio": Look("Sound", ":material/graphic_eq:", "orange"),
    "text": Look("Text", ":material/data_object:", "green"),
    "": Look("Not known yet", ":material/draft:", "gray"),
}
PERIOD: Mapping[str, str] = {
    "1h": "1 hour",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
}

SEARCH = "Find a generation"
SEARCH_PLACEHOLDER = "Task id or our id"

DATABASE_AWAY = "The database cannot be reached"
DATABASE_AWAY_ADVICE = (
    "Nothing is lost: what was recorded is on disk, and KIE keeps results for 14 days. Check "
    "`DATABASE_URL` and the database itself; this page looks again every few seconds."
)
BROKEN = "This page failed"
BROKEN_ADVICE = "The reason is in the dashboard's log. The other pages go on."


def kind(name: str | None) -> str:
    """What a kind is called; its name, where a newer release wrote it."""
    look = KIND.get(name or "")
    return look.word if look else str(name)


def times_in(zone: str) -> str:
    """Which zone the times on a page are of."""
    return f"Times in {zone.replace('_', ' ')}"


def data_of(clock: str) -> str:
    """How old the data is."""
    return f"Data of {clock}"
