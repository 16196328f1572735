"""Which results are looked at and how: all of it stands in the address. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from core.figures.span import PERIODS, span
from core.generation.model import Channel, Status
from core.store.listing import Cursor, Filter
from dashboard import address
from dashboard.words.common import KIND

OPEN = "open"
TABLE = "table"
#: The values that a filter can have; the first ones that a page offers.
CHOICES: Mapping[str, Collection[str]] = {
    "status": (Status.SUCCESS, Status.FAILED, OPEN, Status.QUEUED, Status.GENERATING),
    "kind": tuple(kind for kind in KIND if kind),
    "period": tuple(PERIODS),
    "via": tuple(Channel),
}
NAMES = ("status", "kind", "period", "words", "model", "user", "via", "code")
MAX_WORDS = 8
GALLERY_SIZE, TABLE_SIZE = 24, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What an address says."""

    filters: Mapping[str, str]  # by name, without those that filter nothing
    is_table: bool = False
    before: Cursor | None = None  # None: the newest page

    @property
    def limit(self) -> int:
        """How many a page holds."""
        return TABLE_SIZE if self.is_table else GALLERY_SIZE

    @property
    def searches(self) -> bool:
        """Whether prompts are searched."""
        return "words" in self.filters

    def filter(self, now: datetime, zone: tzinfo) -> Filter:
        """The same for the database."""
        wanted = self.filters.get
        status, via, period = wanted("status"), wanted("via"), wanted("period")
        return Filter(
            status=Status(status) if status and status != OPEN else None,
            is_open=status == OPEN,
            kind=wanted("kind"),
            model=wanted("model"),
            user_id=wanted("user"),
            delivered_via=Channel(via) if via else None,
            error_code=wanted("code"),
            since=span(period, now, zone).since if period else None,
            words=tuple(wanted("words", "").split()[:MAX_WORDS]),
        )


def read(query: Mapping[str, str], *, may_search: bool) -> View:
    """The view of an address; what makes no sense in it is ignored."""
    asked = {name: address.text(query, name) for name in NAMES if may_search or name != "words"}
    return View(
        filters={
            name: value
            for name, value in asked.items()
            if value is not None and value in CHOICES.get(name, (value,))
        },
        is_table=query.get("view") == TABLE,
        before=address.cursor(query, "before"),
    )
