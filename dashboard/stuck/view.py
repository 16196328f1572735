"""What the page's address says: which of the stuck, and from where on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.store.listing import Cursor
from core.store.stuck import Reason, StuckFilter
from dashboard import address

REASON, MODEL, USER, AFTER = "reason", "model", "user", "after"


class View(NamedTuple):
    """Some of the stuck; `after`: a page's last one, where the page begins."""

    filter: StuckFilter
    after: Cursor | None

    @property
    def key(self) -> str:
        """Of its table: another view has a selection of its own."""
        return f"stuck_table_{hash(self)}"

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves any out."""
        return self.filter != StuckFilter()


def read(query: Mapping[str, str]) -> View:
    """The view of an address; what makes no sense in it is ignored."""
    filter = StuckFilter(
        reason=_reason(query.get(REASON)),
        model=address.text(query, MODEL),
        user_id=address.text(query, USER),
    )
    return View(filter, address.cursor(query, AFTER))


def _reason(text: str | None) -> Reason | None:
    return Reason(text) if text in list(Reason) else None
