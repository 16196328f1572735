"""`POST /api/kie/createTask`: on record first, then to KIE."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify, request

from core.creating import CreateBody, CreateError, new_generation
from core.errors import StoreUnavailableError
from core.generation.model import Channel, Generation, Status
from core.store.claims import Lane
from core.store.generations import IdempotencyConflictError
from core.views import generation_view
from webhook.errors import ApiError, error_response
from webhook.reading import read_json
from webhook.services import services
from webhook.waiting import Turn

logger = logging.getLogger(__name__)
blueprint = Blueprint("create", __name__)

KIE_REFUSED = "provider."
STATUS_OF_REFUSAL = {"402": 402, "400": 422, "422": 422, "451": 422}
REFUSED_OTHERWISE = 502
MAX_KEY_LENGTH = 255


@blueprint.post("/api/kie/createTask")
def create_task() -> Response:
    """Save a generation, and let KIE make it as soon as it may."""
    body = read_json(CreateBody)
    key = _idempotency_key()
    store = services().core.store
    try:
        wanted = new_generation(body, store.now(), idempotency_key=key)
        generation, is_new = store.generations.add(wanted)
    except CreateError as error:
        raise ApiError(400, error.code, str(error)) from None
    except IdempotencyConflictError as error:
        raise ApiError(409, "idempotency.conflict", str(error)) from error
    except StoreUnavailableError as error:
        logger.error("not created: %s", error, extra={"event": "store.unavailable"})
        why = "it could not be saved, and KIE was not called: repeat it, with an Idempotency-Key"
        raise ApiError(500, "store.unavailable", why) from error
    if not is_new:
        return _answer(200, generation)
    return _outcome(_submitted(generation))


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        return key
    why = f"an Idempotency-Key has 1-{MAX_KEY_LENGTH} printable ASCII characters"
    raise ApiError(400, "idempotency.invalid", why)


def _submitted(generation: Generation) -> Generation:
    """The generation once KIE has answered, or as far as it is when the time is up."""
    waiting = services().waiting
    try:
        with waiting.turn(waiting.create_seconds) as turn:
            return _watched(generation, turn)
    except StoreUnavailableError as error:
        logger.error("created, but: %s", error, extra={"event": "store.unavailable"})
        return generation


def _watched(generation: Generation, turn: Turn) -> Generation:
    queries = services().core.queries
    future = services().workers.advance(generation.id, Channel.POLL, Lane.SUBMIT)
    row = turn.result(future) or queries.by_id(generation.id) or generation
    while row.task_id is None and row.lease_token is not None and turn.pause():
        row = queries.by_id(generation.id) or generation  # somebody else was faster
    return row


def _outcome(generation: Generation) -> Response:
    code = generation.error_code or ""
    refused = generation.status is Status.FAILED and generation.task_id is None
    if refused and code.startswith(KIE_REFUSED):
        status = STATUS_OF_REFUSAL.get(code.removeprefix(KIE_REFUSED), REFUSED_OTHERWISE)
        return error_response(status, code, generation.error or code, id=generation.id)
    return _answer(202 if generation.task_id is None else 201, generation)


def _answer(status: int, generation: Generation) -> Response:
    response = jsonify(generation_view(generation))
    response.status_code = status
    response.headers["Location"] = f"/api/generations/{generation.id}"
    return response
