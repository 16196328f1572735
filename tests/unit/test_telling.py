"""Every event has its sentence in the log, and none says more than it may."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import core
from core.telling import SENTENCES, told

EVENT = re.compile(
    r'(?:Event\(\s*|"name": |\bname, detail = |\bname = |\bHISTORY_PRUNED = )"([a-z_]+\.[a-z_]+)"'
)
SOURCES = [file.read_text() for file in Path(core.__file__).parent.rglob("*.py")]
EVENTS = {name for source in SOURCES for name in EVENT.findall(source)}


def test_every_event_has_a_sentence() -> None:
    assert set(SENTENCES) == EVENTS


@pytest.mark.parametrize("name", sorted(SENTENCES))
def test_a_sentence_needs_no_detail(name: str) -> None:
    assert told(name, {})[0]


def test_kies_own_words_are_not_logged() -> None:
    sentence, fields = told("ask.failed", {"code": "kie.refused", "why": "a red kite"})
    assert sentence == "KIE could not be asked (kie.refused)"
    assert fields == {"code": "kie.refused"}
