"""What of the list is on the page right now, and which rows of it are selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.generation.model import Generation
from dashboard.stuck.view import View

_STATE = "stuck_shown"


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows of a view, in their order."""

    view: View
    generations: Sequence[Generation]


def remember(shown: Shown) -> None:
    """Keep what is shown now; what was selected stays selected, wherever its row is."""
    places = {one.id: place for place, one in enumerate(shown.generations)}
    rows = [places[one.id] for one in selected(shown.view) if one.id in places]
    if rows != _selected_rows(shown.view):
        st.session_state[shown.view.key] = {"selection": {"rows": rows}}
    st.session_state[_STATE] = shown


def selected(view: View) -> list[Generation]:
    """The rows that are selected, as they were last shown."""
    shown = st.session_state.get(_STATE)
    if shown is None or shown.view != view:
        return []
    rows = _selected_rows(view)
    return [shown.generations[row] for row in rows if row < len(shown.generations)]


def _selected_rows(view: View) -> list[int]:
    state = st.session_state.get(view.key) or {}
    return sorted(state.get("selection", {}).get("rows", []))
