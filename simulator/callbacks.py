"""Which callbacks a task gets, when, and the exact bytes of each. Pure; `sender` sends them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator import bodies
from simulator.faults import Fault
from simulator.tasks import Task, record, result_urls

# KIE stops after three failed retries; their real spacing is not known, this one is our choice.
RETRY_SECONDS = (1.0, 5.0, 30.0)
MARKET = "market"
_AFTERTHOUGHT = 0.5  # seconds, enough for the first message to be there before


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One callback to send, retries included."""

    name: str  # unique within its task
    due_at: float
    state: str | None = None  # success, fail or generating in place of the truth
    family: str = MARKET  # or one of bodies.FAMILIES
    stage: str = "complete"  # Suno only: text, first, complete
    id_place: str | None = None  # one of bodies.ID_PLACES in place of the family's own
    signature: str = "right"  # or wrong, none
    age_seconds: float = 0  # how old the signed timestamp is
    pad_bytes: int = 0
    invalid_json: bool = False
    body: Mapping[str, Any] | None = None  # sent as it is, in place of all of the above
    tries: int = 1 + len(RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one post. `status` is None when there was no answer, `error` then says why."""

    at: float
    status: int | None
    error: str | None = None
    body_sha256: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


def next_try(post: Post, attempts: Sequence[Attempt], speed: float) -> float | None:
    """When the post is due next, None when it is delivered or given up."""
    if not attempts:
        return post.due_at
    if attempts[-1].delivered or len(attempts) >= post.tries:
        return None
    return attempts[-1].at + RETRY_SECONDS[len(attempts) - 1] / speed


def plan(task: Task, now: float, hit: Callable[[str], Fault | None]) -> tuple[Post, ...]:
    """The posts a finished task is owed, under the faults that `hit` it."""
    if task.callback_url is None or hit("callback_none"):
        return ()
    final = _faulty(Post(name="final", due_at=now), hit)
    posts = [final]
    if copies := hit("callback_parallel"):
        posts += [replace(final, name=f"copy-{n}") for n in range(1, int(copies.value) + 1)]
    if late := hit("callback_late"):
        posts.append(replace(final, name="late", due_at=now + late.value))
    if hit("callback_out_of_order"):
        posts.append(Post(name="out-of-order", due_at=now + _AFTERTHOUGHT, state="generating"))
    if hit("callback_then_fail"):
        posts.append(Post(name="then-fail", due_at=now + _AFTERTHOUGHT, state="fail"))
    return tuple(posts)


def _faulty(post: Post, hit: Callable[[str], Fault | None]) -> Post:
    place, old, huge = hit("callback_id_place"), hit("callback_old_timestamp"), hit("callback_huge")
    return replace(
        post,
        id_place=place.value if place else None,
        age_seconds=old.value if old else 0,
        pad_bytes=int(huge.value) if huge else 0,
        signature="wrong" if hit("callback_wrong_signature") else "right",
        invalid_json=hit("callback_invalid_json") is not None,
    )


def render(task: Task, post: Post, now: float, folder_url: str) -> bytes:
    """The request body."""
    if post.body is not None:
        return json.dumps(post.body).encode()
    body = _body(_as_told(task, post.state, now), post, now, folder_url)
    if post.id_place:
        body = bodies.with_id_at(body, task.id, post.id_place)
    if post.pad_bytes:
        body["padding"] = "x" * post.pad_bytes
    text = json.dumps(body, ensure_ascii=False).encode()
    return text[:-2] if post.invalid_json else text


def headers(task_id: str, post: Post, wall_time: float, hmac_key: str | None) -> dict[str, str]:
    """The request headers; signed with the wall clock, which is the receiver's clock too."""
    made = {"Content-Type": "application/json", "User-Agent": "kie.ai-simulator"}
    if hmac_key is None or post.signature == "none":
        return made
    timestamp = str(int(wall_time - post.age_seconds))
    key = hmac_key if post.signature == "right" else f"not {hmac_key}"
    signature = bodies.sign(key, task_id, timestamp)
    return made | {"X-Webhook-Timestamp": timestamp, "X-Webhook-Signature": signature}


def _body(task: Task, post: Post, now: float, folder_url: str) -> bodies.Body:
    data = record(task, now, folder_url)
    if post.family == MARKET:
        return bodies.market(data)
    urls = result_urls(task, now, folder_url).main
    failed = data["state"] == "fail"
    stage = {"stage": post.stage} if post.family == "suno" else {}
    return bodies.FAMILIES[post.family](task.id, urls, failed=failed, **stage)


def _as_told(task: Task, state: str | None, now: float) -> Task:
    ended_at = task.finishes_at if task.is_final(now) else now
    match state:
        case "success":
            return replace(task, finishes_at=ended_at, fail_code=None, fail_message=None)
        case "fail":
            words = "Internal server error"
            return replace(task, finishes_at=ended_at, fail_code="500", fail_message=words)
        case "generating":
            elapsed = max(now - task.created_at, 1e-3)
            return replace(task, finishes_at=now + elapsed)
        case _:
            return task
