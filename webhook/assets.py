"""`GET /assets/{path}`: stored files, whatever becomes of the database.

What lies in the folder of local storage is served, also after a move to Supabase Storage, for URLs
are permanent. What lies in a private bucket is answered with a short-lived URL of the bucket's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Blueprint, Response, request, send_file

from core.errors import StorageError
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
#: A browser may follow the same redirect again for that long: well below the life of its target.
REDIRECT_SECONDS = 300
NOT_THERE = ("storage.missing", "storage.bad_path")


@blueprint.get("/assets/<path:path>")
def serve(path: str) -> Response:
    """A stored file, whole or a range of it; of a private bucket, where it is now.

    With `?download=1` a browser saves it, and does not show it.
    """
    is_wanted_on_disk = request.args.get("download") == "1"
    file = _in_folder(services().core.settings.assets_dir, path)
    if file is not None:
        return _sent(file, is_wanted_on_disk)
    url = _signed_url(path, request.args.get("sig", ""), is_wanted_on_disk)
    if url is None:
        raise ApiError(404, "asset.not_found", "there is no such file")
    return _redirected(url)


def _sent(file: Path, is_wanted_on_disk: bool) -> Response:
    """The file. Its name holds its hash: it never changes."""
    content_type = CONTENT_TYPES.get(file.suffix[1:], OTHERWISE)
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


def _redirected(url: str) -> Response:
    """Sent on, so that the bytes do not pass through here; neither URL is told to anybody else."""
    response = Response(status=302, headers={"Location": url, "Referrer-Policy": "no-referrer"})
    response.cache_control.private = True
    response.cache_control.max_age = REDIRECT_SECONDS
    return response


def _signed_url(path: str, signature: str, is_wanted_on_disk: bool) -> str | None:
    """The private file's URL for now; None where nothing is there for who shows this signature."""
    if not signature:
        return None
    with _place():
        try:
            storage = services().core.storage
            return storage.signed_url(path, signature, download=is_wanted_on_disk)
        except StorageError as error:
            if error.code in NOT_THERE:
                return None
            raise


@contextmanager
def _place() -> Iterator[None]:
    _take_place()
    try:
        yield
    finally:
        services().asset_places.release()


def _take_place() -> None:
    """One of the places, which are fewer than threads; ApiError 503 if all are taken."""
    if not services().asset_places.acquire(blocking=False):
        raise ApiError(503, "asset.busy", "too many files are being sent; try again soon")


def _in_a_place(response: Response) -> Response:
    """The response with a place for as long as it is being sent."""
    try:
        _take_place()
    except ApiError:
        response.close()
        raise
    response.call_on_close(services().asset_places.release)
    response.direct_passthrough = False  # else the server would not close the response
    return response


def _in_folder(folder: Path, path: str) -> Path | None:
    """The file whose one true name this is: no `..`, no link, no second spelling."""
    try:
        root = folder.resolve(strict=True)
        file = (root / path).resolve(strict=True)
        is_stored = file.is_file() and not file.name.endswith(PART_SUFFIX)
    except (OSError, ValueError, RuntimeError):  # NUL, and in Python 3.11 and 3.12 a loop of links
        return None
    return file if is_stored and str(file) == f"{root}/{path}" else None
