"""The CSV of what the filters let through, made when it is asked for."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.store.listing import Filter
from core.store.queries import LONGEST_TEXT
from dashboard import formats, reader, resources
from dashboard.results.csv import COLUMNS, TEXTS, write_csv
from dashboard.words import results as words

MOST_ROWS = 100_000


def download(filter: Filter, *, with_texts: bool) -> None:
    """A button that says beforehand where the file will be cut."""
    queries, now = resources.core().queries, resources.core().store.now()
    columns = columns_for(with_texts)
    panel = st.popover(words.CSV, icon=":material/download:", key="results_csv", on_change="rerun")
    if not panel.open:
        return
    end = queries.export_ends(filter, limit=MOST_ROWS)
    with panel:
        st.caption(_extent(filter, end))
        if with_texts:
            st.caption(words.CSV_TEXTS.format(limit=LONGEST_TEXT))
        st.download_button(
            words.DOWNLOAD,
            lambda: write_csv(queries.export(filter, columns, limit=MOST_ROWS), columns),
            file_name=file_name(filter, end, now.astimezone(reader.zone())),
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
        )


def columns_for(with_texts: bool) -> tuple[str, ...]:
    """The columns of the file."""
    return (*COLUMNS, *TEXTS) if with_texts else COLUMNS


def file_name(filter: Filter, end: datetime | None, now: datetime) -> str:
    """A name that says when, and whether there is more."""
    if end is None:
        cut = ""
    else:
        cut = f"-back-to-{end:%Y-%m-%d}" if filter.words else f"-first-{MOST_ROWS}"
    return f"generations-{now:%Y-%m-%d}{cut}.csv"


def _extent(filter: Filter, end: datetime | None) -> str:
    if end is None:
        return words.CSV_WHOLE
    clock = formats.clock(end, reader.zone())
    return words.csv_searched(clock) if filter.words else words.csv_cut(MOST_ROWS, clock)
