"""What the overview reads, kept for a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from core.figures.span import span
from core.store.stuck import Reason, StuckFilter
from dashboard import resources
from dashboard.overview.view import View, view_of


class StuckCounts(NamedTuple):
    """How many are stuck now, at all and at risk."""

    all: int
    at_risk: int


class Stored(NamedTuple):
    """What storage holds."""

    files: int
    bytes: int


@st.cache_data(ttl=resources.FRESH, show_spinner=False, max_entries=64)
def figures(period: str, zone: str) -> tuple[View, datetime]:
    """The figures of a period cut by a zone's clock, and when they were read."""
    now, clock = resources.core().store.now(), ZoneInfo(zone)
    shown = span(period, now, clock)
    return view_of(resources.figures().overview(shown), shown, clock), now


@st.cache_data(ttl=resources.FRESH, show_spinner=False)
def stuck() -> StuckCounts:
    """Those of all time."""
    counts = resources.figures().stuck_counts(StuckFilter(), resources.limits())
    return StuckCounts(counts[None], counts[Reason.AT_RISK])


@st.cache_data(ttl=resources.FRESH, show_spinner=False)
def stored() -> Stored:
    """Everything."""
    frame = resources.figures().storage()
    return Stored(int(frame["files"].sum()), int(frame["bytes"].sum()))


@st.cache_data(ttl=resources.FRESH, show_spinner=False, max_entries=16)
def callbacks(reason: str) -> list[Mapping[str, Any]]:
    """The newest with this reason."""
    return resources.figures().callbacks(reason)
