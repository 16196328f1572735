"""The pages, and links between them: a link carries the whole view that it leads to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from dashboard.words.common import TITLE


class Place(NamedTuple):
    """A page: its file, its name in the address (the first page has none), title and icon."""

    file: str
    url_path: str
    title: str
    icon: str


OVERVIEW = Place("app_pages/overview.py", "", TITLE["overview"], ":material/monitoring:")
STUCK = Place("app_pages/stuck.py", "stuck", TITLE["stuck"], ":material/hourglass_bottom:")
TASK = Place("app_pages/task.py", "task", TITLE["task"], ":material/fingerprint:")
RESULTS = Place("app_pages/results.py", "results", TITLE["results"], ":material/photo_library:")
CREATE = Place("app_pages/create.py", "create", TITLE["create"], ":material/add_circle:")
SYSTEM = Place("app_pages/system.py", "system", TITLE["system"], ":material/settings_heart:")
PLACES = (OVERVIEW, STUCK, TASK, RESULTS, CREATE, SYSTEM)


class Link(NamedTuple):
    """Where a number or a name leads."""

    place: Place
    query: Mapping[str, str]

    @property
    def url(self) -> str:
        """Relative to any page of the dashboard: for links inside tables."""

        return (
            f"{self.place.url_path}?{urlencode(self.query)}" if self.query else self.place.url_path
        )


def to_task(generation_or_task_id: str) -> Link:
    """One generation, by our id or KIE's."""
    return Link(TASK, {"id": generation_or_task_id})


def to_results(**filters: str | None) -> Link:
    """A list. Filters: `status` (a status or `open`), `kind`, `model`, `user`, `period`, `via`,
    `code`, `words`."""
    return Link(RESULTS, {name: value for name, value in filters.items() if value})


def to_stuck(**filters: str | None) -> Link:
    """The stuck list. Filters: `reason`, `model`, `user`."""
    return Link(STUCK, {name: value for name, value in filters.items() if value})
