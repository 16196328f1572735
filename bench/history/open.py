"""Generations that are still open when the invented history ends, one of every way to be so."""

from __future__ import annotations

from typing import NamedTuple

from bench.history.fates import (
    Fate,
    Times,
    accepted,
    at_work,
    delivered,
    finished,
    never_known,
    timed_out,
)
from bench.history.story import Story
from bench.history.times import DAY, HOUR
from bench.history.values import time_text
from core.generation.schedule import CRASHES_SET_ASIDE
from core.kie.report import SUCCESS

FOREVER = float("inf")
MINUTE = 60.0
TOKEN = "of a worker in this history"


def not_taken(story: Story) -> Times:
    """KIE cannot be reached, so it has not heard of it."""
    yield story.at + 1
    story.wait("submit.not_now", "kie.unreachable", "no connection to KIE could be made")
    story.row["attempts"] = 3
    yield FOREVER


def being_submitted(story: Story) -> Times:
    """A worker is sending it to KIE."""
    yield story.at + 0.1
    story.start_submitting()
    _hold(story, story.until + 45)
    yield FOREVER


def candidate(story: Story) -> Times:
    """A callback named its task, and KIE could not yet be asked about that."""
    yield story.at + 0.1
    story.start_submitting()
    yield story.at + 100
    story.wait("submit.unknown", "submit.unknown", "KIE may or may not have made a task: timeout")
    yield story.at + 20
    task_id = f"{story.random.getrandbits(128):032x}"
    story.row |= {"candidate_task_id": task_id, "announced_at": story.now}
    yield FOREVER


def not_told(story: Story) -> Times:
    """KIE does not answer when it is asked."""
    yield from at_work(story)
    yield story.at + 60
    story.wait("ask.failed", "kie.unavailable", "503: the service is under maintenance")
    story.row["attempts"] = 6
    yield FOREVER


def storage_away(story: Story) -> Times:
    """The result is known, and storage does not take it."""
    yield from _at_risk(story, "storage.unavailable", "no room in the storage folder")


def media_away(story: Story) -> Times:
    """The result is known, and its host cannot be reached."""
    yield from _at_risk(story, "media.unreachable", "the media host does not answer")


def set_aside(story: Story) -> Times:
    """Every worker that tries to store it dies."""
    yield from finished(story, SUCCESS)
    story.succeed()
    _hold(story, story.until - 20 * MINUTE, crashes=CRASHES_SET_ASIDE)
    yield FOREVER


def being_stored(story: Story) -> Times:
    """A worker is fetching its file."""
    yield from finished(story, SUCCESS)
    story.succeed()
    _hold(story, story.until + 45)
    yield FOREVER


def left_behind(story: Story) -> Times:
    """Its worker has died a moment ago."""
    yield from accepted(story)
    _hold(story, story.until - 5)
    yield FOREVER


def _at_risk(story: Story, code: str, why: str) -> Times:
    yield from finished(story, SUCCESS)
    story.succeed()
    yield story.at + 2
    story.wait("asset.retry", code, why, position=0, attempt=1)
    story.row["attempts"] = 14
    yield FOREVER


def _hold(story: Story, lease_until: float, crashes: int = 0) -> None:
    lease = {"lease_token": TOKEN, "lease_until": time_text(lease_until), "crashes": crashes}
    story.row |= lease


class Open(NamedTuple):
    """A way to be open, and the least and the greatest age in which it is met."""

    fate: Fate
    least: float  # seconds
    most: float


OPEN = (
    Open(timed_out, 12 * MINUTE, 20 * HOUR),
    Open(never_known, 4 * MINUTE, 22 * HOUR),
    Open(storage_away, 80 * MINUTE, 30 * HOUR),
    Open(delivered, 1, 12),
    Open(set_aside, 50 * MINUTE, 3 * DAY),
    Open(not_taken, 20, 30 * MINUTE),
    Open(media_away, 2 * HOUR, 13.8 * DAY),
    Open(not_told, 11 * MINUTE, 5 * HOUR),
    Open(being_stored, 8 * MINUTE, 12 * MINUTE),
    Open(candidate, 3 * MINUTE, 9 * MINUTE),
    Open(timed_out, 2 * MINUTE, 9 * MINUTE),
    Open(being_submitted, 2, 20),
    Open(left_behind, MINUTE, 2 * MINUTE),
)
