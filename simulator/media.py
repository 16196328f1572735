"""The media host: which bytes a request for a result file gets, faults included."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from simulator import mp3, mp4, picture
from simulator.content import Content, Repeat
from simulator.faults import Fault
from simulator.kie import PretendKie
from simulator.tasks import Task, file_names

CONTENT_TYPES = {".png": "image/png", ".mp4": "video/mp4", ".mp3": "audio/mpeg"}
_PAGE = b"<!doctype html><html><head><title>Just a moment...</title></head><body></body></html>"
_EMPTY = Content.of()


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What one request for a file is answered with."""

    status: int = 200
    content: Content = _EMPTY
    content_type: str = "text/plain"
    etag: str = ""
    ranges: bool = True  # whether parts can be asked for
    cut_after: int | None = None  # bytes, then the connection is closed
    bytes_per_second: int | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for."""

    task_id: str
    renewal: int  # which of the file's URLs this is
    name: str
    linked: bool  # through a link of download-url


class MediaHost:
    """Files of finished tasks, for anybody who knows the URL."""

    def __init__(self, kie: PretendKie) -> None:
        self._kie = kie

    def serve(self, wanted: Wanted, user_agent: str) -> Serving:
        """The answer for one file."""
        if user_agent.startswith("Python-urllib"):
            return Serving(status=403)
        task = self._kie.ledger.tasks.get(wanted.task_id)
        if task is None or not self._exists(task, wanted) or self._is_dead(task, wanted):
            return Serving(status=404)
        if changed := self._hit(task, "media_changed"):
            draft = _draft(task, wanted.name)
            whole_but_one = draft.content.length - 1
            cut_after = min(int(changed.value), whole_but_one)
            return replace(draft, cut_after=cut_after, ranges=False)
        return self._spoiled(task, whole(task, wanted.name))

    def _exists(self, task: Task, wanted: Wanted) -> bool:
        now = self._kie.clock.now()
        names = [name for names in file_names(task).values() for name in names]
        return task.has_files(now) and not task.is_expired(now) and wanted.name in names

    def _is_dead(self, task: Task, wanted: Wanted) -> bool:
        missing = self._hit(task, "media_missing")
        if missing is not None:
            age = self._kie.clock.now() - (task.finishes_at or 0)
            if missing.value is None or age < missing.value:
                return True
        if wanted.renewal == 0 and self._hit(task, "media_dead_url"):
            return True
        return not wanted.linked and self._hit(task, "media_dead_direct") is not None

    def _spoiled(self, task: Task, good: Serving) -> Serving:
        if redirect := self._hit(task, "media_redirect"):
            return Serving(status=302, location=redirect.value)
        if self._hit(task, "media_html"):
            return replace(good, content=Content.of(_PAGE), content_type="text/html")
        if self._hit(task, "media_empty"):
            return replace(good, content=_EMPTY)
        if short := self._hit(task, "media_short"):
            head = b"".join(good.content.read(0, int(short.value)))
            good = replace(good, content=Content.of(head))
        return self._disturbed(task, good)

    def _disturbed(self, task: Task, good: Serving) -> Serving:
        kind = self._hit(task, "media_content_type")
        cut = self._hit(task, "media_cut")
        slow = self._hit(task, "media_slow")
        return replace(
            good,
            content_type=kind.value if kind else good.content_type,
            cut_after=int(cut.value) if cut else None,
            bytes_per_second=max(1, int(slow.value)) if slow else None,
            ranges=self._hit(task, "media_no_range") is None,
        )

    def _hit(self, task: Task, name: str) -> Fault | None:
        return self._kie.switches.hit(name, task.number)


def whole(task: Task, name: str) -> Serving:
    """The file as it should be; the same bytes every time."""
    full_name, suffix = f"{task.id}/{name}", PurePosixPath(name).suffix
    etag = hashlib.sha256(f"{full_name}/{task.file_bytes}".encode()).hexdigest()[:32]
    content = _content(task, full_name, suffix)
    return Serving(content=content, content_type=CONTENT_TYPES[suffix], etag=etag)


def _draft(task: Task, name: str) -> Serving:
    """An earlier version, as long as the final one and other than it from the first byte on."""
    final = whole(task, name)
    content = Content.of(Repeat(b"draft ", final.content.length))
    return replace(final, content=content, etag=f"draft-{final.etag}")


def _content(task: Task, full_name: str, suffix: str) -> Content:
    if suffix == ".mp4":
        return mp4.build(full_name, task.file_bytes)
    if suffix == ".mp3":
        return mp3.build(full_name, task.file_bytes)
    given = task.request["input"]
    ratio = str(given.get("aspect_ratio") or given.get("image_size") or "1:1")
    return picture.build(full_name, str(given.get("prompt", "")), ratio, task.file_bytes)
