"""Overview: do results arrive, and if not, since when and why."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.diagnosis import Severity
from core.figures.span import PERIODS
from dashboard import address, formats, reader, resources
from dashboard.access.login import visitor
from dashboard.boundary import live
from dashboard.navigation import CREATE, OVERVIEW, Link
from dashboard.overview import reads
from dashboard.overview.headline import headline
from dashboard.overview.health import show_callback_health, show_silence
from dashboard.overview.lists import show_failures, show_models
from dashboard.overview.numbers import show_numbers
from dashboard.overview.refused import show_refused
from dashboard.overview.trends import show_trends
from dashboard.overview.view import View
from dashboard.parts.freshness import freshness
from dashboard.parts.links import page_link
from dashboard.words import overview as words
from dashboard.words.common import PERIOD, SEVERITY

PERIOD_OTHERWISE = "24h"
REFRESHED_EVERY_SECONDS = 10
STANDS_STILL_AFTER = timedelta(minutes=1)
BOX = {
    Severity.OK: st.success,
    Severity.INFO: st.info,
    Severity.WARNING: st.warning,
    Severity.ERROR: st.error,
}


def show() -> None:
    """The page."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    ):
        st.title(OVERVIEW.title, width="content")
        st.segmented_control(
            words.PERIOD_LABEL,
            list(PERIODS),
            required=True,
            key=address.remember("overview_period", _period()),
            on_change=address.chosen,
            args=("period", "overview_period"),
            format_func=PERIOD.__getitem__,
            label_visibility="collapsed",
        )
    st.caption(words.COHORTS)
    _figures(_period())


def _period() -> str:
    """The period that the address asks for."""
    asked = st.query_params.get("period", "")
    return asked if asked in PERIODS else PERIOD_OTHERWISE


@live(REFRESHED_EVERY_SECONDS)
def _figures(period: str) -> None:
    view, at = reads.figures(period, reader.zone_name())
    stuck = reads.stuck()
    found = headline(period, view.totals, stuck=stuck.all, at_risk=stuck.at_risk)
    BOX[found.severity](f"**{found.lead}** {found.sentences}", icon=SEVERITY[found.severity].icon)
    if view.silence is not None and resources.settings().sends_callback_url:
        show_silence(period, view.silence)
    if view.counted_at is None or abs(at - view.counted_at) > STANDS_STILL_AFTER:
        counted = formats.clock(view.counted_at, reader.zone(), at) if view.counted_at else None
        st.warning(words.standing_still(counted), icon=":material/pause_circle:")
    show_numbers(period, view, stuck, reads.stored())
    _show_details(period, view)
    freshness(at)


def _show_details(period: str, view: View) -> None:
    if view.totals.created == 0:
        st.subheader(words.EMPTY)
        st.caption(words.EMPTY_ADVICE)
        page_link(words.CREATE, Link(CREATE, {}), icon=CREATE.icon)
    else:
        show_trends(view)
        show_callback_health(period, view)
        show_models(period, view.models)
        show_failures(period, view.failures)
    show_refused(view.refusals, visitor())


show()
