"""The double's resumable uploads (TUS): true HTTP statuses, and plain text for words."""

from __future__ import annotations

import base64

from tests.support.supabase_storage.state import KEY, State, Upload
from tests.support.supabase_storage.wire import (
    Answer,
    CutError,
    RefusedError,
    Request,
    text_answer,
)

VERSION = {"tus_resumable": "1.0.0"}


def create(state: State, request: Request, base_url: str, limit: int | None) -> Answer:
    told = _metadata(request.headers.get("upload-metadata", ""))
    name, key = told.get("bucketName", ""), told.get("objectName", "")
    length = int(request.headers["upload-length"])
    if not KEY.fullmatch(key):
        raise _refused(400, "Invalid key")
    bucket = state.buckets.get(name)
    if bucket is None:
        raise _refused(404, "Bucket not found")
    limits = [some for some in (bucket.file_size_limit, limit) if some is not None]
    if limits and length > min(limits):
        raise _refused(413, "Maximum size exceeded")
    content_type = told.get("contentType", "application/octet-stream")
    if bucket.allowed_mime_types is not None and content_type not in bucket.allowed_mime_types:
        raise _refused(415, f"mime type {content_type} is not supported")
    if (name, key) in state.objects and request.headers.get("x-upsert") != "true":
        raise _refused(409, "The resource already exists")
    file = state.new_file()
    file.touch()
    cache = f"max-age={told.get('cacheControl', '3600')}"
    upload = Upload(name, key, length, content_type, cache, file)
    version = base64.urlsafe_b64encode(f"{name}/{key}/{file.name}".encode()).decode().rstrip("=")
    state.uploads[version] = upload
    location = f"{base_url}/upload/resumable/{version}"
    return text_answer(201, location=location, **VERSION)


def look(state: State, request: Request, upload_id: str) -> Answer:
    upload = _upload(state, upload_id)
    told = {"upload_offset": str(upload.offset), "upload_length": str(upload.length)}
    return text_answer(200, **told, **VERSION)


def append(state: State, request: Request, upload_id: str) -> Answer:
    """Take the next bytes; what came before a cut is kept."""
    upload = _upload(state, upload_id)
    if request.headers.get("content-type") != "application/offset+octet-stream":
        raise _refused(415, "Content-Type header invalid")
    if int(request.headers["upload-offset"]) != upload.offset:
        raise _refused(409, "Upload-Offset conflict")
    with upload.file.open("ab") as file:
        try:
            for piece in request.body.pieces():
                file.write(piece)
                upload.offset += len(piece)
        except CutError:
            file.flush()
            raise
    told = {"upload_offset": str(upload.offset)}
    if upload.offset == upload.length:
        state.commit(
            upload.bucket, upload.key, upload.file, upload.content_type, upload.cache_control
        )
        upload.is_finished = True
        told["tus_complete"] = "1"
    return text_answer(204, **told, **VERSION)


def end(state: State, request: Request, upload_id: str) -> Answer:
    upload = _upload(state, upload_id)
    upload.file.unlink()
    del state.uploads[upload_id]
    return text_answer(204, **VERSION)


def _upload(state: State, upload_id: str) -> Upload:
    upload = state.uploads.get(upload_id)
    if upload is None or upload.is_finished:
        raise _refused(404, "The file for this url was not found")
    return upload


def _metadata(header: str) -> dict[str, str]:
    pairs = [pair.split(" ") for pair in header.split(",") if pair]
    return {name: base64.b64decode(value).decode() for name, value in pairs}


def _refused(status: int, words: str) -> RefusedError:
    return RefusedError(text_answer(status, words, **VERSION))
