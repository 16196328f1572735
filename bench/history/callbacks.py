"""Callbacks of the invented history: how one is kept, and those of strangers."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

from bench.history.times import HOUR
from bench.history.values import Row, id_at, json_text, time_text
from core.store.inbox import STRANGERS_PER_HOUR
from core.store.tables import callbacks

NEW = dict.fromkeys(callbacks.c.keys()) | {"headers": json_text({"user-agent": "kie/1"})}
RECEIVED_AT, REASON = (list(NEW).index(name) for name in ("received_at", "reason"))
#: Why callbacks are not accepted, and how often each is met among strangers.
REASONS = {
    "credential.missing": 40,
    "credential.wrong": 25,
    "body.not_json": 10,
    "signature.missing": 8,
    "signature.stale": 7,
    "body.no_task_id": 5,
    "task.unknown": 5,
}
HOURLY = 1.4  # strangers, the mean before it is rounded down
FLOOD = 2_400  # of them in one hour, of which no more are kept than may be
FLOOD_HOURS_AGO = 101

#: Of `refusals`: hour, reason, whether the URL credential was valid.
Refusal = tuple[str, str, bool]


def callback_row(random: Random, at: float, verdict: str, **values: Any) -> Row:
    """The row of `callbacks` for one that came at that time; a duplicate's body is not kept."""
    body = json_text({"code": 200, "data": {"taskId": values.get("task_id")}})
    row = NEW | values
    row["id"] = id_at(random, at)
    row["received_at"] = time_text(at)
    row["verdict"] = verdict
    row["body"] = "" if verdict == "duplicate" else body
    row["body_sha256"] = hashlib.sha256(body.encode()).hexdigest()
    return tuple(row.values())


def strangers(random: Random, start: float, until: float) -> tuple[list[Row], Counter[Refusal]]:
    """The rows of callbacks that nobody here had asked for, and how many more were only counted."""
    rows: list[Row] = []
    for number in range(math.ceil((until - start) / HOUR)):
        at = start + number * HOUR
        count = int(random.expovariate(1 / HOURLY))
        rows += [_stranger(random, min(at + HOUR * random.random(), until)) for _ in range(count)]
    flood_at = (until // HOUR - FLOOD_HOURS_AGO) * HOUR
    if flood_at < start:
        return rows, Counter()
    flood = [_flooding(random, flood_at) for _ in range(STRANGERS_PER_HOUR)]
    return rows + flood, Counter(dict.fromkeys(refusals(flood), FLOOD - len(flood)))


def refusals(rows: Iterable[Row]) -> Counter[Refusal]:
    """How many of these callbacks were refused or fit nothing, as they are counted."""
    return Counter(
        (
            f"{row[RECEIVED_AT][:13]}:00:00.000000",
            row[REASON],
            not row[REASON].startswith("credential."),
        )
        for row in rows
        if row[REASON]
    )


def _stranger(random: Random, at: float) -> Row:
    [reason] = random.choices(list(REASONS), list(REASONS.values()))
    if reason == "task.unknown":
        task_id = f"{random.getrandbits(128):032x}"
        return callback_row(
            random, at, "unmatched", reason=reason, task_id=task_id, stage="success"
        )
    return _refused(random, at, reason)


def _refused(random: Random, at: float, reason: str) -> Row:
    return callback_row(random, at, "refused", reason=reason, detail="it did not pass this check")


def _flooding(random: Random, hour: float) -> Row:
    return _refused(random, hour + HOUR * random.random(), "credential.wrong")
