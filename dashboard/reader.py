"""Whoever reads the page: their time zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

OTHERWISE = "UTC"


def zone_name() -> str:
    """The name of the reader's time zone, as their browser tells it; UTC where it does not."""
    return known(st.context.timezone)


def zone() -> ZoneInfo:
    """The reader's time zone."""
    return ZoneInfo(zone_name())


def known(name: str | None) -> str:
    """The name of a zone that exists: this one, or UTC."""
    try:
        return ZoneInfo(name or OTHERWISE).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return OTHERWISE
