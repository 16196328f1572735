"""Whatever somebody writes stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.markdown import plain, with_code

#: What Streamlit 1.67 looks for in text whose backslashes are gone (its StreamlitMarkdown.js).
FOUND_LATER = (
    r":\+1:|:-1:|:[\w-]+:",  # emoji, icons, its logo
    r"https?://|www(?=\.)",
    r"[-.\w+]+@[-\w]+\.[-\w]+",
    r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)",
)
TEMPTING = st.text(st.sampled_from("a1 \n\t\\`*_{}[]()<>#+-.!|~$:/@&=^'\"%w")) | st.text()


def shown(markdown: str) -> str:
    """The text that a renderer makes of escaped punctuation."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


@given(TEMPTING)
def test_nothing_of_a_text_is_lost_but_line_breaks_and_control_characters(text: str) -> None:
    printable = re.sub(r"[\x00-\x08\x0e-\x1b\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", text)
    expected = " ".join(printable.split()).replace("\u2060", "")
    assert shown(plain(text)).replace("\u2060", "") == expected


@given(TEMPTING)
def test_every_punctuation_mark_is_escaped(text: str) -> None:
    assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\[!-/:-@\[-`{-~]", "", plain(text)))


@given(TEMPTING)
@pytest.mark.parametrize("pattern", FOUND_LATER)
def test_nothing_is_found_in_it_later(pattern: str, text: str) -> None:
    assert not re.search(pattern, shown(plain(text)), re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        *(":smile:", ":material/home:", ":streamlit:", ":+1:", "a :red[b]", "$x^2$", "~~gone~~"),
        *("see https://evil.test", "WWW.evil.test", "a@evil.test", "a -> b", "1 <= 2"),
    ],
)
def test_known_temptations_stay_text(text: str) -> None:
    markdown = plain(text)
    assert not any(re.search(each, shown(markdown), re.IGNORECASE) for each in FOUND_LATER)
    assert shown(markdown).replace("\u2060", "") == text


def test_a_text_stays_on_its_line() -> None:
    assert plain("one\n\n    two\r\n# three") == r"one two \# three"


def test_a_broken_surrogate_does_not_break_the_page() -> None:
    assert plain("a\ud800b") == r"a\?b"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("ask `GET /a?b=*c*` now.", r"ask `GET /a?b=*c*` now\."),
        ("`x`", "`x`"),
        ("one ` only", r"one \` only"),
        ("`a` and ` b", r"`a` and \` b"),
        ("an empty `` one", r"an empty \`\` one"),
    ],
)
def test_what_stands_between_backticks_is_code(text: str, markdown: str) -> None:
    assert with_code(text) == markdown


@given(TEMPTING)
def test_outside_of_code_every_punctuation_mark_is_escaped(text: str) -> None:
    rest = re.sub(r"\\[!-/:-@\[-`{-~]|`[^`]+`", "", with_code(text))
    assert not re.search(r"[!-/:-@\[-`{-~]", rest)
