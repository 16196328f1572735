"""`GET /assets/{path}`: the files of local storage, whatever becomes of the database."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, request, send_file

from core.storage.local import PART_SUFFIX
from webhook.errors import ApiError
from webhook.services import services

blueprint = Blueprint("assets", __name__)

#: Types by extension. What is not here may be a page that a browser would run as ours.
CONTENT_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "heif": "image/heif",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "3gp": "video/3gpp",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "avi": "video/x-msvideo",
    "ogv": "video/ogg",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "m4a": "audio/mp4",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "json": "application/json",
    "txt": "text/plain",
}
OTHERWISE = "application/octet-stream"
#: What a browser shows or plays and never runs. A strict policy would keep it from playing.
MEDIA = ("image/", "video/", "audio/")
STRICT = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
YEAR_SECONDS = 31_536_000


@blueprint.get("/assets/<path:path>")
def serve(path: str) -> Response:
    """A stored file, whole or a range of it. Its name holds its hash: it never changes.

    With `?download=1` a browser saves it, and does not show it.
    """
    file = _stored(services().core.settings.assets_dir, path)
    content_type = CONTENT_TYPES.get(file.suffix[1:], OTHERWISE)
    is_wanted_on_disk = request.args.get("download") == "1"
    response = send_file(
        file,
        mimetype=content_type,
        as_attachment=is_wanted_on_disk or not content_type.startswith(MEDIA),
        conditional=True,
        max_age=YEAR_SECONDS,
    )
    response.cache_control.public = True
    response.cache_control.immutable = True
    response.cache_control.no_cache = None
    if not content_type.startswith(MEDIA):
        response.headers["Content-Security-Policy"] = STRICT
    return _in_a_place(response)


def _in_a_place(response: Response) -> Response:
    """The response with a place for as long as it is being sent; ApiError 503 if all are taken."""
    places = services().asset_places
    if not places.acquire(blocking=False):
        response.close()
        raise ApiError(503, "asset.busy", "too many files are being sent; try again soon")
    response.call_on_close(places.release)
    response.direct_passthrough = False  # else the server would not close the response
    return response


def _stored(folder: Path, path: str) -> Path:
    """The file whose one true name this is: no `..`, no link, no second spelling."""
    try:
        root = folder.resolve(strict=True)
        file = (root / path).resolve(strict=True)
        is_stored = file.is_file() and not file.name.endswith(PART_SUFFIX)
    except (OSError, ValueError):  # ValueError: NUL
        is_stored = False
    if not is_stored or str(file) != f"{root}/{path}":
        raise ApiError(404, "asset.not_found", "there is no such file")
    return file
