"""`GET /api/kie/sync`: look now, and answer with what came of it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from core.looking import look_at
from core.views import generation_view
from webhook.errors import ApiError
from webhook.reading import found, read_which
from webhook.services import services

blueprint = Blueprint("sync", __name__)


@blueprint.get("/api/kie/sync")
def sync() -> Response:
    """Ask KIE how a task stands, and deliver what fits into the time."""
    generation = read_which(services().core.queries)
    if generation is None:
        raise ApiError(400, "query.invalid", "give taskId or id")
    waiting = services().waiting
    with waiting.turn(waiting.sync_seconds) as turn:
        seen = look_at(services().core, services().workers, generation.id, turn)
        return jsonify(generation_view(found(seen)))
