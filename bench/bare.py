"""The baseline of callbacks: a bare Flask route that writes the same three rows.

The same tables and indexes, the same durability. It checks nothing, logs nothing and delivers
nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, Response, request

from bench.bare_writes import Keep, PostgresqlKeep, SqliteKeep
from bench.processes import free_port, python, running, wait_for_workers
from core.settings import Settings
from core.store.address import is_sqlite

DATABASE = "BENCH_DATABASE"


def create_app() -> Flask:
    """The app of one worker process."""
    app = Flask(__name__, static_folder=None)
    keep = _keep(os.environ[DATABASE])

    @app.post("/api/kie/callback")
    def receive() -> Response:
        body = request.get_data(as_text=True)
        keep(request.args["generation"], json.loads(body)["data"]["taskId"], body)
        return Response('{"status":"accepted"}\n', mimetype="application/json")

    return app


def _keep(url: str) -> Keep:
    return SqliteKeep(url) if is_sqlite(url) else PostgresqlKeep(url)


@contextmanager
def bare_route(database: str, folder: Path) -> Iterator[int]:
    """The bare route under the product's gunicorn settings; gives its port."""
    port, defaults = free_port(), Settings(_env_file=None)
    command = [
        *python("gunicorn", "--worker-class", "gthread"),
        *("--workers", str(defaults.web_concurrency), "--threads", str(defaults.request_threads)),
        *("--keep-alive", "5", "--no-control-socket", "--bind", f"127.0.0.1:{port}"),
        "bench.bare:create_app()",
    ]
    with running(command, folder, {DATABASE: database}):
        wait_for_workers(port)
        yield port
