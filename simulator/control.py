"""The routes a test drives the simulator with, all JSON, all under /simulator/.

GET  /simulator/health                 {"status": "ok"}
GET  /simulator/ledger[?taskId=]       everything, or one task
GET  /simulator/faults                 what is switched on
POST /simulator/faults[?merge=true]    a scenario: replaces all faults, or adds to them
POST /simulator/tasks/{id}/finish      {"state": "success" | "fail", "failCode", "failMsg"}
POST /simulator/tasks/{id}/callback    send one now, without retries; see `_post`
POST /simulator/clock                  {"advance": seconds}

Mistakes are answered with 400, unknown tasks with 404, a final task's finish with 409; all of them
as {"error": "..."}.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from simulator.bodies import FAMILIES, ID_PLACES, SUNO_STAGES
from simulator.callbacks import MARKET, Post
from simulator.kie import PretendKie
from simulator.scenario import ScenarioError, parse
from simulator.tasks import Task

_CALLBACK_FIELDS = {
    "state": ("state", ("success", "fail", "generating", None)),
    "family": ("family", (MARKET, *FAMILIES)),
    "stage": ("stage", SUNO_STAGES),
    "idPlace": ("id_place", (*ID_PLACES, None)),
    "signature": ("signature", ("right", "wrong", "none")),
    "ageSeconds": ("age_seconds", float),
    "padBytes": ("pad_bytes", int),
    "invalidJson": ("invalid_json", bool),
    "body": ("body", dict),
}


class ControlError(ValueError):
    """A control call is wrong; the message says what."""


def routes(kie: PretendKie) -> Blueprint:
    """The control endpoints."""
    control = Blueprint("control", __name__, url_prefix="/simulator")

    @control.errorhandler(ControlError)
    @control.errorhandler(ScenarioError)
    def wrong(error: Exception) -> ResponseReturnValue:
        return {"error": str(error)}, 400

    @control.errorhandler(404)
    def unknown(error: Exception) -> ResponseReturnValue:
        return {"error": "no such task"}, 404

    @control.get("/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    @control.get("/ledger")
    def ledger() -> ResponseReturnValue:
        task_id = request.args.get("taskId")
        if task_id is None:
            return kie.ledger.view_all(kie.clock.now())
        return kie.ledger.view(_task(kie, task_id).id, kie.clock.now())

    @control.get("/faults")
    def faults() -> ResponseReturnValue:
        return _switched_on(kie)

    @control.post("/faults")
    def set_faults() -> ResponseReturnValue:
        base = kie.switches.faults if request.args.get("merge") == "true" else None
        kie.switches.set(parse(request.get_json(silent=True), base))
        return _switched_on(kie)

    @control.post("/tasks/<task_id>/finish")
    def finish(task_id: str) -> ResponseReturnValue:
        task, given = _task(kie, task_id), _object()
        if task.is_final(kie.clock.now()):
            return {"error": "the task is final"}, 409
        kie.finish(task, _failure(given))
        return kie.ledger.view(task_id, kie.clock.now())

    @control.post("/tasks/<task_id>/callback")
    def callback(task_id: str) -> ResponseReturnValue:
        task, given = _task(kie, task_id), _object()
        times, url = given.pop("times", 1), given.pop("url", task.callback_url)
        if type(times) is not int or not isinstance(url, str):
            raise ControlError("times must be a whole number; url is needed if the task has none")
        return jsonify([asdict(kie.send_extra(task, _post(kie, given), url)) for _ in range(times)])

    @control.post("/clock")
    def clock() -> ResponseReturnValue:
        seconds = _object().get("advance")
        if not isinstance(seconds, int | float) or seconds < 0:
            raise ControlError("advance must be a number of seconds from 0")
        return {"now": kie.advance(seconds)}

    return control


def _task(kie: PretendKie, task_id: str) -> Task:
    return kie.ledger.tasks.get(task_id) or abort(404)


def _object() -> dict[str, Any]:
    given = request.get_json(silent=True) if request.data else {}
    if not isinstance(given, dict):
        raise ControlError("the body must be a JSON object")
    return given


def _switched_on(kie: PretendKie) -> dict[str, Any]:
    return {name: fault for name, fault in asdict(kie.switches.faults).items() if fault}


def _failure(given: dict[str, Any]) -> tuple[str, str] | None:
    if given.get("state", "success") == "success":
        return None
    if given["state"] != "fail":
        raise ControlError("state must be success or fail")
    return str(given.get("failCode", "501")), str(given.get("failMsg", "Generation Failed"))


def _post(kie: PretendKie, given: dict[str, Any]) -> Post:
    """A callback as asked for: `state`, `family`, `stage`, `idPlace`, `signature`, `ageSeconds`,
    `padBytes`, `invalidJson`, or a whole `body`."""
    settings = {}
    for name, value in given.items():
        if name not in _CALLBACK_FIELDS:
            raise ControlError(f"unknown field: {name}")
        attribute, allowed = _CALLBACK_FIELDS[name]
        _check(name, value, allowed)
        settings[attribute] = value
    return Post(name="control", due_at=kie.clock.now(), **settings)


def _check(name: str, value: object, allowed: Any) -> None:
    if isinstance(allowed, tuple):
        if value not in allowed:
            words = ", ".join(str(word) for word in allowed if word is not None)
            raise ControlError(f"{name} must be one of {words}")
    elif not isinstance(value, (int, float) if allowed is float else allowed):
        raise ControlError(f"{name} must be of type {allowed.__name__}")
