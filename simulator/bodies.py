"""What callbacks look like, family by family, and how they are signed. Pure.

Sources: docs.kie.ai/market/bytedance/seedance-2, /veo3-api/generate-veo-3-video-callbacks,
/suno-api/generate-music-callbacks, /4o-image-api/generate-4-o-image-callbacks,
/flux-kontext-api/generate-or-edit-image-callbacks, /runway-api/generate-ai-video-callbacks,
/runway-api/generate-aleph-video-callbacks, /common-api/webhook-verification.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Body = dict[str, Any]

ID_PLACES = ("data.taskId", "data.task_id", "taskId", "task_id")
SUNO_STAGES = ("text", "first", "complete")


def sign(key: str, task_id: str, timestamp: str) -> str:
    """The value of `X-Webhook-Signature`; it covers id and time, not the body."""
    mac = hmac.new(key.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


def market(record: Mapping[str, Any]) -> Body:
    """The body for a task made by jobs/createTask, around the `data` of recordInfo."""
    if record["state"] == "fail":
        return {"code": 501, "msg": "Playground task failed.", "data": dict(record)}
    return {"code": 200, "msg": "Playground task completed successfully.", "data": dict(record)}


def veo(task_id: str, urls: Sequence[str], *, failed: bool = False) -> Body:
    """Veo 3.1: URLs in `data.info`."""
    data: Body = {"taskId": task_id, "fallbackFlag": False}
    if failed:
        return {"code": 501, "msg": "Failed to generate the video.", "data": data}
    info = {"resultUrls": list(urls), "originUrls": None, "resolution": "1080p"}
    data |= {"promptJson": '{"prompt":"a red kite"}', "info": info}
    return {"code": 200, "msg": "Veo3.1 video generated successfully.", "data": data}


def suno(
    task_id: str, urls: Sequence[str], *, failed: bool = False, stage: str = "complete"
) -> Body:
    """Suno music: `text`, then `first`, then `complete`; URLs not yet known are empty strings."""
    if failed:
        error = {"callbackType": "error", "task_id": task_id, "data": None}
        return {"code": 501, "msg": "Audio generation failed.", "data": error}
    ready = {"text": 0, "first": 1}.get(stage, len(urls))
    tracks = [_track(url if n < ready else "", n) for n, url in enumerate(urls)]
    data = {"callbackType": stage, "task_id": task_id, "data": tracks}
    return {"code": 200, "msg": f"{stage} generated successfully.", "data": data}


def _track(url: str, number: int) -> Body:
    return {
        "id": f"track-{number + 1}",
        "audio_url": url,
        "source_audio_url": url,
        "stream_audio_url": url,
        "image_url": "",
        "prompt": "[Verse] a red kite",
        "model_name": "chirp-v4-5",
        "title": "Kite",
        "tags": "folk",
        "createTime": "2026-01-01 00:00:00",
        "duration": 198.44 if url else None,
    }


def gpt4o_image(task_id: str, urls: Sequence[str], *, failed: bool = False) -> Body:
    """4o Image: URLs in `data.info.result_urls`, `info` null on failure."""
    if failed:
        return {
            "code": 500,
            "msg": "Image generation failed.",
            "data": {"taskId": task_id, "info": None},
        }
    data = {"taskId": task_id, "info": {"result_urls": list(urls)}}
    return {"code": 200, "msg": "4o image generated successfully.", "data": data}


def flux_kontext(task_id: str, urls: Sequence[str], *, failed: bool = False) -> Body:
    """Flux Kontext: one image in `data.info`."""
    data: Body = {"taskId": task_id}
    if failed:
        return {"code": 501, "msg": "Image generation failed.", "data": data}
    data["info"] = {"originImageUrl": None, "resultImageUrl": _first(urls)}
    return {"code": 200, "msg": "BFL image generated successfully.", "data": data}


def runway(task_id: str, urls: Sequence[str], *, failed: bool = False) -> Body:
    """Runway: `data.task_id` and `data.video_url`, the latter empty on failure."""
    url = "" if failed else _first(urls)
    data = {"task_id": task_id, "video_id": task_id[:8], "video_url": url, "image_url": ""}
    if failed:
        return {"code": 500, "msg": "Video generation failed.", "data": data}
    return {"code": 200, "msg": "All generated successfully.", "data": data}


def aleph(task_id: str, urls: Sequence[str], *, failed: bool = False) -> Body:
    """Runway Aleph: the id outside `data`."""
    if failed:
        return {"code": 400, "msg": "Video generation failed.", "data": None, "taskId": task_id}
    data = {"result_video_url": _first(urls), "result_image_url": ""}
    return {"code": 200, "msg": "success", "data": data, "taskId": task_id}


FAMILIES: Mapping[str, Callable[..., Body]] = {
    "veo": veo,
    "suno": suno,
    "gpt4o_image": gpt4o_image,
    "flux_kontext": flux_kontext,
    "runway": runway,
    "aleph": aleph,
}


def with_id_at(body: Body, task_id: str, place: str) -> Body:
    """The same body with the task id in `place` and in no other of the four places."""
    data = body.get("data")
    moved: Body = _without_id(body)
    if isinstance(data, dict):
        moved["data"] = _without_id(data)
    holder, _, key = place.rpartition(".")
    target = moved if not holder else (moved.get("data") or moved.setdefault("data", {}))
    target[key] = task_id
    return moved


def _without_id(part: Body) -> Body:
    return {key: value for key, value in part.items() if key not in ("taskId", "task_id")}


def _first(urls: Sequence[str]) -> str:
    return urls[0] if urls else ""
