"""How old the data of a page is, and in whose time it is told."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard import formats, reader
from dashboard.words import common as words


def freshness(at: datetime) -> None:
    """One line at the end of what refreshes itself."""
    data = words.data_of(formats.clock(at, reader.zone()))
    st.caption(f"{data} · {words.times_in(reader.zone_name())}")
