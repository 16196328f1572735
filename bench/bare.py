"""The baseline of callbacks: a bare Flask route that writes the same three rows with raw sqlite3.

The same tables and indexes, the same durability, one connection and one lock per process. It checks
nothing, logs nothing and delivers nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, request

from bench.processes import free_port, python, running, wait_for_workers
from core.settings import Settings

DATABASE = "BENCH_DATABASE"
INSERT_CALLBACK = """
INSERT INTO callbacks (id, received_at, task_id, generation_id, stage, verdict, headers, body,
                       body_sha256) VALUES (?, ?, ?, ?, 'success', 'accepted', '{}', ?, ?)
"""
WAKE = "UPDATE generations SET due_at = ?, updated_at = ? WHERE id = ?"
INSERT_EVENT = """
INSERT INTO events (generation_id, at, name, detail) VALUES (?, ?, 'callback.accepted', '{}')
"""


def create_app() -> Flask:
    """The app of one worker process."""
    app = Flask(__name__, static_folder=None)
    lock = threading.Lock()
    connection = sqlite3.connect(
        os.environ[DATABASE], timeout=10, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=FULL")

    @app.post("/api/kie/callback")
    def receive() -> Response:
        body = request.get_data(as_text=True)
        task_id = json.loads(body)["data"]["taskId"]
        generation_id = request.args["generation"]
        callback_id, now = uuid.uuid4().hex, str(datetime.now(UTC).replace(tzinfo=None))
        with lock:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                INSERT_CALLBACK, (callback_id, now, task_id, generation_id, body, callback_id)
            )
            connection.execute(WAKE, (now, now, generation_id))
            connection.execute(INSERT_EVENT, (generation_id, now))
            connection.execute("COMMIT")
        return Response('{"status":"accepted"}\n', mimetype="application/json")

    return app


@contextmanager
def bare_route(database: Path) -> Iterator[int]:
    """The bare route under the product's gunicorn settings; gives its port."""
    port, defaults = free_port(), Settings(_env_file=None)
    command = [
        *python("gunicorn", "--worker-class", "gthread"),
        *("--workers", str(defaults.web_concurrency), "--threads", str(defaults.request_threads)),
        *("--keep-alive", "5", "--no-control-socket", "--bind", f"127.0.0.1:{port}"),
        "bench.bare:create_app()",
    ]
    with running(command, database.parent, {DATABASE: str(database)}):
        wait_for_workers(port)
        yield port
