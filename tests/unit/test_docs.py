"""docs/operations.md lists every word that the code can say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.checks.run import CHECKS
from core.diagnosis.remedies import PROVIDER
from webhook.auth import OPEN_ENDPOINTS

ROOT = Path(__file__).parents[2]
DOTTED = re.compile(r'"([a-z_]+\.[a-z_]+)"')
ENUM = re.compile(r"^class \w+\(StrEnum\):\n((?:[ \t].*\n|\n)+)", re.MULTILINE)
MEMBER = re.compile(r'^    [A-Z_]+ = "([a-z_.]+)"', re.MULTILINE)
#: A column, a template, a member that is never shown, and the names of routes.
NO_WORDS = {"generations.id", "storage.objects", "docs.html", "saved", *OPEN_ENDPOINTS}


def said_by_code() -> set[str]:
    sources = [
        path.read_text()
        for package in ("core", "poller", "webhook")
        for path in (ROOT / package).rglob("*.py")
    ]
    dotted = {word for source in sources for word in DOTTED.findall(source)}
    enums = [body for source in sources for body in ENUM.findall(source)]
    return (dotted | {word for body in enums for word in MEMBER.findall(body)}) - NO_WORDS


def listed() -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", (ROOT / "docs/operations.md").read_text()))


def test_every_word_of_the_code_is_listed() -> None:
    assert said_by_code() - listed() == set()


@pytest.mark.parametrize("code", PROVIDER)
def test_every_code_of_kie_with_a_remedy_is_listed(code: str) -> None:
    assert (f"provider.{code}" if code.isdecimal() else code) in listed()


@pytest.mark.parametrize("name", CHECKS)
def test_every_system_check_is_explained(name: str) -> None:
    _, section = (ROOT / "docs/operations.md").read_text().split("\n## System checks\n")
    assert f"\n| `{name}` |" in section


@pytest.mark.parametrize("word", ["delivered", "media.gone", "signature.stale", "asset.retry"])
def test_words_of_each_sort_are_collected(word: str) -> None:
    assert word in said_by_code()
