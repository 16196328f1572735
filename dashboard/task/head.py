"""What a generation is and where it stands."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.generation.model import Generation
from dashboard import formats, reader, resources
from dashboard.markdown import plain
from dashboard.parts.freshness import freshness
from dashboard.parts.looks import badge
from dashboard.task.watching import share_of_usual, with_kie_for
from dashboard.words import common
from dashboard.words import task as words


def head(generation: Generation) -> None:
    """Its status in words and everything that names it."""
    now = resources.core().store.now()
    with st.container(horizontal=True, gap="small"):
        badge(common.STATUS[generation.status])
        if generation.delivered_via is not None:
            badge(common.CHANNEL[generation.delivered_via])
    if not generation.is_final:
        _progress(generation, now)
    with st.container(horizontal=True, gap="medium"):
        for label, value in _values(generation, now):
            st.markdown(f":gray[:small[{label}]]  \n{value}", width="content")
    with st.container(horizontal=True, gap="small"):
        _to_copy(words.OUR_ID, generation.id)
        _to_copy(words.TASK_ID, generation.task_id or words.NO_TASK_ID)
    freshness(now)


def _progress(generation: Generation, now: datetime) -> None:
    st.info(plain(words.step(generation)), icon="spinner")
    elapsed = with_kie_for(generation, now)
    if elapsed is not None:
        usual = resources.usual().get(generation.model)
        st.progress(share_of_usual(elapsed, usual), text=words.at_kie(elapsed, usual))


def _values(generation: Generation, now: datetime) -> list[tuple[str, str]]:
    values = [
        (words.MODEL, plain(generation.model)),
        (words.KIND, plain(common.kind(generation.kind))),
        (words.USER, plain(generation.user_id or words.NOBODY)),
        (words.CREATED, _moment(generation.created_at, now)),
    ]
    if generation.error_code is not None:
        values.append((words.CODE, plain(generation.error_code)))
    if not generation.is_final:
        return [*values, *_in_progress(generation, now)]
    if generation.delivered_at is not None:
        values.append(
            (words.TOOK, formats.duration(generation.delivered_at - generation.created_at))
        )
    if generation.credits_consumed is not None:
        values.append((words.CREDITS, formats.credits(float(generation.credits_consumed))))
    return values


def _in_progress(generation: Generation, now: datetime) -> list[tuple[str, str]]:
    return [
        (words.OPEN_FOR, formats.duration(now - generation.created_at)),
        (words.ATTEMPT, formats.count(generation.attempts)),
        (words.LOOKED_AT, formats.ago(generation.asked_at, now)),
        (words.NEXT_LOOK, words.next_look(generation, now)),
    ]


def _moment(moment: datetime, now: datetime) -> str:
    return f"{formats.ago(moment, now)}, {formats.clock(moment, reader.zone(), now)}"


def _to_copy(label: str, value: str) -> None:
    with st.container(width=400, gap=None):
        st.caption(label)
        st.code(value, language=None, wrap_lines=True)
