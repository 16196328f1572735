"""The double's buckets and objects."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.supabase_storage.state import (
    BUCKET_NAME,
    Bucket,
    Object,
    State,
    check_key,
    check_type,
    too_large,
)
from tests.support.supabase_storage.wire import Answer, Body, Request, json_answer, refused

RANGE = re.compile(r"bytes=(\d+)-(\d*)")
SIGNING_KEY = b"the double's own"


def create_bucket(state: State, request: Request) -> Answer:
    asked = request.body.json()
    name = asked["id"]
    if not BUCKET_NAME.fullmatch(name):
        raise refused(400, "Invalid Input", "Bucket name invalid", "InvalidBucketName")
    if name in state.buckets:
        message = "The resource already exists"
        raise refused(409, "Duplicate", message, "BucketAlreadyExists")
    limits = (asked.get("file_size_limit"), asked.get("allowed_mime_types"))
    state.buckets[name] = Bucket(name, bool(asked.get("public")), *limits)
    return json_answer({"name": name})


def show_bucket(state: State, request: Request, bucket: str) -> Answer:
    return json_answer(state.bucket(bucket).shown())


def upload(state: State, request: Request, bucket: str, key: str, limit: int | None) -> Answer:
    """Take an object, as a form or as it is. What is refused is refused before its bytes are read.

    Limits are looked at where a length is sent, and nowhere else.
    """
    check_key(key)
    limits = [some for some in (state.bucket(bucket).file_size_limit, limit) if some is not None]
    if request.body.length is not None and limits and request.body.length > min(limits):
        raise too_large()
    is_known = (bucket, key) in state.objects
    if is_known and request.method == "POST" and request.headers.get("x-upsert") != "true":
        raise refused(409, "Duplicate", "The resource already exists", "KeyAlreadyExists")
    fields, end = _fields(request)
    check_type(state.bucket(bucket), fields["content-type"])
    file = state.new_file()
    try:
        _receive(request.body, file, end)
    except BaseException:
        file.unlink(missing_ok=True)  # an upload that was cut leaves nothing
        raise
    stored = state.commit(bucket, key, file, fields["content-type"], fields["cache-control"])
    return json_answer({"Key": f"{bucket}/{key}", "Id": stored.id})


def _fields(request: Request) -> tuple[dict[str, str], bytes]:
    """Type and caching of the object, read up to where its bytes begin, and what ends them."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        cache = request.headers.get("cache-control", "no-cache")
        return {"content-type": content_type, "cache-control": cache}, b""
    boundary = content_type.split("boundary=")[1].encode()
    fields = {"content-type": "application/octet-stream", "cache-control": "no-cache"}
    while line := request.body.line():
        if line.lower().startswith(b"content-disposition") and b'name="cacheControl"' in line:
            request.body.line()
            fields["cache-control"] = f"max-age={request.body.line().decode().strip()}"
        elif line.lower().startswith(b"content-type:"):
            fields["content-type"] = line.split(b":", 1)[1].decode().strip()
            request.body.line()
            break
    return fields, b"\r\n--" + boundary + b"--\r\n"


def _receive(body: Body, file: Path, end: bytes) -> None:
    with file.open("wb") as target:
        for piece in body.pieces():
            target.write(piece)
        size = target.tell() - len(end)
        target.truncate(size)


def show_info(state: State, request: Request, bucket: str, key: str) -> Answer:
    stored = state.object(bucket, key)
    return json_answer(
        {
            "id": stored.id,
            "name": key,
            "version": stored.version,
            "bucket_id": bucket,
            "size": stored.size,
            "content_type": stored.content_type,
            "cache_control": stored.cache_control,
            "etag": f'"{stored.version}"',
            "metadata": {},
            "last_modified": stored.stored_at,
            "created_at": stored.stored_at,
        }
    )


def remove(state: State, request: Request, bucket: str) -> Answer:
    """Missing ones are left out of the answer."""
    state.bucket(bucket)
    gone = [key for key in request.body.json()["prefixes"] if state.remove(bucket, key)]
    return json_answer([{"name": key, "bucket_id": bucket} for key in gone])


