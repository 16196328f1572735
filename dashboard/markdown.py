"""Text from outside inside a sentence of Markdown. Pure."""

from __future__ import annotations

import re

_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
#: Streamlit looks for `:names:`, addresses and arrows once the backslashes are gone.
_FOUND_LATER = re.compile(r"(?<=\S)(?=[:@])|(?<=www)(?=\.)|(?<=[<>~-])(?=[>=-])", re.IGNORECASE)
_CODE = re.compile(r"`([^`]*\w[^`]*)`")
_WORD_JOINER = "\u2060"  # has no width, and nothing breaks at it


def plain(text: str) -> str:
    """Markdown that shows the text as it is, on one line: no markup, link, icon, colour or formula.

    Control characters and those that turn the direction of writing are left out.
    """
    joined = _FOUND_LATER.sub(_WORD_JOINER, _line(text))
    return _PUNCTUATION.sub(r"\\\1", joined)


def with_code(text: str) -> str:
    """The same, but what stands between two backticks is shown as code."""
    prose = _CODE.split(text)[::2]
    code = [f"`{_line(found)}`" for found in _CODE.findall(text)]
    return "".join(_spaced(*each) for each in zip(prose, [*code, ""], strict=True)).strip()


def _spaced(prose: str, code: str) -> str:
    """Plain prose with the spaces at its ends, which separate it from code, and the code."""
    before, after = (" " if end.isspace() else "" for end in (prose[:1], prose[-1:]))
    return f"{before}{plain(prose)}{after}{code}"


def _line(text: str) -> str:
    storable = text.encode("utf-8", "replace").decode()
    return " ".join(_UNSEEN.sub("", storable).split())
