"""Asking back before an operator's act, doing it, and telling what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import pandas as pd
import streamlit as st

from core.errors import AppError, StoreUnavailableError
from core.generation.model import Generation
from core.generation.operating import Order
from core.operator import MAX_REASON_LENGTH
from core.wiring import policy
from dashboard import resources
from dashboard.access.login import Visitor, known_visitor
from dashboard.acts.plan import Act, Chosen, Plan, expected_cost, plan
from dashboard.boundary import boundary
from dashboard.markdown import plain
from dashboard.navigation import to_task
from dashboard.words import acts as words

_STATE, _NEWS = "acts_open", "acts_news"
_SHOWN_ROWS, _TABLE_HEIGHT = 8, 320


@dataclass(slots=True)
class _Opened:
    """The open dialog. It outlives a run of the page, so that no refresh closes it."""

    key: str
    act: Act
    chosen: Chosen
    #: What came of it, by id: '' for done. A second click goes on where the first was interrupted.
    outcomes: dict[str, str] = field(default_factory=dict)


def open_dialog(act: Act, chosen: Chosen, *, key: str) -> None:
    """Have `show_dialog` ask back before this act. `key`: of what is looked at."""
    st.session_state[_STATE] = _Opened(key, act, chosen)


def show_dialog(visitor: Visitor, *, key: str) -> None:
    """The dialog that is open, if any: what it would do, what it has to be told, what it did."""
    if _NEWS in st.session_state:
        act = st.session_state.pop(_NEWS)
        st.toast(words.DONE[act], icon=words.ICON[act])
    opened = st.session_state.get(_STATE)
    if opened is None or opened.key != key:
        return
    title, icon = words.TITLE[opened.act], words.ICON[opened.act]
    dialog = st.dialog(title, width="medium", icon=icon, on_dismiss=_close)(_dialog)
    dialog(opened, visitor)


def carry_out(act: Act, seen: Generation, told: str, order: Order) -> Generation:
    """Do it to one, as it was seen. `told`: the reason of a giving up, the task id of an attaching.

    Raises what core.operator raises.
    """
    operator = resources.core().operator
    match act:
        case Act.LOOK_AGAIN:
            return operator.look_again(seen.id, order)
        case Act.GIVE_UP:
            return operator.give_up(seen.id, told, order)
        case Act.ATTACH:
            return operator.attach(seen.id, told, order)
        case Act.SEND_AGAIN:
            return operator.send_again(seen.id, seen.submit_started_at, order)
        case _:
            assert_never(act)


def outcome_table(generations: Sequence[Generation], outcomes: Mapping[str, str]) -> pd.DataFrame:
    """Columns `generation` (a link), `model`, `outcome` in words.

    `outcomes`: why not, '' for done; of those that are not named nothing is known yet.
    """
    rows = [
        (to_task(one.id).url, one.model, words.outcome(outcomes.get(one.id))) for one in generations
    ]
    return pd.DataFrame(rows, columns=["generation", "model", "outcome"])


def _close() -> None:
    st.session_state.pop(_STATE, None)


def _dialog(opened: _Opened, visitor: Visitor) -> None:
    with boundary():
        known = known_visitor()
        if known is None or not known.may_act:  # it left, and the dialog is still open
            return
        now, rules = resources.core().store.now(), policy(resources.settings())
        if opened.chosen.is_one:
            _name_it(opened.chosen.generations[0])
        would = plan(opened.act, opened.chosen.generations, now, rules)
        waiting = [one for one in would.possible if one.id not in opened.outcomes]
        if opened.outcomes and not waiting:
            _tell_outcomes(opened)
        else:
            _tell_plan(opened.act, would)
        if waiting:
            told = _form(opened.act, len(waiting))
            if told is not None:
                _carry_out_all(opened, waiting, told, visitor)
                _finish(opened)
        if not opened.chosen.is_one:
            _table(opened, would)


def _name_it(one: Generation) -> None:
    st.text(f"{one.model}, {one.id}")


def _tell_plan(act: Act, would: Plan) -> None:
    st.markdown(words.HELP[act])
    if len(would.possible) + len(would.refused) > 1:
        st.markdown(f"**{words.would(act, len(would.possible), len(would.refused))}**")
    for why, number in would.reasons:
        st.text(words.cannot(number, why))
    if act is Act.SEND_AGAIN:
        cost = expected_cost(would.possible, resources.usual())
        st.warning(words.cost(cost), icon=":material/payments:")


def _tell_outcomes(opened: _Opened) -> None:
    refusals = sum(1 for why in opened.outcomes.values() if why)
    done = len(opened.outcomes) - refusals
    st.markdown(f"**{words.did(done, refusals)}** {words.DONE[opened.act] if done else ''}")
    if st.button(words.CLOSE, key="acts_close", type="primary"):
        _close()
        st.rerun()


def _form(act: Act, number: int) -> str | None:
    """What the act has to be told, once that is complete and sent; None until then."""
    with st.form("acts_form", border=False):
        told = _input(act)
        is_sent = st.form_submit_button(
            words.submit(act, number), key="acts_submit", type="primary", icon=words.ICON[act]
        )
        if is_sent and told is None:
            st.error(words.MISSING[act], icon=":material/edit:")
    return told if is_sent else None


def _input(act: Act) -> str | None:
    match act:
        case Act.LOOK_AGAIN:
            return ""
        case Act.GIVE_UP:
            why = st.text_area(words.REASON, help=words.REASON_HELP, max_chars=MAX_REASON_LENGTH)
            return why.strip() or None
        case Act.ATTACH:
            return st.text_input(words.TASK_ID, max_chars=128).strip() or None
        case Act.SEND_AGAIN:
            return "" if st.checkbox(words.CONFIRM) else None
        case _:
            assert_never(act)


def _carry_out_all(opened: _Opened, waiting: list[Generation], told: str, visitor: Visitor) -> None:
    order = opened.chosen.order(visitor.name)
    progress = st.progress(0.0)
    for done, seen in enumerate(waiting):
        progress.progress(done / len(waiting), text=words.doing(done, len(waiting)))
        try:
            carry_out(opened.act, seen, told, order)
            opened.outcomes[seen.id] = ""
        except StoreUnavailableError:
            raise
        except AppError as error:
            opened.outcomes[seen.id] = str(error)
    progress.empty()


def _finish(opened: _Opened) -> None:
    why = next(iter(opened.outcomes.values()))
    if opened.chosen.is_one and why:
        opened.outcomes.clear()
        st.error(f"{words.NOT_DONE}: {plain(why)}", icon=":material/block:")
        return
    if opened.chosen.is_one:
        _close()
        st.session_state[_NEWS] = opened.act
    st.rerun()


def _table(opened: _Opened, would: Plan) -> None:
    generations = opened.chosen.generations
    st.dataframe(
        outcome_table(generations, {**would.refused, **opened.outcomes}),
        key="acts_table",
        hide_index=True,
        height=_TABLE_HEIGHT if len(generations) > _SHOWN_ROWS else "auto",
        column_config={
            "generation": st.column_config.LinkColumn(
                words.GENERATION, display_text=r"id=(.+)", width="medium"
            ),
            "model": st.column_config.TextColumn(words.MODEL),
            "outcome": st.column_config.TextColumn(words.OUTCOME, width="large"),
        },
    )
