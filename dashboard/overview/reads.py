"""What the overview reads besides the figures of its period, kept for a moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from core.figures.stuck import Reason, StuckFilter
from dashboard import resources


class Stuck(NamedTuple):
    """How many are stuck now, at all and at risk."""

    all: int
    at_risk: int


class Stored(NamedTuple):
    """What storage holds."""

    files: int
    bytes: int


@st.cache_data(ttl=resources.FRESH, show_spinner=False)
def stuck() -> Stuck:
    """Those of all time."""
    counts = resources.figures().stuck_counts(StuckFilter(), resources.limits())
    return Stuck(counts[None], counts[Reason.AT_RISK])


@st.cache_data(ttl=resources.SLOW, show_spinner=False)
def stored() -> Stored:
    """Everything."""
    frame = resources.figures().storage()
    return Stored(int(frame["files"].sum()), int(frame["bytes"].sum()))


@st.cache_data(ttl=resources.FRESH, show_spinner=False, max_entries=16)
def callbacks(reason: str) -> list[Mapping[str, Any]]:
    """The newest with this reason."""
    return resources.figures().callbacks(reason)
