"""`/api/health`: the process answers. `/api/ready`: work gets done."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from core.checks.inside import STALE_AFTER
from core.errors import StorageError, StoreUnavailableError
from webhook.services import services

blueprint = Blueprint("health", __name__)

OK = "ok"


@blueprint.get("/api/health")
def health() -> Response:
    """Needs neither database nor storage."""
    return jsonify({"status": OK})


@blueprint.get("/api/ready")
def ready() -> Response:
    """A line for each thing that a delivery needs; 503 where one is missing."""
    checks = {**_database_and_poller(), "storage": _storage()}
    is_ready = all(line == OK for line in checks.values())
    response = jsonify({"status": "ready" if is_ready else "not_ready", "checks": checks})
    response.status_code = 200 if is_ready else 503
    return response


def _database_and_poller() -> dict[str, str]:
    core = services().core
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


def _storage() -> str:
    try:
        services().core.storage.check()
    except StorageError:
        return "cannot be written"
    return OK
