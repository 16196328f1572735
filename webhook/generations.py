"""`/api/generations`: read one, read pages, delete one for good."""

from __future__ import annotations

import logging
from contextlib import suppress

from flask import Blueprint, Response, jsonify

from core.errors import LeaseLostError, StorageError
from core.generation.model import Generation
from core.ids import new_token
from core.store.listing import Filter
from core.views import generation_view
from webhook.errors import ApiError
from webhook.reading import found, read_query
from webhook.schemas import ListQuery
from webhook.services import services
from webhook.waiting import Turn

logger = logging.getLogger(__name__)
blueprint = Blueprint("generations", __name__, url_prefix="/api/generations")


@blueprint.get("/<generation_id>")
def read_one(generation_id: str) -> Response:
    """The generation as it is now."""
    return jsonify(generation_view(found(services().core.queries.by_id(generation_id))))


@blueprint.get("")
def read_page() -> Response:
    """A page of generations, newest first."""
    query = read_query(ListQuery)
    wanted = Filter(status=query.status, user_id=query.user_id)
    page = services().core.queries.page(wanted, before=query.cursor, limit=query.limit)
    items = [generation_view(generation) for generation in page.items]
    return jsonify({"items": items, "nextCursor": page.next_cursor and str(page.next_cursor)})


@blueprint.delete("/<generation_id>")
def delete(generation_id: str) -> Response:
    """Remove a generation's files from storage, then all that we know of it.

    `notFound`: stored files that are in no storage of the settings, and so perhaps in another one.
    """
    token = new_token()
    waiting = services().waiting
    with waiting.turn(waiting.delete_seconds) as turn:
        generation = _claimed(generation_id, token, turn)
    missing = _delete(generation)
    logger.info("deleted", extra={"event": "generation.deleted", "generation": generation.id})
    return jsonify({"deleted": generation.id, "notFound": missing})


def _claimed(generation_id: str, token: str, turn: Turn) -> Generation:
    """The generation once nobody else works on it; ApiError 404 or 409."""
    core = services().core
    while True:
        row = found(core.queries.by_id(generation_id))
        if not row.is_held(core.store.now()):
            core.store.generations.wake(row.id)
        if claimed := core.store.claims.claim(row.id, token, even_set_aside=True):
            return claimed
        if not turn.pause():
            raise ApiError(409, "generation.busy", "it is being worked on; try again later")


def _delete(generation: Generation) -> list[str]:
    """Delete all of it; the paths of stored files that were nowhere to be found."""
    core = services().core
    missing = _missing(generation)
    try:
        core.delivery.delete(generation)
    except StorageError as error:
        logger.error("%s", error, extra={"event": "storage.unavailable"})
        why = "its files cannot be removed now: the deletion goes on by itself"
        raise ApiError(503, "storage.unavailable", why) from error
    except LeaseLostError as error:
        raise ApiError(409, "generation.busy", "somebody else took it over") from error
    return missing


def _missing(generation: Generation) -> list[str]:
    """What is in no storage; nobody can tell of a deletion that goes on, or with storage away."""
    core = services().core
    if generation.delete_requested_at is not None:
        return []
    with suppress(StorageError):
        return [
            asset.path
            for asset in generation.assets
            if asset.path and asset.stored_at and core.stored_size(asset.path) is None
        ]
    return []
