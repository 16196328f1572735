"""What an operator may do with the selected, or with all that match the filter."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.generation.model import Generation
from core.store.stuck import Reason
from core.wiring import policy
from dashboard import resources
from dashboard.access.login import Visitor
from dashboard.acts.buttons import act_buttons
from dashboard.acts.dialog import open_dialog, show_dialog
from dashboard.acts.plan import Act, Chosen, refusal
from dashboard.navigation import to_task
from dashboard.parts.links import page_link
from dashboard.stuck.reasons import Counts
from dashboard.stuck.shown import selected
from dashboard.stuck.view import View
from dashboard.words import stuck as words

AT_ONCE = 1000  # generations, by one act
KEY = "stuck"


def offer_bar(view: View, counts: Counts, visitor: Visitor) -> None:
    """The buttons, for operators; for everybody the way to the page of a selected one."""
    picked, total = selected(view), counts.get(view.filter.reason, 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        if total:
            label = words.scope(len(picked), total, AT_ONCE)
            st.markdown(f"**{label}**", width="content")
        if len(picked) == 1:
            page_link(words.OPEN_ONE, to_task(picked[0].id), icon=":material/fingerprint:")
        acts = _sensible(view, counts, picked) if visitor.may_act and total else []
        clicked = act_buttons(acts, KEY)
    if acts:
        st.caption(words.HOW_TO_PICK)
    for act in clicked:
        open_dialog(act, _chosen(view, picked), key=view.key)
    if visitor.may_act:
        show_dialog(visitor, key=view.key)


def _sensible(view: View, counts: Counts, picked: Sequence[Generation]) -> list[Act]:
    """The acts that something can come of."""
    if picked:
        now, rules = resources.core().store.now(), policy(resources.settings())
        found = [act for act in Act if any(not refusal(act, one, now, rules) for one in picked)]
    else:
        has_unknown = view.filter.reason in (None, Reason.SUBMIT_UNKNOWN) and counts.get(
            Reason.SUBMIT_UNKNOWN
        )
        found = [Act.LOOK_AGAIN, Act.GIVE_UP, *([Act.SEND_AGAIN] if has_unknown else [])]
    return [act for act in found if act is not Act.ATTACH or len(picked) == 1]


def _chosen(view: View, picked: Sequence[Generation]) -> Chosen:
    """What an act is about: those picked as they were shown, or all that match right now."""
    filter = view.filter
    if picked:
        return Chosen(tuple(picked), words.picked(filter))
    matching = resources.figures().stuck(filter, resources.limits(), limit=AT_ONCE)
    return Chosen(tuple(one.generation for one in matching), words.selection(filter))
