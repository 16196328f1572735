"""One generation, part by part. What it still waits for refreshes itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import streamlit as st

from core.diagnosis import Facts
from core.generation.model import Generation, Status
from core.wiring import policy
from dashboard import resources
from dashboard.access.login import Visitor
from dashboard.acts.buttons import offer_acts
from dashboard.acts.plan import Act, refusal
from dashboard.boundary import live
from dashboard.task.advice import naming_the_button
from dashboard.task.diagnosis import diagnosis
from dashboard.task.export import as_json, everything
from dashboard.task.facts import facts_of, heard_of
from dashboard.task.head import head
from dashboard.task.result import result
from dashboard.task.sides import sides
from dashboard.task.story import callbacks, timeline
from dashboard.task.watching import (
    HURRIED_AT_MOST_EVERY,
    REFRESH_SECONDS,
    landmark,
    may_be_hurried,
)
from dashboard.viewing import shown_diagnosis, shown_facts, shown_generation
from dashboard.words import task as words

Part = Callable[[Facts, bool], None]


def show(generation: Generation, visitor: Visitor) -> None:
    """The page of a generation."""
    is_open, may_see = not generation.is_final, visitor.may_act
    is_asking = heard_of(generation).is_asking  # first of all: KIE answers while the page is made
    draw = live(REFRESH_SECONDS)(_draw) if is_open else _draw
    if is_open:
        _watched_head(generation.id, landmark(generation), may_see)
    else:
        head(generation)
    is_delivered = generation.status is Status.SUCCESS  # else what it lacks comes first
    if is_delivered:
        result(shown_generation(generation, may_see))
    draw(_diagnosis, generation.id, may_see)
    offer_acts(generation, visitor, key="task")
    if not is_delivered:
        result(shown_generation(generation, may_see))
    draw(_details, generation.id, may_see)
    if is_asking and not is_open:
        _awaited_answer(generation)
    _more(generation, may_see)


@live(REFRESH_SECONDS)
def _watched_head(generation_id: str, known: Hashable, may_hurry: bool) -> None:
    """The head as it is now; the whole page anew once it has other parts to show."""
    core = resources.core()
    generation = core.queries.by_id(generation_id)
    if generation is None or landmark(generation) != known:
        st.rerun()
    now = core.store.now()
    if may_hurry and may_be_hurried(generation, now):
        core.store.generations.wake(generation_id, asked_before=now - HURRIED_AT_MOST_EVERY)
    head(generation)


@live(1)
def _awaited_answer(generation: Generation) -> None:
    """Nothing; the whole page anew once KIE has answered."""
    if not heard_of(generation).is_asking:
        st.rerun()


def _draw(part: Part, generation_id: str, may_see: bool) -> None:
    """A part as it is now; nothing where the generation was deleted meanwhile."""
    generation = resources.core().queries.by_id(generation_id)
    if generation is not None:
        part(facts_of(generation), may_see)


def _diagnosis(facts: Facts, may_see: bool) -> None:
    found = shown_diagnosis(facts, may_see)
    rules = policy(resources.settings())
    offers = may_see and not refusal(Act.LOOK_AGAIN, facts.generation, facts.now, rules)
    diagnosis(naming_the_button(found) if offers else found)


def _details(facts: Facts, may_see: bool) -> None:
    shown = shown_facts(facts, may_see)
    sides(shown, heard_of(facts.generation))
    timeline(shown)
    st.subheader(words.CALLBACKS)
    callbacks(shown.callbacks)
    if not shown.callbacks:
        st.caption(words.NO_CALLBACKS)


def _more(generation: Generation, may_see: bool) -> None:
    """What few need: the input, and everything in one file."""
    if may_see:
        with st.expander(words.INPUT, icon=":material/edit_note:"):
            st.code(generation.prompt or "", language=None, wrap_lines=True)
            st.code(as_json(generation.input), language="json", wrap_lines=True)
    st.download_button(
        words.EVERYTHING,
        lambda: _export(generation.id, may_see),
        file_name=f"{generation.id}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _export(generation_id: str, may_see: bool) -> str:
    generation = resources.core().queries.by_id(generation_id)
    if generation is None:
        return as_json(None)
    facts = facts_of(generation)
    return everything(shown_facts(facts, may_see), shown_diagnosis(facts, may_see))
