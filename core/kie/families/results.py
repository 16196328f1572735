"""Which files a result names, in every shape that KIE and its models have used.

The documented shapes of `resultJson` are on docs.kie.ai/market/common/get-task-detail
(`resultUrls`, `resultObject`, `resultWaterMarkUrls`) and docs.kie.ai/market/bytedance/seedance-2
(`firstFrameUrl`, `lastFrameUrl`); the other names were met in answers of single models.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from uuid import UUID

from core.kie import lenient
from core.kie.report import ResultFile

# The first of these that names a URL says it all; covers and streams are not among them.
_MAIN_KEYS = (
    *("resultUrls", "result_urls", "resultUrl", "result_url", "url", "urls"),
    *("videoUrl", "video_url", "resultVideoUrl", "result_video_url"),
    *("audioUrl", "audio_url", "audioWavUrl", "audio_wav_url"),
    *("resultImageUrl", "result_image_url"),
    *("outputs", "output", "images", "data", "info", "response"),
)
_EXTRA_KEYS = {
    "resultWaterMarkUrls": "watermark",
    "firstFrameUrl": "first_frame",
    "lastFrameUrl": "last_frame",
}
_MAX_DEPTH = 8
_BASE64_UUID = re.compile(r"[A-Za-z0-9+/_-]{48}")  # 36 characters of a UUID


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished task made: files, or data instead of files."""

    files: tuple[ResultFile, ...] = ()
    result_object: str | None = None


def read_result(result_json: object) -> Result:
    """The files (main ones first, each URL once) and the data that `resultJson` holds."""
    found = lenient.unwrap(result_json)
    roles = dict.fromkeys(main_urls(found), "main")
    extras = found if isinstance(found, dict) else {}
    for key, role in _EXTRA_KEYS.items():
        for url in main_urls(extras.get(key)):
            roles.setdefault(url, role)
    if "main" not in roles.values():  # then what there is must be what was paid for
        roles = dict.fromkeys(roles, "main")
    data = lenient.unwrap(extras.get("resultObject"))
    files = tuple(ResultFile(url, role) for url, role in roles.items())
    return Result(files, lenient.json_text(data) if data else None)


def main_urls(value: object) -> tuple[str, ...]:
    """The main http(s) URLs in a value of any shape, in order, one for each take."""
    return _one_per_take(dict.fromkeys(_urls(value, _MAX_DEPTH)))


def _urls(value: object, depth: int) -> Iterator[str]:
    value = lenient.unwrap(value)
    if url := lenient.url(value):
        yield url
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _urls(item, depth - 1)
    elif isinstance(value, dict) and depth:
        named = (list(_urls(value[key], depth - 1)) for key in _MAIN_KEYS if key in value)
        yield from next(filter(None, named), [])


def _one_per_take(urls: Iterable[str]) -> tuple[str, ...]:
    """Sound models name each take under a stream host too, whose copy dies within hours."""
    chosen: dict[str, str] = {}
    for url in urls:
        take = _take_id(url) or url
        rival = chosen.get(take)
        if rival is None:
            chosen[take] = url
        elif _host(rival) == _host(url):
            chosen[url] = url
        elif _host(url).startswith("tempfile.") and not _host(rival).startswith("tempfile."):
            chosen[take] = url
    return tuple(chosen.values())


def _take_id(url: str) -> str | None:
    """The UUID that is the whole name of an audio file, plain or in base64 (musicfile.kie.ai)."""
    name = PurePosixPath(unquote(urlsplit(url).path))
    if name.suffix not in ("", ".mp3"):
        return None
    stem = name.stem
    if _BASE64_UUID.fullmatch(stem):
        stem = base64.b64decode(stem.replace("-", "+").replace("_", "/")).decode("ascii", "replace")
    try:
        return str(UUID(stem)) if len(stem) == 36 else None
    except ValueError:
        return None


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