def list_v2(state: State, request: Request, bucket: str) -> Answer:
    """A page. A missing bucket lists as an empty one."""
    asked = request.body.json()
    after = base64.b64decode(asked.get("cursor", "")).decode()
    prefix, limit = asked.get("prefix", ""), asked.get("limit", 1000)
    with state.lock:
        found = sorted(
            (key, stored)
            for (name, key), stored in state.objects.items()
            if name == bucket and key.startswith(prefix) and key > after
        )
    page, has_next = found[:limit], len(found) > limit
    answer: dict[str, Any] = {"hasNext": has_next, "folders": []}
    answer["objects"] = [_listed(key, stored) for key, stored in page]
    if has_next:
        answer["nextCursor"] = base64.b64encode(page[-1][0].encode()).decode()
        answer["nextCursorKey"] = page[-1][0]
    return json_answer(answer)


def _listed(key: str, stored: Object) -> dict[str, Any]:
    times = ("created_at", "updated_at", "last_accessed_at")
    metadata = {
        "eTag": f'"{stored.version}"',
        "size": stored.size,
        "mimetype": stored.content_type,
        "cacheControl": stored.cache_control,
        "lastModified": stored.stored_at,
        "contentLength": stored.size,
        "httpStatusCode": 200,
    }
    return {
        "name": key,
        "id": stored.id,
        "metadata": metadata,
        **dict.fromkeys(times, stored.stored_at),
    }


def download(state: State, request: Request, bucket: str, key: str) -> Answer:
    """A file, or a range of it."""
    stored = state.object(bucket, key)
    headers = {
        "content-type": stored.content_type,
        "cache-control": stored.cache_control,
        "etag": f'"{stored.version}"',
        "accept-ranges": "bytes",
        "x-robots-tag": "none",
    }
    if "download" in request.query:
        headers["content-disposition"] = f"attachment; filename={key.rpartition('/')[2]}"
    if request.headers.get("if-none-match") == headers["etag"]:
        return Answer(304, headers=headers)
    asked = RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None:
        return Answer(200, headers=headers, file=stored.file, size=stored.size)
    start, last = int(asked[1]), min(int(asked[2] or stored.size), stored.size - 1)
    if start > last:
        raise refused(416, "InvalidRange", "The range is not satisfiable", "InvalidRange", 416)
    headers["content-range"] = f"bytes {start}-{last}/{stored.size}"
    return Answer(206, headers=headers, file=stored.file, start=start, size=last - start + 1)


def download_public(state: State, request: Request, bucket: str, key: str) -> Answer:
    """A private bucket is denied as if it did not exist."""
    if not state.bucket(bucket).public:
        raise refused(404, "Bucket not found", "Bucket not found", "NoSuchBucket")
    return download(state, request, bucket, key)


def sign(state: State, request: Request, bucket: str, key: str) -> Answer:
    """A relative URL that opens the object for a while."""
    state.object(bucket, key)
    now = int(time.time())
    seconds = int(request.body.json()["expiresIn"])
    claims = {"url": f"{bucket}/{key}", "scope": "download", "iat": now, "exp": now + seconds}
    return json_answer({"signedURL": f"/object/sign/{bucket}/{key}?token={_token(claims)}"})


def download_signed(state: State, request: Request, bucket: str, key: str) -> Answer:
    token = request.query.get("token", "")
    try:
        claims = json.loads(_unpadded_decode(token.split(".")[1]))
        is_ours = hmac.compare_digest(token, _token(claims))
    except (ValueError, IndexError):
        is_ours = False
    if not is_ours or claims["url"] != f"{bucket}/{key}":
        raise refused(400, "InvalidJWT", "signature verification failed", "InvalidJWT")
    if claims["exp"] < time.time():
        raise refused(400, "InvalidJWT", '"exp" claim timestamp check failed', "InvalidJWT")
    return download(state, request, bucket, key)


def _token(claims: Mapping[str, Any]) -> str:
    parts = [_unpadded(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims)]
    signed = ".".join(parts)
    digest = hmac.new(SIGNING_KEY, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_unpadded(digest)}"


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpadded_decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
