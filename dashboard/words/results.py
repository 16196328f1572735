"""Words of the results."""

from __future__ import annotations

from collections.abc import Mapping

from core.generation.model import Channel, Status
from dashboard.words.common import CHANNEL, KIND, PERIOD, STATUS

NAME: Mapping[str, str] = {
    "status": "Status",
    "kind": "Kind",
    "period": "Created within",
    "words": "Words in the prompt",
    "model": "Model",
    "user": "User",
    "via": "Who brought the result",
    "code": "Error code",
}
ANY: Mapping[str, str] = {
    "status": "Any",
    "kind": "Any",
    "period": "Any time",
    "words": "All, in any case",
    "model": "Any",
    "user": "Exactly as recorded",
    "via": "Anybody",
    "code": "Such as media.gone",
}
CHOICE: Mapping[str, Mapping[str, str]] = {
    "status": {**{status: STATUS[status].word for status in Status}, "open": "Open"},
    "kind": {kind: look.word for kind, look in KIND.items()},
    "period": PERIOD,
    "via": {channel: CHANNEL[channel].word for channel in Channel},
}
MORE = "More filters"
CLEAR = "Clear all"
REMOVE = "Remove this filter"
VIEW = "View"
GALLERY, TABLE = "Gallery", "Table"
NEWEST, NEWER, NEXT, FURTHER = "Newest", "Newer", "Next", "Look further back"

EMPTY = "No generation yet"
EMPTY_ADVICE = "Create one, and it appears here at once."
NOTHING = "Nothing matches these filters"
NOTHING_ADVICE = "Remove a filter, or choose a longer period."
NOTHING_YET = "Nothing found so far"
NOTHING_YET_ADVICE = "Look further back, or use another filter: it makes a search reach further."
NOTHING_HERE = "There is nothing further back."
CREATE = "Create a generation"

CSV = "CSV"
DOWNLOAD = "Download"
CSV_WHOLE = "All generations that match the filters, one row each."
CSV_TEXTS = "Prompts and error texts are cut at {limit:,} characters."

COLUMN: Mapping[str, str] = {
    "link": "Task",
    "created": "Created",
    "status": "Status",
    "code": "Error code",
    "model": "Model",
    "kind": "Kind",
    "user": "User",
    "took": "Delivered after",
    "via": "Found by",
    "credits": "Credits",
    "size": "Size",
}
LINK = "Open"
VIA: Mapping[Channel | None, str | None] = {
    None: None,
    Channel.CALLBACK: "Callback",
    Channel.POLL: "Poll",
    Channel.SYNC: "Sync",
}


def made(age: str, user: str | None) -> str:
    """When, and for whom."""
    return f"{age} · {user}" if user else age


def news(count: int) -> str:
    """What a page does not show yet."""
    return "1 new result, show it" if count == 1 else f"{count} new results, show them"


def no_news(clock: str) -> str:
    """When it was last looked for something new."""
    return f"Nothing new at {clock}"


def range_of(newest: str, oldest: str, count: int) -> str:
    """What a page shows."""
    if count == 1:
        return f"1 generation, created {newest}"
    return f"{count} generations, created from {oldest} to {newest}"


def looked_back(clock: str) -> str:
    """How far a search went."""
    return f"Searched back to {clock}, the newest first."


def csv_cut(limit: int, clock: str) -> str:
    """An export that is not whole, for its length."""
    return f"The newest {limit:,} generations that match the filters: back to {clock}."


def csv_searched(clock: str) -> str:
    """An export that is not whole, since a search goes only so far."""
    return f"What the search finds back to {clock}."
