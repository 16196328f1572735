"""The list of checks, carried out; and what runs here."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import sqlalchemy as sa

from core import __version__
from core.checks import inside, outside
from core.checks.model import Check, CheckState, Look, Outcome, Surroundings
from core.disk import DiskUsage
from core.errors import StoreUnavailableError
from core.wiring import Core

#: By name; those that ask over the network, and may take seconds, come last.
CHECKS: Mapping[str, Look] = {
    "database": inside.database,
    "migration": inside.migration,
    "storage": inside.storage,
    "disk": inside.disk,
    "poller": inside.heartbeat("poller", "poller"),
    "webhook": inside.heartbeat("web", "webhook"),
    "callbacks": outside.callbacks,
    "public_address": outside.public_address,
    "kie": outside.kie,
}


def run_checks(
    core: Core,
    http: httpx.Client,
    disk_usage: Callable[[Path], DiskUsage] = shutil.disk_usage,
) -> Iterator[Check]:
    """Every check, each as soon as it is done. Whatever is away is a finding and no error.

    `http` is an `outside.health_client`.
    """
    around = Surroundings(core, http, disk_usage)
    for name, look in CHECKS.items():
        yield Check(name, *_finding(look, around))


def versions() -> dict[str, str]:
    """What runs here, and in which version."""
    return {
        "KIE delivery": __version__,
        "Python": platform.python_version(),
        "SQLAlchemy": sa.__version__,
        "SQLite": sqlite3.sqlite_version,
    }


def _finding(look: Look, around: Surroundings) -> Outcome:
    try:
        return look(around)
    except StoreUnavailableError:
        found = "not known while the database is away"
        return Outcome(CheckState.UNKNOWN, found, "See the check `database`.")
