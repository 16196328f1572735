"""What is installed is pinned, hash by hash, and asked for in pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINNED = re.compile(
    r"[a-z0-9._-]+==[^\s;]+( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", re.IGNORECASE
)
FILES = {"requirements.txt": (), "requirements-dev.txt": ("dev",)}


def entries(name: str) -> list[str]:
    """The requirements of a file, with their continued lines."""
    text = (ROOT / name).read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines).strip())


def names(name: str) -> set[str]:
    return {canonicalize_name(entry.partition("==")[0]) for entry in entries(name)}


def asked_for(extras: tuple[str, ...]) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    more = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [Requirement(line) for line in project["dependencies"] + more]


def led_to(extras: tuple[str, ...]) -> set[str]:
    """All that pyproject.toml leads to, on any system, as far as it is installed here."""
    found: set[tuple[str, frozenset[str]]] = set()
    todo = asked_for(extras)
    while todo:
        wanted = todo.pop()
        one = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if one not in found:
            found.add(one)
            todo += _needs(wanted)
    return {name for name, _ in found}


def _needs(wanted: Requirement) -> list[Requirement]:
    try:
        lines = requires(wanted.name) or []
    except PackageNotFoundError:  # of another system
        return []
    return [needed for needed in map(Requirement, lines) if _is_meant(needed, wanted.extras)]


def _is_meant(needed: Requirement, extras: set[str]) -> bool:
    marker = str(needed.marker or "")
    chosen = re.findall(r"extra == [\"']([^\"']+)", marker)
    return not chosen or bool(set(chosen) & extras)


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_pinned_with_hashes(name: str) -> None:
    assert [entry for entry in entries(name) if not PINNED.fullmatch(entry)] == []


@pytest.mark.parametrize(("name", "extras"), FILES.items())
def test_nothing_is_installed_that_nobody_asked_for(name: str, extras: tuple[str, ...]) -> None:
    assert names(name) - led_to(extras) == set()
    assert {canonicalize_name(each.name) for each in asked_for(extras)} <= names(name)


def test_tests_run_with_the_versions_that_are_deployed() -> None:
    deployed, tested = (set(entries(name)) for name in FILES)
    assert {entry.partition(" ")[0] for entry in deployed} <= {
        entry.partition(" ")[0] for entry in tested
    }
