"""The comparison of database, KIE and storage as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.diagnosis import Facts
from core.kie.report import AskFailed
from dashboard import formats, reader
from dashboard.markdown import plain
from dashboard.parts.looks import inline
from dashboard.task.answers import Heard
from dashboard.task.comparison import Line, compare
from dashboard.words import task as words


def sides(facts: Facts, heard: Heard) -> None:
    """Who says what; what KIE has not answered yet is left open, and nothing waits for it."""
    st.subheader(words.COMPARISON)
    lines = compare(facts, reader.zone())
    columns = [words.FIELD, words.AGREEMENT, words.DATABASE, words.KIE, words.STORAGE]
    st.table(
        pd.DataFrame(map(_cells, lines), columns=columns), border="horizontal", hide_index=True
    )
    st.caption(plain(_remark(facts, heard)))


def _cells(line: Line) -> tuple[str, ...]:
    said = (line.database, line.kie, line.storage)
    return (plain(line.field), _verdict(line.differs), *map(plain, said))


def _verdict(differs: bool | None) -> str:
    if differs is None:
        return ""
    return inline(words.DIFFERS if differs else words.AGREES)


def _remark(facts: Facts, heard: Heard) -> str:
    if heard.at is None:
        return words.ASKING_KIE if heard.is_asking else words.NO_TASK_TO_ASK_ABOUT
    asked = words.asked(formats.ago(heard.at, facts.now))
    if isinstance(facts.kie, AskFailed) and facts.kie.message:
        return f"{asked} {facts.kie.message}"
    return asked
