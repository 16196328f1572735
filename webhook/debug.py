"""`GET /api/debug/kie`: everything known of a generation, and what it means."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from core.diagnosis import Facts, diagnose
from core.facts import recorded_facts, with_kie, with_storage
from core.generation.model import Generation
from core.views import diagnosis_view, facts_view, generation_view
from webhook.reading import read_which
from webhook.services import services

blueprint = Blueprint("debug", __name__)

NEWEST = 10


@blueprint.get("/api/debug/kie")
def debug() -> Response:
    """One generation in every respect, or the diagnoses of the newest."""
    generation = read_which(services().core.queries)
    if generation is None:
        newest = services().core.queries.page(limit=NEWEST).items
        return jsonify({"generations": [_in_short(each) for each in newest]})
    facts = _all_facts(generation)
    return jsonify(facts_view(facts, diagnose(facts)))


def _all_facts(generation: Generation) -> Facts:
    """KIE is asked where a place to wait for its answer is free."""
    core, waiting = services().core, services().waiting
    facts = with_storage(core, recorded_facts(core, generation))
    with waiting.turn(waiting.sync_seconds) as turn:
        return with_kie(core, facts) if turn.has_place else facts


def _in_short(generation: Generation) -> dict[str, Any]:
    facts = recorded_facts(services().core, generation)
    return {
        "generation": generation_view(generation),
        "diagnosis": diagnosis_view(diagnose(facts)),
    }
