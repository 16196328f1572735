"""How it went over time."""

from __future__ import annotations

import streamlit as st

from dashboard.overview import charts
from dashboard.overview.view import View
from dashboard.words import overview as words


def show_trends(view: View) -> None:
    """Outcomes, success rate and latency."""
    st.subheader(words.OUTCOMES)
    st.altair_chart(charts.outcomes(view.outcomes, view.window), key="overview_outcomes")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(words.SUCCESS_OVER_TIME)
        st.altair_chart(charts.success_rate(view.rates, view.window), key="overview_success")
    with right:
        st.subheader(words.LATENCY_OVER_TIME)
        st.altair_chart(charts.latency(view.latency, view.window), key="overview_latency")
