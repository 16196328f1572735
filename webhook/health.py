"""`/api/health`: the process answers. `/api/ready`: work gets done."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, jsonify

from core.checks.processes import STALE_AFTER
from core.errors import StorageError, StoreUnavailableError
from core.wiring import Core
from webhook.services import services

blueprint = Blueprint("health", __name__)

OK = "ok"
NEEDED = ("database", "poller", "storage")
#: The folder that this process runs from: a deployment waits for an answer of the new one.
RELEASE = Path.cwd().name


@blueprint.get("/api/health")
def health() -> Response:
    """Needs neither database nor storage."""
    response = jsonify({"status": OK})
    response.headers["X-Release"] = RELEASE
    return response


@blueprint.get("/api/ready")
def ready() -> Response:
    """A line for each thing that a delivery needs; 503 where one is missing."""
    lines = services().readiness.get() or dict.fromkeys(NEEDED, "being looked at")
    is_ready = all(line == OK for line in lines.values())
    response = jsonify({"status": "ready" if is_ready else "not_ready", "checks": lines})
    response.status_code = 200 if is_ready else 503
    return response


def look(core: Core) -> dict[str, str]:
    """How each of NEEDED is now; may take seconds where one of them hangs."""
    return {**_database_and_poller(core), "storage": _storage(core)}


def _database_and_poller(core: Core) -> dict[str, str]:
    try:
        core.store.database.check_writable()
        beat_at = core.queries.beat_at("poller")
    except StoreUnavailableError:
        return {"database": "cannot be written", "poller": "unknown: its beat is in the database"}
    if beat_at is None:
        return {"database": OK, "poller": "never started"}
    age = core.store.now() - beat_at
    stale = f"silent for {age.total_seconds():.0f} s"
    return {"database": OK, "poller": OK if age <= STALE_AFTER else stale}


def _storage(core: Core) -> str:
    try:
        core.storage.check()
    except StorageError:
        return "cannot be written"
    return OK
