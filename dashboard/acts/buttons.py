"""The operator's buttons for one generation."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import AppError
from core.generation.model import Generation
from core.wiring import policy
from dashboard import resources
from dashboard.access.login import Visitor
from dashboard.acts.dialog import carry_out, open_dialog, show_dialog
from dashboard.acts.plan import Act, Chosen, refusal
from dashboard.markdown import plain
from dashboard.words import acts as words


def offer_acts(generation: Generation, visitor: Visitor, *, key: str) -> None:
    """Buttons for what would do this generation good, and their dialogs; nothing for viewers.

    To be called outside of parts that refresh themselves.
    """
    if not visitor.may_act:
        return
    now, rules = resources.core().store.now(), policy(resources.settings())
    possible = [act for act in Act if refusal(act, generation, now, rules) is None]
    chosen = Chosen((generation,), words.THIS_ONE)
    with st.container(horizontal=True):
        clicked = act_buttons(possible, key)
    for act in clicked:
        if act is Act.LOOK_AGAIN:
            _look_again(chosen, visitor)
        else:
            open_dialog(act, chosen, key=generation.id)
    show_dialog(visitor, key=generation.id)


def act_buttons(acts: Sequence[Act], key: str) -> list[Act]:
    """A button for each, the dangerous one apart from the rest; those that were clicked.

    To be called in a horizontal container.
    """
    clicked = []
    for act in acts:
        if act is Act.SEND_AGAIN:
            st.space("stretch")
        if _button(act, key):
            clicked.append(act)
    return clicked


def _button(act: Act, key: str) -> bool:
    label = words.LABEL[act]
    return st.button(
        f":red[{label}]" if act is Act.SEND_AGAIN else label,
        key=f"{key}_{act}",
        icon=words.ICON[act],
        help=words.HELP[act],
    )


def _look_again(chosen: Chosen, visitor: Visitor) -> None:
    """Free of charge and harmless, so done without asking back."""
    try:
        carry_out(Act.LOOK_AGAIN, chosen.generations[0], "", chosen.order(visitor.name))
    except AppError as error:
        st.toast(f"{words.NOT_DONE}: {plain(str(error))}", icon=":material/block:")
    else:
        st.toast(words.DONE[Act.LOOK_AGAIN], icon=words.ICON[Act.LOOK_AGAIN])
