"""What a check is made of and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import httpx

from core.disk import DiskUsage
from core.masking import cap
from core.wiring import Core

QUOTED_BYTES = 200


class CheckState(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # results arrive, but late, at risk or not for long
    FAILED = "failed"  # results do not arrive or cannot be opened
    UNKNOWN = "unknown"  # it could not be asked, or nothing shows it yet


@dataclass(frozen=True, slots=True)
class Check:
    """What was seen, and what to do where it is not well; no line holds a secret."""

    name: str
    state: CheckState
    found: str
    remedy: str | None


class Outcome(NamedTuple):
    """A check without its name."""

    state: CheckState
    found: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is looked at."""

    core: Core
    http: httpx.Client  # for our own public address
    disk_usage: Callable[[Path], DiskUsage]


Look = Callable[[Surroundings], Outcome]


def one_line(words: object) -> str:
    """An error's words, or KIE's, in one short line."""
    return cap(" ".join(str(words).split()), QUOTED_BYTES)
