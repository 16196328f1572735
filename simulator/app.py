"""The simulator as a Flask application; `server.running` serves it, in a test's process too."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from simulator import api, control, files
from simulator.kie import PretendKie


def create_app(kie: PretendKie, uploads: Path) -> Flask:
    """KIE's API, its media host and the control endpoints over `kie`.

    It starts no thread: callbacks are sent by `kie.sender`, started or driven by the caller.
    """
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(api.routes(kie, uploads))
    app.register_blueprint(files.routes(kie, uploads))
    app.register_blueprint(control.routes(kie))
    return app
