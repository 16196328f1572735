"""`GET /api/kie/sync`: look now, and answer with what came of it."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime, timedelta

from flask import Blueprint, Response, jsonify

from core.generation.model import Channel, Generation
from core.store.claims import Lane
from core.views import generation_view
from webhook.errors import ApiError
from webhook.reading import found, read_which
from webhook.services import services
from webhook.waiting import Turn

blueprint = Blueprint("sync", __name__)

ASKED_AT_MOST_EVERY = timedelta(seconds=2)


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
    look = _begin_look(_row(generation_id))
    if look is None:
        _wait_for_holder(generation_id, turn)
        look = _begin_look(_row(generation_id))
    if look is not None and turn.result(look) is None:  # somebody was faster
        _wait_for_holder(generation_id, turn)
    return _row(generation_id)


def _begin_look(row: Generation) -> Future[Generation | None] | None:
    """Look at a generation now; None: there is nothing to learn, or somebody is at it.

    However many want the same look, one of them gets the lease and so KIE is asked once.
    """
    core, now = services().core, services().core.store.now()
    asked_before = _asked_before(row, now)
    if not _is_worth_a_look(row, asked_before) or row.is_held(now):
        return None
    has_task = row.task_id is not None or row.candidate_task_id is not None
    if has_task and not core.store.generations.wake(row.id, asked_before=asked_before):
        return None  # somebody was faster
    submitted = row.task_id is not None or row.submit_started_at is not None
    lane = Lane.DELIVER if submitted else Lane.SUBMIT
    return services().workers.advance(row.id, Channel.SYNC, lane)


def _is_worth_a_look(row: Generation, asked_before: datetime) -> bool:
    if row.is_final and not row.gave_up:
        return False
    return row.asked_at is None or row.asked_at <= asked_before


def _asked_before(row: Generation, now: datetime) -> datetime:
    """Since when KIE must not have been asked; it will not be where a file is to be stored."""
    return now - ASKED_AT_MOST_EVERY if row.wanted is None else now


def _wait_for_holder(generation_id: str, turn: Turn) -> None:
    while _row(generation_id).is_held(services().core.store.now()) and turn.pause():
        pass


def _row(generation_id: str) -> Generation:
    return found(services().core.queries.by_id(generation_id))
