"""All that is known of the generation on the page."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.diagnosis import Facts
from core.facts import recorded_facts, with_storage
from core.generation.model import Generation
from dashboard import resources
from dashboard.task.answers import Answers, Heard


@st.cache_resource(show_spinner=False, on_release=Answers.close)
def _answers() -> Answers:
    core = resources.core()
    return Answers(core.kie.ask, core.store.now)


def heard_of(generation: Generation) -> Heard:
    """What KIE says of it just now, as far as it has answered."""
    task_id = generation.task_id or generation.candidate_task_id
    return Heard() if task_id is None else _answers().about(generation.family, task_id)


def facts_of(generation: Generation) -> Facts:
    """What database and storage know of it, and KIE's newest answer; waits for no answer."""
    core = resources.core()
    facts = with_storage(core, recorded_facts(core, generation))
    return replace(facts, kie=heard_of(generation).answer)
