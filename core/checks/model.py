"""What a check is made of and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import httpx

from core.checks.sample import Sample
from core.disk import DiskUsage
from core.fetching import Provider
from core.masking import cap
from core.settings import Settings
from core.storage.port import AssetStorage
from core.store.database import Database

QUOTED_BYTES = 300


class CheckState(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # results arrive, but late, at risk or not for long
    FAILED = "failed"  # results do not arrive, cannot be opened or are open to others
    UNKNOWN = "unknown"  # it could not be asked, or nothing shows it yet


WORST_FIRST = (CheckState.FAILED, CheckState.WARNING, CheckState.UNKNOWN, CheckState.OK)


@dataclass(frozen=True, slots=True)
class Check:
    """What was seen, and what to do where something can be done; no line holds a secret."""

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

    settings: Settings
    callback_secrets: tuple[str, ...]  # empty: none is set, and none was made up so far
    database: Database
    now: Callable[[], datetime]
    storage: AssetStorage
    sample: Sample
    kie: Provider
    http: httpx.Client  # an `address.plain_client`
    disk_usage: Callable[[Path], DiskUsage]


Look = Callable[[Surroundings], Outcome]


def together(findings: Sequence[Outcome], otherwise: str) -> Outcome:
    """All findings as one outcome, as bad as the worst; `otherwise`: what was seen without any."""
    if not findings:
        return Outcome(CheckState.OK, otherwise)
    state = min((finding.state for finding in findings), key=WORST_FIRST.index)
    remedies = dict.fromkeys(finding.remedy for finding in findings if finding.remedy)
    return Outcome(state, "; ".join(finding.found for finding in findings), " ".join(remedies))


def one_line(words: object) -> str:
    """An error's words, or a stranger's, in one short line that does nothing to a terminal."""
    shown = "".join(one if one.isprintable() else " " for one in str(words))
    return cap(" ".join(shown.split()), QUOTED_BYTES)


def at(place: str, error: Exception) -> str:
    """An error's words, with the place that it is about."""
    told = one_line(error)
    return told if place in told else f"{place}: {told}"


def in_bytes(size: float) -> str:
    """`812 B`, `1.4 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.4g} TB"
