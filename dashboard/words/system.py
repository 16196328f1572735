"""Words of the page System."""

from __future__ import annotations

from collections.abc import Mapping

from core.checks.model import CheckState
from dashboard.words.common import Look

STATE: Mapping[CheckState | None, Look] = {
    CheckState.OK: Look("Well", ":material/check_circle:", "green"),
    CheckState.WARNING: Look("Needs an eye", ":material/warning:", "orange"),
    CheckState.FAILED: Look("Failed", ":material/error:", "red"),
    CheckState.UNKNOWN: Look("Not known", ":material/help:", "violet"),
    None: Look("Checking", ":material/more_horiz:", "gray"),
}
CHECK: Mapping[str, str] = {
    "settings": "Settings",
    "database": "Database",
    "server": "Version",
    "connection": "Connection",
    "migration": "Migration",
    "row_security": "Row security",
    "storage": "Storage",
    "disk": "Room on disk",
    "kie": "KIE and credits",
    "clock": "Clock",
    "public_address": "Public address",
    "callbacks": "Callbacks",
    "webhook": "Webhook",
    "poller": "Poller",
}

CHECKS = "Configured and reachable"
CHECK_AGAIN = "Check again"
_ALL_WELL = "Everything is well."
CHECKING = "Checking"

STORED = "Stored"
STORED_NOTHING = "Nothing is stored yet. What is delivered appears here within seconds."
MONTH = "Month of creation"
KIND = "Kind"
FILES = "Files"
SIZE = "Size"
BYTES_ALL = "All files"

VERSIONS = "Versions"

SETTINGS = "Settings in force"
SETTING = "Variable"
VALUE = "Value"
DIFFERS = "Differs"
MEANING = "Meaning"
CHANGED = "changed"
DEFAULT = "default"
ALL = "Also those that have their default"
NONE_CHANGED = "All have their default."
HIDDEN = "for operators"


def headline(not_well: int, not_known: int) -> str:
    """How everything is, in a sentence."""
    if not not_well and not not_known:
        return _ALL_WELL
    parts = [
        f"{number} {what}"
        for number, what in ((not_well, "not well"), (not_known, "not known"))
        if number
    ]
    return f"{', '.join(parts)}."


def checked(clock: str) -> str:
    """When the slowest check was done."""
    return f"Checked {clock}"
