"""Faults that can be switched on, and when they hit.

Draws depend on nothing but the seed, the task's number and the fault's name: the same creates in
the same order meet the same faults, however fast anything runs.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """When one fault hits, and how."""

    probability: float = 1.0  # share of tasks hit
    times: int | None = None  # a hit task suffers only this many calls
    next: int | None = None  # instead of both: the next so many calls, whoever makes them
    value: Any = None  # seconds, bytes, a word: see `scenario`


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Every fault, off by default. Where a value is in seconds, None means for ever."""

    auth_http_401: Fault | None = None

    create_error_before: Fault | None = None  # HTTP 500, no task made
    create_error_after: Fault | None = None  # HTTP 500, task made
    create_cut: Fault | None = None  # connection cut, task made
    create_delay: Fault | None = None  # seconds until the answer, task made at once
    create_refusal: Fault | None = None
    rate_limit: Fault | None = None  # 20 creates in 10 s

    record_null: Fault | None = None  # 422 for so many seconds after the create
    record_truncated: Fault | None = None
    record_html: Fault | None = None  # HTTP 502 and a page
    record_error: Fault | None = None  # HTTP 500
    record_hang: Fault | None = None  # seconds until the answer
    record_unknown_state: Fault | None = None  # while in progress
    record_extra_fields: Fault | None = None

    # These shape the task itself: they are decided when it is made and stay.
    outcome_fail: Fault | None = None
    outcome_no_files: Fault | None = None  # success without files for so many seconds
    outcome_files: Fault | None = None  # how many
    outcome_shape: Fault | None = None
    outcome_stuck: Fault | None = None  # waiting for ever
    outcome_seconds: Fault | None = None  # generation takes exactly this long
    media_bytes: Fault | None = None  # size of each file, about

    callback_none: Fault | None = None
    callback_early: Fault | None = None  # made at once, told before the create answer
    callback_parallel: Fault | None = None  # copies at the same moment
    callback_late: Fault | None = None  # one more copy, seconds later
    callback_out_of_order: Fault | None = None  # "generating" told after the end
    callback_then_fail: Fault | None = None  # failure told after success
    callback_wrong_signature: Fault | None = None
    callback_old_timestamp: Fault | None = None  # age in seconds
    callback_id_place: Fault | None = None
    callback_invalid_json: Fault | None = None
    callback_huge: Fault | None = None  # bytes added

    media_missing: Fault | None = None  # 404 for so many seconds after completion
    media_empty: Fault | None = None  # 200 and nothing
    media_html: Fault | None = None  # 200 and an error page
    media_short: Fault | None = None  # a whole answer of only so many bytes
    media_cut: Fault | None = None  # connection cut after so many bytes
    media_changed: Fault | None = None  # an earlier version, cut after so many bytes
    media_no_range: Fault | None = None  # Range is ignored
    media_content_type: Fault | None = None
    media_slow: Fault | None = None  # bytes per second
    media_redirect: Fault | None = None
    media_dead_url: Fault | None = None  # dead until recordInfo gives a fresh URL
    media_dead_direct: Fault | None = None  # alive only through download-url
    link_expired: Fault | None = None  # download-url answers a link that is over


class Switches:
    """The faults now in force, with the counts of what they already did."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self.set(faults)

    @property
    def faults(self) -> Faults:
        """What is switched on."""
        return self._faults

    def set(self, faults: Faults) -> None:
        """Replace all faults; counts start anew."""
        with self._lock:
            self._faults = faults
            self._used: Counter[str] = Counter()
            self._used_by_task: Counter[tuple[str, int]] = Counter()

    def hit(self, name: str, number: int) -> Fault | None:
        """The fault, when it strikes this call about the task with this number; it is then used."""
        with self._lock:
            fault: Fault | None = getattr(self._faults, name)
            if fault is None:
                return None
            if fault.next is not None:
                self._used[name] += 1
                return fault if self._used[name] <= fault.next else None
            if self.draw(name, number) >= fault.probability:
                return None
            self._used_by_task[name, number] += 1
            spent = fault.times is not None and self._used_by_task[name, number] > fault.times
            return None if spent else fault

    def draw(self, name: str, number: int) -> float:
        """A number in [0, 1) that belongs to this seed, task and name for ever."""
        return random.Random(f"{self._seed}/{number}/{name}").random()
