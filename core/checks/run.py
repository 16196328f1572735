"""The list of checks, carried out; and what runs here."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from core import __version__
from core.checks import (
    address,
    callbacks,
    database,
    kie,
    processes,
    row_security,
    settings,
    storage,
)
from core.checks.database import version_in_words
from core.checks.model import Check, CheckState, Look, Outcome, Surroundings, one_line
from core.errors import StoreUnavailableError
from core.store.database import Database

logger = logging.getLogger(__name__)


class Planned(NamedTuple):
    """A check of the list."""

    look: Look
    heading: str
    needs: tuple[str, ...] = ()  # the checks without which there is nothing to look at
    changes: bool = False  # it writes, and takes back what it wrote: only where that is asked for


#: By name, in an order in which each comes after what it needs.
CHECKS: Mapping[str, Planned] = {
    "settings": Planned(settings.settings, "Settings"),
    "database": Planned(database.database, "Database"),
    "server": Planned(database.server, "Database", ("database",)),
    "connection": Planned(database.connection, "Database", ("database",)),
    "migration": Planned(database.migration, "Database", ("database",)),
    "row_security": Planned(row_security.row_security, "Database", ("migration",)),
    "storage": Planned(storage.storage, "Storage"),
    "storage_write": Planned(storage.write, "Storage", ("storage",), changes=True),
    "storage_read": Planned(storage.read, "Storage", ("storage_write",), changes=True),
    "storage_url": Planned(storage.url, "Storage", ("storage_write",), changes=True),
    "storage_delete": Planned(storage.delete, "Storage", ("storage_write",), changes=True),
    "disk": Planned(storage.disk, "Storage"),
    "kie": Planned(kie.kie, "KIE"),
    "clock": Planned(kie.clock, "KIE", ("database",)),
    "public_address": Planned(address.public_address, "Public address"),
    "own_callback": Planned(
        callbacks.own_callback, "Public address", ("migration", "public_address"), changes=True
    ),
    "callbacks": Planned(callbacks.last_callback, "Public address", ("database",)),
    "webhook": Planned(processes.heartbeat("web", "webhook"), "Processes", ("database",)),
    "poller": Planned(processes.heartbeat("poller", "poller"), "Processes", ("database",)),
}
#: Those that only look, as often as a page is open.
LOOKING = tuple(name for name, planned in CHECKS.items() if not planned.changes)


def run_checks(
    around: Surroundings,
    *,
    changing: bool,
    begin: Callable[[str], None] = lambda name: None,
) -> Iterator[Check]:
    """Every check, each as soon as it is done. Whatever is away is a finding and no error.

    `changing`: also those that write something and take it back. `begin` hears what comes next.
    """
    states: dict[str, CheckState] = {}
    try:
        for name in CHECKS if changing else LOOKING:
            begin(name)
            outcome = _unasked(name, states) or _finding(CHECKS[name].look, around)
            states[name] = outcome.state
            yield Check(name, *outcome)
    finally:
        around.sample.close()


def _unasked(name: str, states: Mapping[str, CheckState]) -> Outcome | None:
    """Why there is nothing to look at, if so: the first check on the way here that is not well."""
    for needed in CHECKS[name].needs:
        if states[needed] in (CheckState.FAILED, CheckState.UNKNOWN):
            found = f"not looked at: first `{needed}` must be well"
            return _unasked(needed, states) or Outcome(CheckState.UNKNOWN, found)
    return None


def _finding(look: Look, around: Surroundings) -> Outcome:
    try:
        return look(around)
    except StoreUnavailableError as error:
        remedy = "See the checks `database` and `migration`."
        return Outcome(CheckState.UNKNOWN, f"not known: {one_line(error)}", remedy)
    except Exception as error:  # what is wrong with one must not hide what the others see
        logger.exception("a check failed", extra={"event": "check.bug"})
        found = f"not known: {type(error).__name__} in the check itself"
        return Outcome(CheckState.UNKNOWN, found, "Report it, with the log.")


def versions(database: Database | None = None) -> dict[str, str]:
    """What runs here, and in which version; a database that is given must be there."""
    known = {
        "KIE delivery": __version__,
        "Python": platform.python_version(),
        "SQLAlchemy": sa.__version__,
    }
    return known | dict([version_in_words(database)]) if database else known
