"""The list of checks on the page: drawn from what is known, then row by row anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.checks.model import WORST_FIRST, Check, CheckState
from core.checks.run import LOOKING
from dashboard import formats, reader, resources
from dashboard.boundary import live
from dashboard.system.checkup import Checkup
from dashboard.words import common
from dashboard.words import system as words
from dashboard.words.common import Look

LOOK_SECONDS = 10  # another session may have made them anew
NAME_WIDTH = 132  # pixels: the badges stand below each other


@st.cache_resource(show_spinner=False)
def _checkup() -> Checkup:
    return Checkup()


class _Row(NamedTuple):
    """The places of one check; each holds one element, so that a new one leaves nothing behind."""

    state: DeltaGenerator
    found: DeltaGenerator
    remedy: DeltaGenerator

    def draw(self, check: Check | None, *, shows_found: bool) -> None:
        """What was seen; None: not looked at yet. `shows_found`: paths, and words of KIE's too."""
        look = words.STATE[check.state if check else None]
        self.state.badge(look.word, icon=look.icon, color=look.color)
        self.found.text(check.found.replace("`", "") if check and shows_found else formats.NONE)
        if check and check.remedy:
            self.remedy.caption(check.remedy)
        else:
            self.remedy.empty()


@live(LOOK_SECONDS)
def checks(*, shows_found: bool) -> None:
    """All checks; those that are too old are made again, which may take seconds."""
    core, checkup = resources.core(), _checkup()
    headline = st.empty()
    with st.container(border=True, gap="small"):
        rows = {name: _row(name) for name in LOOKING}
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.button(words.CHECK_AGAIN, icon=":material/refresh:", key="system_check_again")
        age = st.empty()
    for name, row in rows.items():
        row.draw(checkup.checks.get(name), shows_found=shows_found)
    headline.markdown(_headline(checkup.checks.values()))
    if wanted or checkup.is_due(core.store.now()):
        for check in checkup.run(core):
            rows[check.name].draw(check, shows_found=shows_found)
        headline.markdown(_headline(checkup.checks.values()))
    if checkup.at:
        clock = formats.clock(checkup.at, reader.zone())
        age.caption(f"{words.checked(clock)} · {common.times_in(reader.zone_name())}")


def _headline(checks: Collection[Check]) -> str:
    states = Counter(check.state for check in checks)
    if states.total() < len(LOOKING):
        return _line(words.STATE[None], words.CHECKING)
    worst = next(state for state in WORST_FIRST if states[state])
    not_well = states[CheckState.FAILED] + states[CheckState.WARNING]
    return _line(words.STATE[worst], words.headline(not_well, states[CheckState.UNKNOWN]))


def _line(look: Look, sentence: str) -> str:
    return f":{look.color}[{look.icon}] **{sentence}**"


def _row(name: str) -> _Row:
    left, right = st.columns([1, 2], gap="small")
    with left, st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{words.CHECK[name]}**", width=NAME_WIDTH)
        state = st.empty()
    with right, st.container(gap=None):
        return _Row(state, st.empty(), st.empty())
