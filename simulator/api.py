"""The routes of KIE's API: jobs, credits, download links, uploads. Thin: `kie` does the work."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx
from flask import Blueprint, Response, request
from werkzeug.utils import secure_filename

from simulator.answers import Answer, encoded, envelope
from simulator.kie import PretendKie
from simulator.wire import respond

_FETCH_SECONDS = 30.0


def routes(kie: PretendKie, uploads: Path) -> Blueprint:
    """The API; uploaded files go to the folder `uploads`."""
    api = Blueprint("api", __name__)

    @api.before_request
    def check_key() -> Response | None:
        if request.headers.get("Authorization") == f"Bearer {kie.key}":
            return None
        status = 401 if kie.switches.hit("auth_http_401", 0) else 200
        message = "Unauthorized: You do not have access permissions"
        return respond(kie, envelope(401, message, status=status))

    @api.post("/api/v1/jobs/createTask")
    def create_task() -> Response:
        return respond(kie, kie.create(request.get_json(silent=True)))

    @api.get("/api/v1/jobs/recordInfo")
    def record_info() -> Response:
        return respond(kie, kie.record_info(request.args.get("taskId")))

    @api.get("/api/v1/chat/credit")
    def credit() -> Response:
        return respond(kie, envelope(200, "success", kie.ledger.credits(kie.clock.now())))

    @api.post("/api/v1/common/download-url")
    def download_url() -> Response:
        return respond(kie, kie.download_url(request.get_json(silent=True)))

    @api.post("/api/file-base64-upload")
    def upload_base64() -> Response:
        body = request.get_json(silent=True) or {}
        try:
            # A data URL holds its base64 after the comma; raw base64 has no comma.
            text = str(body.get("base64Data", "")).rpartition(",")[2]
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            return respond(kie, envelope(400, "base64Data is not base64"))
        return respond(kie, _store(kie, uploads, data, body))

    @api.post("/api/file-stream-upload")
    def upload_stream() -> Response:
        file = request.files.get("file")
        form = {"fileName": file.filename if file else None, **request.form.to_dict()}
        return respond(kie, _store(kie, uploads, file.read() if file else b"", form))

    @api.post("/api/file-url-upload")
    def upload_url() -> Response:
        body = request.get_json(silent=True) or {}
        try:
            fetched = httpx.get(str(body.get("fileUrl")), timeout=_FETCH_SECONDS, trust_env=False)
            fetched.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL):
            return respond(kie, envelope(400, "fileUrl could not be fetched"))
        return respond(kie, _store(kie, uploads, fetched.content, body))

    return api


def _store(kie: PretendKie, uploads: Path, data: bytes, fields: dict[str, str | None]) -> Answer:
    """Keep an uploaded file and say where it is."""
    path = fields.get("uploadPath")
    if not data or not path:
        return envelope(400, "a file and uploadPath are required")
    name = secure_filename(fields.get("fileName") or "") or f"{uuid.uuid4().hex}.bin"
    uploads.mkdir(parents=True, exist_ok=True)
    (uploads / name).write_bytes(data)
    stored = {
        "fileName": name,
        "filePath": f"{path.strip('/')}/{name}",
        "downloadUrl": f"{kie.base_url}/media/uploads/{name}",
        "fileSize": len(data),
        "mimeType": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "uploadedAt": datetime.fromtimestamp(kie.clock.now(), UTC).isoformat(),
    }
    message = "File uploaded successfully"
    return Answer(body=encoded({"success": True, "code": 200, "msg": message, "data": stored}))
