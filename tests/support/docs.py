"""The pages of the documentation, and what stands in them to be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md")])
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CONTINUED = re.compile(r"\\\n\s*")


class Block(NamedTuple):
    """A fenced block."""

    page: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text.splitlines()[0]}"


def blocks(language: str) -> list[Block]:
    """All blocks in that language."""
    return [block for page in PAGES for block in _blocks(page) if block.language == language]


def shell_lines() -> list[tuple[str, str]]:
    """Every line of every shell block, continued lines joined, and the page that it stands on."""
    return [
        (block.page, line.strip())
        for block in blocks("sh")
        for line in _CONTINUED.sub(" ", block.text).splitlines()
    ]


def _blocks(page: Path) -> Iterator[Block]:
    name = str(page.relative_to(ROOT))
    for indent, language, text in _BLOCK.findall(page.read_text()):
        yield Block(name, language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
