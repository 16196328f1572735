"""What has happened: the timeline, and the callbacks that came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.diagnosis import Facts
from dashboard import formats, reader
from dashboard.markdown import plain
from dashboard.parts.looks import inline
from dashboard.task.export import as_json
from dashboard.task.timeline import Line, tell
from dashboard.words import task as words
from dashboard.words.callbacks import reason
from dashboard.words.common import Look

Row = Mapping[str, Any]


def timeline(facts: Facts) -> None:
    """Who did what when, oldest first."""
    st.subheader(words.TIMELINE)
    lines = tell(facts.events, reader.zone(), facts.now)
    if not lines:
        st.caption(words.NO_EVENTS)
        return
    columns = [words.WHEN, words.AFTER, words.WHO, words.WHAT]
    st.table(
        pd.DataFrame(map(_cells, lines), columns=columns), border="horizontal", hide_index=True
    )


def _cells(line: Line) -> tuple[str, ...]:
    why = f": :gray[{plain(line.why)}]" if line.why else ""
    return line.when, line.after, plain(line.who), plain(line.what) + why


def callbacks(rows: Sequence[Row]) -> None:
    """Each callback with what became of it; its text only where there is any to be seen."""
    for row in rows:
        look = words.VERDICT.get(
            row["verdict"], Look(plain(row["verdict"]), ":material/help:", "gray")
        )
        at = formats.clock(row["received_at"], reader.zone())
        said = [plain(each) for each in (row["stage"], reason(row["reason"])) if each]
        st.markdown(f"{inline(look)} {' · '.join([at, *said])}")
        if "body" in row and (row["body"] or row["headers"] or row["detail"]):  # else it was pruned
            _text(row)


def _text(row: Row) -> None:
    with st.expander(words.HEADERS_AND_BODY, icon=":material/data_object:"):
        if row["detail"]:
            st.text(row["detail"])
        st.code(as_json(row["headers"]), language="json", wrap_lines=True)
        if row["body"]:
            st.code(row["body"], language="json", wrap_lines=True, height=240)
