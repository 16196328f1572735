"""`GET /api/debug/kie`: everything known of a generation, and what it means."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify

from core.diagnosis import Facts, diagnose
from core.facts import recorded_facts, with_kie, with_storage
from core.generation.model import Generation
from core.kie.report import AskFailed
from core.views import asset_view, generation_view, record_view
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
    return jsonify(_in_full(_all_facts(generation)))


def _all_facts(generation: Generation) -> Facts:
    """KIE is asked where a place to wait for its answer is free."""
    core, waiting = services().core, services().waiting
    facts = with_storage(core, recorded_facts(core, generation))
    with waiting.turn(waiting.sync_seconds) as turn:
        return with_kie(core, facts) if turn.has_place else facts


def _in_short(generation: Generation) -> dict[str, Any]:
    facts = recorded_facts(services().core, generation)
    return {"generation": generation_view(generation), "diagnosis": _diagnosis(facts)}


def _in_full(facts: Facts) -> dict[str, Any]:
    return {
        "generation": generation_view(facts.generation),
        "kie": _kie(facts),
        "storage": _storage(facts),
        "callbacks": [record_view(row) for row in facts.callbacks],
        "events": [record_view(row) for row in facts.events],
        "diagnosis": _diagnosis(facts),
    }


def _diagnosis(facts: Facts) -> dict[str, Any]:
    return record_view(asdict(diagnose(facts)))


def _kie(facts: Facts) -> dict[str, Any] | None:
    """KIE's answer just now; None: it was not asked."""
    if facts.kie is None:
        return None
    if isinstance(facts.kie, AskFailed):
        return {"error": {"code": facts.kie.code, "message": facts.kie.message}}
    return record_view(asdict(facts.kie))


def _storage(facts: Facts) -> dict[str, Any]:
    """Each stored file with the size that storage shows; None: it is not there."""
    sizes = facts.stored_sizes or {}
    stored = [asset for asset in facts.generation.assets if asset.stored_at]
    files = [asset_view(asset) | {"foundBytes": sizes.get(asset.path or "")} for asset in stored]
    return {"problem": facts.storage_problem, "files": files}
