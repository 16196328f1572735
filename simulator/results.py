"""The forms in which KIE has been seen to put a result into `resultJson`.

docs.kie.ai/market/common/get-task-detail shows the first few; clients met the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

WATERMARK = "watermark"
FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the files of a result are."""

    main: Sequence[str]
    watermark: Sequence[str] = ()
    first_frame: Sequence[str] = ()
    last_frame: Sequence[str] = ()


def _frames(urls: Urls) -> object:
    return {
        "resultUrls": urls.main,
        "firstFrameUrl": urls.first_frame,
        "lastFrameUrl": urls.last_frame,
    }


def _music(urls: Urls) -> object:
    takes = enumerate(urls.main, start=1)
    return {"data": [{"audio_url": url, "id": f"take-{n}", "duration": 123.4} for n, url in takes]}


def _default(urls: Urls) -> dict[str, object]:
    return {"resultUrls": urls.main}


_SHAPES: Mapping[str, Callable[[Urls], object]] = {
    "urls": _default,
    WATERMARK: lambda urls: _default(urls) | {"resultWaterMarkUrls": urls.watermark},
    FRAMES: _frames,
    "music": _music,
    "url": lambda urls: {"url": urls.main[0]},
    "videoUrl": lambda urls: {"videoUrl": urls.main[0]},
    "audio_url": lambda urls: {"audio_url": urls.main[0]},
    "resultImageUrl": lambda urls: {"resultImageUrl": urls.main[0]},
    "outputs": lambda urls: {"outputs": urls.main},
    "list": lambda urls: urls.main,
    "objects": lambda urls: {"resultUrls": [{"url": url} for url in urls.main]},
    "result_url_objects": lambda urls: {"resultUrls": [{"resultUrl": url} for url in urls.main]},
    "twin_hosts": lambda urls: {
        "resultUrls": [
            twin for url in urls.main for twin in (url, url.replace("127.0.0.1", "localhost"))
        ]
    },
}
_TEXTS: Mapping[str, Callable[[Urls], object]] = {
    "plain_object": _default,
    "bare": lambda urls: urls.main[0],
    "twice": lambda urls: json.dumps(json.dumps(_default(urls))),
    "junk": lambda urls: json.dumps(_default(urls)) + ' "}]',
    "missing": lambda urls: "{}",
    "null": lambda urls: None,
    "blank": lambda urls: "",
}
OBJECT = "object"
SHAPES = (*_SHAPES, *_TEXTS, OBJECT)


def result_json(shape: str, urls: Urls, text: str) -> object:
    """What the field `resultJson` holds: nearly always JSON text.

    `text` is the result of a task that makes text, in the shape `object`.
    """
    if shape == OBJECT:
        words = [{"text": word, "type": "word"} for word in text.split()]
        return json.dumps({"resultObject": {"text": text, "words": words}}, ensure_ascii=False)
    if not urls.main:
        return json.dumps({"resultUrls": []})
    if shape in _TEXTS:
        return _TEXTS[shape](urls)
    return json.dumps(_SHAPES[shape](urls))
