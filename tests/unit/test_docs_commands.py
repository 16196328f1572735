"""What the documentation tells people to type exists, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from core.commands.cli import cli
from tests.support.docs import PAGES, ROOT, shell_lines
from webhook.openapi import openapi

LINES = shell_lines()
COMMAND = re.compile(r"python -m core\b([^|;&#>`]*)")
CURL = re.compile(r"curl [^|;]*?(/(?:api|assets)/[A-Za-z/{}]*)")
MAKE = re.compile(r"(?:^|&& )make ([a-z-]+)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
MENTIONED = re.compile(r"`(?:\.venv/bin/)?python -m core\b([^`]*)`")


def commands() -> list[str]:
    typed = [found for _, line in LINES for found in COMMAND.findall(line)]
    mentioned = [found for page in PAGES for found in MENTIONED.findall(page.read_text())]
    return sorted({command.strip() for command in typed + mentioned} - {"", "…", "...", "COMMAND"})


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


@pytest.mark.parametrize("command", commands())
def test_every_command_with_its_options_exists(command: str) -> None:
    context = click.Context(cli)
    name, found, rest = cli.resolve_command(context, shlex.split(command))
    assert found is not None
    known = {option for each in found.params for option in each.opts + each.secondary_opts}
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert options - known - {"--help"} == set(), name


@pytest.mark.parametrize("target", sorted({t for _, line in LINES for t in MAKE.findall(line)}))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", sorted({p for _, line in LINES for p in CURL.findall(line)}))
def test_every_address_that_is_called_exists(path: str) -> None:
    known = [re.sub(r"{\w+}", "[^/]+", each) for each in openapi()["paths"]]
    assert any(re.fullmatch(each, re.sub(r"{\w+}", "x", path.rstrip("/"))) for each in known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file) if file else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), link
