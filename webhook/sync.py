"""`GET /api/kie/sync`: look now, and answer with what came of it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from core.generation.model import Generation
from webhook.errors import ApiError
from webhook.reading import found, read_which
from webhook.services import services
from webhook.sync_looks import is_held
from webhook.views import generation_view
from webhook.waiting import Turn

blueprint = Blueprint("sync", __name__)


@blueprint.get("/api/kie/sync")
def sync() -> Response:
    """Ask KIE how a task stands, and deliver what fits into the time."""
    generation = read_which(services().core.queries)
    if generation is None:
        raise ApiError(400, "query.invalid", "give taskId or id")
    waiting = services().waiting
    with waiting.turn(waiting.sync_seconds) as turn:
        return jsonify(generation_view(_looked_at(generation.id, turn)))


def _looked_at(generation_id: str, turn: Turn) -> Generation:
    """The generation after a look, be it ours or that of whoever is at it."""
    look = services().looks.start(generation_id)
    if look is None:
        _wait_for_holder(generation_id, turn)
        look = services().looks.start(generation_id)
    if look is not None and turn.result(look) is None:  # somebody was faster
        _wait_for_holder(generation_id, turn)
    return _row(generation_id)


def _wait_for_holder(generation_id: str, turn: Turn) -> None:
    while is_held(_row(generation_id), services().core.store.now()) and turn.pause():
        pass


def _row(generation_id: str) -> Generation:
    return found(services().core.queries.by_id(generation_id))
