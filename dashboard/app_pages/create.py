"""Create: one of three examples, or anything that KIE has a model for."""

from __future__ import annotations

import streamlit as st

from core.checks.processes import STALE_AFTER
from dashboard import resources
from dashboard.access.login import visitor
from dashboard.boundary import live
from dashboard.create.any_model import offer_any_model
from dashboard.create.placing import begin_anew
from dashboard.create.tests import offer_tests
from dashboard.navigation import CREATE
from dashboard.words import create as words


def show() -> None:
    """The page."""
    st.title(CREATE.title)
    who = visitor()
    resources.usual()  # where the database is away, that is told before anything is offered
    if not who.may_act:
        st.info(words.VIEWERS, icon=":material/visibility:")
        return
    _warnings()
    offer_tests(who.name)
    offer_any_model(who.name)
    begin_anew()


@live(5)
def _warnings() -> None:
    now, beat_at = resources.core().store.now(), resources.core().queries.beat_at("poller")
    if beat_at is None or now - beat_at > STALE_AFTER:
        st.warning(words.POLLER_AWAY, icon=":material/hourglass_disabled:")
    if resources.settings().kie_api_key is None:
        st.warning(words.NO_KEY, icon=":material/key_off:")


show()
