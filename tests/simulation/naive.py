"""The way most apps do it: the handler of the callback downloads, uploads and marks success.

Nothing here is worse than that takes: it asks for the secret, answers errors with errors, so that
KIE calls again, and leaves alone what has ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa
from flask import Flask, abort, request

from core.errors import StorageError
from core.storage.port import AssetStorage
from core.store.database import Database

TABLE = """
CREATE TABLE tasks (
    id TEXT PRIMARY KEY, user_id TEXT, status TEXT NOT NULL, url TEXT, path TEXT, error TEXT
)
"""
ADD = sa.text("INSERT INTO tasks (id, user_id, status) VALUES (:id, :user_id, 'generating')")
FIND = sa.text("SELECT id, status, url, error FROM tasks WHERE id = :id")
DONE = sa.text("UPDATE tasks SET status = 'success', url = :url, path = :path WHERE id = :id")
FAILED = sa.text("UPDATE tasks SET status = 'failed', error = :error WHERE id = :id")

Answer = tuple[dict[str, Any], int]


def create_app(
    *,
    http: httpx.Client,
    kie_url: str,
    kie_key: str,
    database: Database,
    storage: AssetStorage,
    uploads: Path,
    callback_url: str,
    secret: str,
    now: Callable[[], datetime],
) -> Flask:
    """The application; `uploads` is a folder for what is on its way to storage."""
    app = Flask(__name__)
    key = {"Authorization": f"Bearer {kie_key}"}

    @app.post("/api/kie/createTask")
    def create_task() -> Answer:
        order = request.get_json()
        wanted = {"model": order["model"], "input": order["input"]}
        wanted["callBackUrl"] = f"{callback_url}?secret={secret}"
        sent = http.post(f"{kie_url}/api/v1/jobs/createTask", json=wanted, headers=key)
        answer = sent.raise_for_status().json()
        if answer["code"] != 200:
            return {"error": answer["msg"]}, 502
        task_id = answer["data"]["taskId"]
        with database.write() as rows:
            rows.execute(ADD, {"id": task_id, "user_id": order["userId"]})
        return {"taskId": task_id, "status": "generating"}, 201

    @app.post("/api/kie/callback")
    def callback() -> Answer:
        if request.args.get("secret") != secret:
            abort(401)
        news = request.get_json()["data"]
        if find(news["taskId"])["status"] == "generating":
            finish(news["taskId"], news)
        return {"status": "ok"}, 200

    @app.get("/api/kie/status")
    def status() -> Answer:
        task_id = request.args["taskId"]
        if find(task_id)["status"] == "generating":
            asked = http.get(f"{kie_url}/api/v1/jobs/recordInfo?taskId={task_id}", headers=key)
            finish(task_id, asked.raise_for_status().json()["data"])
        return find(task_id), 200

    def find(task_id: str) -> dict[str, Any]:
        with database.read() as rows:
            row = rows.execute(FIND, {"id": task_id}).mappings().one_or_none()
        return dict(row) if row else abort(404)

    def finish(task_id: str, news: dict[str, Any]) -> None:
        if news["state"] == "success":
            url, path = keep(json.loads(news["resultJson"])["resultUrls"][0])
            with database.write() as rows:
                rows.execute(DONE, {"id": task_id, "url": url, "path": path})
        elif news["state"] == "fail":
            with database.write() as rows:
                rows.execute(FAILED, {"id": task_id, "error": news["failMsg"]})

    def keep(source: str) -> tuple[str, str | None]:
        """Our URL and path of a file, or KIE's URL where storage does not take it."""
        answer = http.get(source).raise_for_status()
        name = f"{now().timestamp() * 1000:.0f}{PurePosixPath(urlsplit(source).path).suffix}"
        try:
            (uploads / name).write_bytes(answer.content)
            storage.put(uploads / name, name, answer.headers["Content-Type"])
        except StorageError:
            return source, None
        return storage.url(name), name

    return app
