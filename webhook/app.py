"""The Flask app over a core. It starts no thread."""

from __future__ import annotations

from functools import partial
from threading import BoundedSemaphore

from flask import Flask, Response, request

from core.wiring import Core
from core.workers import Workers
from webhook import (
    assets,
    auth,
    callback,
    create,
    debug,
    docs,
    errors,
    generations,
    health,
    reading,
    sync,
)
from webhook.callback_keys import callback_keys
from webhook.kept import Kept
from webhook.reading import MAX_BODY_BYTES
from webhook.services import EXTENSION, Services
from webhook.waiting import Waiting

READINESS_SECONDS = 2.0
READINESS_AT_MOST_SECONDS = 10.0  # while a look hangs


def create_app(core: Core, workers: Workers, waiting: Waiting | None = None) -> Flask:
    """All endpoints; by default half of the request threads may wait for work.

    Fewer than the other half may send files, so that a callback always finds a thread.
    """
    app = Flask(__name__, static_folder=None)
    # Of a body in chunks Werkzeug reads that much and no more, so one byte tells too large ones.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1
    app.url_map.merge_slashes = False  # every resource has one name
    app.json.sort_keys = False  # type: ignore[attr-defined]
    half = max(1, core.settings.request_threads // 2)
    app.extensions[EXTENSION] = Services(
        core=core,
        workers=workers,
        waiting=waiting or Waiting(half),
        asset_places=BoundedSemaphore(max(1, half - 1)),
        callback_keys=callback_keys(core),
        readiness=Kept(
            partial(health.look, core),
            seconds=READINESS_SECONDS,
            at_most=READINESS_AT_MOST_SECONDS,
        ),
    )
    auth.register(app)
    errors.register(app)
    reading.register(app)
    for module in (create, callback, sync, generations, debug, health, assets, docs):
        app.register_blueprint(module.blueprint)
    app.after_request(_guarded)
    return app


def _guarded(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
