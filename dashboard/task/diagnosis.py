"""What is the matter, why we think so, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from core.diagnosis import Diagnosis, Finding
from dashboard.markdown import plain, with_code
from dashboard.parts.looks import badge, inline
from dashboard.words import common
from dashboard.words import task as words


def diagnosis(found: Diagnosis) -> None:
    """The most serious finding, and the others behind it."""
    first, *others = found.findings
    st.subheader(words.DIAGNOSIS)
    badge(common.SEVERITY[first.severity])
    _finding(first)
    if others:
        with st.expander(words.more_findings(len(others)), icon=":material/list:"):
            for finding in others:
                st.markdown(inline(common.SEVERITY[finding.severity]))
                _finding(finding)


def _finding(finding: Finding) -> None:
    st.markdown(f"**{plain(finding.summary)}**")
    lists = {words.EVIDENCE: finding.evidence, words.SUGGESTIONS: finding.suggestions}
    filled = {title: lines for title, lines in lists.items() if lines}
    for column, (title, lines) in zip(st.columns(2), filled.items(), strict=False):
        with column:
            _list(title, lines)


def _list(title: str, lines: Iterable[str]) -> None:
    items = [f"- {with_code(line)}" for line in lines]
    st.markdown("\n".join([f":gray[:small[{title}]]", "", *items]))
