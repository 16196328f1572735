"""The routes of the media host: conditional and partial answers, and a note of every byte sent.

No key belongs here: a request that carries one is refused and becomes a finding.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory

from simulator.kie import PretendKie
from simulator.media import MediaHost, Serving, Wanted
from simulator.wire import connection, cut


@dataclass(frozen=True, slots=True)
class Part:
    """The status of an answer, and the bytes of the content that it holds."""

    status: int
    start: int
    stop: int


def routes(kie: PretendKie, uploads: Path) -> Blueprint:
    """Result files under /media/{task}/{renewal}/{name}, uploads under /media/uploads/{name}."""
    media = Blueprint("media", __name__)
    host = MediaHost(kie)

    @media.before_request
    def refuse_keys() -> Response | None:
        if "Authorization" not in request.headers:
            return None
        kie.ledger.find(kie.clock.now(), "key sent to the media host", path=request.path)
        return Response("no credentials here, please", 403)

    @media.get("/media/uploads/<name>")
    def upload(name: str) -> Response:
        return send_from_directory(uploads.absolute(), name)

    @media.get("/media/<task_id>/<int:renewal>/<name>")
    def file(task_id: str, renewal: int, name: str) -> Response:
        linked = "signature" in request.args
        if linked and not _link_is_good(kie):
            return Response("this link is over", 403)
        serving = host.serve(Wanted(task_id, renewal, name, linked), request.user_agent.string)
        return _answer(kie, task_id, name, serving)

    return media


def _link_is_good(kie: PretendKie) -> bool:
    expires, signature = request.args.get("expires", ""), request.args["signature"]
    return kie.links.is_good(request.path, expires, signature, kie.clock.now())


def _answer(kie: PretendKie, task_id: str, name: str, serving: Serving) -> Response:
    part = _part(serving)
    if request.method == "HEAD":
        return Response([], part.status, _headers(serving, part))
    body = _stream(kie, serving, part, connection(), _note(kie, task_id, name, part))
    return Response(body, part.status, _headers(serving, part))


def _part(serving: Serving) -> Part:
    length = serving.content.length
    if serving.status != 200 or not serving.ranges or not request.range or _changed(serving):
        return Part(serving.status, 0, length)
    found = request.range.range_for_length(length)
    return Part(206, *found) if found else Part(416, 0, 0)


def _changed(serving: Serving) -> bool:
    """Whether `If-Range` names another version; a date never names ours."""
    known = request.if_range
    return known.date is not None or known.etag not in (None, serving.etag)


def _headers(serving: Serving, part: Part) -> dict[str, str]:
    length = serving.content.length
    headers = {
        "Content-Type": serving.content_type,
        "Content-Length": str(part.stop - part.start),
    }
    if serving.etag:
        headers["ETag"] = f'"{serving.etag}"'
        if serving.ranges:
            headers["Accept-Ranges"] = "bytes"
    if serving.location:
        headers["Location"] = serving.location
    if part.status == 206:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{length}"
    if part.status == 416:
        headers["Content-Range"] = f"bytes */{length}"
    return headers


def _stream(
    kie: PretendKie,
    serving: Serving,
    part: Part,
    connection: socket.socket | None,
    note: Callable[[int], None],
) -> Iterator[bytes]:
    """The bytes, as slowly as told and up to the cut; noted at the end, whoever ends it."""
    cut_after, sent = serving.cut_after, 0
    stop = part.stop if cut_after is None else min(part.stop, part.start + cut_after)
    try:
        for chunk in _paced(kie, serving, part.start, stop):
            yield chunk
            sent += len(chunk)
        if stop < part.stop:
            cut(connection)
    finally:
        note(sent)


def _note(kie: PretendKie, task_id: str, name: str, part: Part) -> Callable[[int], None]:
    """What writes the download down; it runs when the request's context is gone."""
    asked = request.headers.get("Range")

    def note(sent: int) -> None:
        if task_id not in kie.ledger.tasks:
            return
        kie.ledger.download(
            task_id,
            at=kie.clock.now(),
            file=name,
            range=asked,
            status=part.status,
            bytes=sent,
            complete=part.status in (200, 206) and sent == part.stop - part.start,
        )

    return note


def _paced(kie: PretendKie, serving: Serving, start: int, stop: int) -> Iterator[bytes]:
    if serving.bytes_per_second is None:
        yield from serving.content.read(start, stop)
        return
    step = max(1, serving.bytes_per_second // 10)
    for at in range(start, stop, step):
        yield from serving.content.read(at, min(at + step, stop))
        kie.sleep(step / serving.bytes_per_second)
