"""What becomes of a generation in the invented history.

A fate is a generator: it yields the time of what happens next, and goes on once that time has
come. Where the history ends before, the generation stays as it is then: so some are open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from bench.history.models import SECONDS
from bench.history.story import Story
from bench.history.times import DAY, NO_CREDITS, SILENCES, STORAGE_AWAY
from core.generation.model import Code
from core.kie.report import FAIL, SUCCESS

Times = Iterator[float]
Fate = Callable[[Story], Times]

#: KIE's codes and words for a failed task, and how often each is met.
KIE_FAILURES = {
    "501: Generation Failed": 30,
    "500: Internal server error": 18,
    "400: The prompt was flagged by the content policy": 22,
    "GENERATION_FAILED: The result did not pass a safety check": 12,
    "451: Failed to fetch the input image": 8,
    "422: The image is too small, 300 px at least": 5,
    "531: Generation failed, the credits were returned": 5,
}
NO_CREDITS_LEFT = (402, "Credits insufficient: your balance is not enough for this request")
BAD_INPUT = (422, "duration is not within the range of allowed options")
#: Why a file is lost: how its last attempt went.
LOSSES = {
    Code.MEDIA_GONE: "the media host answered 404",
    Code.MEDIA_INVALID: "what came was an error page and no file",
    Code.MEDIA_TOO_LARGE: "the file is larger than MAX_ASSET_BYTES",
    Code.MEDIA_REFUSED: "the address is not on the public internet",
}
CALLED_BACK = 0.71  # of what finishes while callbacks come
HITCHES = 0.012  # of all files are not stored at the first attempt
BYTES_PER_SECOND = 6_000_000


def delivered(story: Story) -> Times:
    """KIE makes it and we store it, which is what becomes of most."""
    yield from finished(story, SUCCESS)
    story.succeed()
    mains = sum(asset["role"] == "main" for asset in story.assets)
    for position in range(len(story.assets)):
        yield from _stored(story, position)
        if position == mains - 1:
            story.deliver()


def failed_at_kie(story: Story) -> Times:
    """KIE makes a task, and fails it."""
    yield from finished(story, FAIL)
    [why] = story.random.choices(list(KIE_FAILURES), list(KIE_FAILURES.values()))
    story.fail(why)


def refused(story: Story) -> Times:
    """KIE makes no task."""
    yield story.at + story.random.uniform(0.02, 0.2)
    story.start_submitting()
    yield story.at + story.random.uniform(0.2, 0.9)
    no_credits = NO_CREDITS.covers(story.created, story.until) or story.random.random() < 0.2
    story.refuse(*(NO_CREDITS_LEFT if no_credits else BAD_INPUT))


def lost(story: Story) -> Times:
    """The first file can never be stored, however often it is tried."""
    yield from finished(story, SUCCESS)
    story.succeed()
    [code] = story.random.choices(list(LOSSES), (50, 30, 12, 8))
    yield story.at + story.random.uniform(0.5, 4)
    if code in (Code.MEDIA_GONE, Code.MEDIA_INVALID):
        transient = "media.dead" if code is Code.MEDIA_GONE else "media.broken"
        story.wait("asset.retry", transient, LOSSES[code], position=0, attempt=1)
        yield story.at + story.random.uniform(70, 240)
    story.lose(0, code, LOSSES[code])
    for position in range(1, len(story.assets)):
        yield from _stored(story, position)
    story.give_up(code, LOSSES[code])


def timed_out(story: Story) -> Times:
    """KIE never finishes, until we stop waiting."""
    yield from at_work(story)
    yield story.created + DAY
    story.give_up(Code.PROVIDER_TIMEOUT, "KIE still said 'generating' at the give-up time")


def never_known(story: Story) -> Times:
    """No answer to the create ever came, and no callback."""
    yield story.at + story.random.uniform(0.02, 0.2)
    story.start_submitting()
    yield story.at + 120
    story.wait(
        "submit.unknown", Code.SUBMIT_UNKNOWN, "KIE may or may not have made a task: timeout"
    )
    yield story.created + DAY
    story.give_up(Code.SUBMIT_UNKNOWN, "it never became known whether KIE made a task")


def empty(story: Story) -> Times:
    """KIE says success, and never names a file."""
    yield from finished(story, SUCCESS)
    story.look(SUCCESS)
    story.tell("provider.empty", asked=1)
    yield story.at + 600
    story.give_up(Code.PROVIDER_EMPTY, "KIE says success, but names no file")


def given_up_by_hand(story: Story) -> Times:
    """An operator does not want to wait any longer."""
    yield from at_work(story)
    yield story.at + story.random.uniform(1_200, 12_000)
    story.give_up(Code.OPERATOR_GAVE_UP, "the user asked for it no more")


def accepted(story: Story) -> Times:
    """KIE makes a task."""
    yield story.at + story.random.uniform(0.02, 0.2)
    story.start_submitting()
    yield story.at + story.random.uniform(0.3, 1.8)
    story.accept()


def at_work(story: Story) -> Times:
    """KIE makes a task and works on it."""
    yield from accepted(story)
    yield story.at + story.random.uniform(0.5, 1.5)
    story.look("generating")


def finished(story: Story, state: str) -> Times:
    """KIE finishes a task; a callback tells, or else a later look."""
    yield from at_work(story)
    story.completed = story.at + _seconds_at_kie(story)
    announced = story.completed + story.random.uniform(0.2, 1.2)
    if _is_called_back(story, announced):
        yield announced
        story.announce(state)
        yield story.at + story.random.uniform(0.05, 0.4)
    else:
        yield story.completed + story.random.uniform(1, 8 + story.model.seconds / 5)


def _seconds_at_kie(story: Story) -> float:
    least, most = SECONDS[story.model.kind]
    usual = story.random.lognormvariate(math.log(story.model.seconds), 0.35)
    return min(max(usual, least), most)


def _is_called_back(story: Story, at: float) -> bool:
    silent = any(silence.covers(at, story.until) for silence in SILENCES)
    return not silent and story.random.random() < CALLED_BACK


def _stored(story: Story, position: int) -> Times:
    if STORAGE_AWAY.covers(story.at, story.until):
        why = "the storage folder cannot be written"
        story.wait("asset.retry", "storage.unavailable", why, position=position, attempt=1)
        yield STORAGE_AWAY.ends(story.until) + story.random.uniform(0, 120)
    elif story.random.random() < HITCHES:
        yield story.at + story.random.uniform(0.5, 5)
        why = "the connection to the media host was cut"
        story.wait("asset.retry", "media.unreachable", why, position=position, attempt=1)
        yield story.at + 5 * math.exp(story.random.uniform(0, 5))
    fetching = story.assets[position]["size_bytes"] / BYTES_PER_SECOND
    yield story.at + 0.15 + fetching * story.random.uniform(0.6, 1.6)
    story.store(position)
