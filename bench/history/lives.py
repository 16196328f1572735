"""All generations of the invented history, in parts that know nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

from bench.history import fates
from bench.history.fates import Fate
from bench.history.models import USED, Model
from bench.history.open import OPEN
from bench.history.story import Story
from bench.history.times import NO_CREDITS, Stretch, stretches
from bench.history.values import Row

FAILING = 0.09  # of all generations
REFUSED_WITHOUT_CREDITS = 0.5
#: How generations fail, and how often each is met.
FAILURES: dict[Fate, float] = {
    fates.failed_at_kie: 62,
    fates.refused: 12,
    fates.lost: 11,
    fates.timed_out: 5,
    fates.never_known: 5,
    fates.empty: 2.5,
    fates.given_up_by_hand: 2.5,
}
SHARES = list(accumulate(model.share for model in USED))


class Rows(NamedTuple):
    """What is written of some generations, by table."""

    generations: list[Row]
    assets: list[Row]
    callbacks: list[Row]
    events: list[Row]


class Ordinary(NamedTuple):
    """What was created in one stretch; most of it has ended."""

    seed: int
    until: float
    stretch: Stretch

    def stories(self) -> Iterator[Story]:
        """Its generations, by the time of their creation."""
        random = Random(f"{self.seed}/{self.stretch.start}")
        for at in self.stretch.times(random):
            story = Story(random, _model(random), at, self.until)
            yield _lived(story, _fate(story))


class StillOpen(NamedTuple):
    """Some of every way to be open at the end."""

    seed: int
    until: float
    start: float
    generations: int

    def stories(self) -> Iterator[Story]:
        """Its generations, each as old as it may be."""
        random = Random(f"{self.seed}/open")
        for number in range(self.generations):
            way = OPEN[number % len(OPEN)]
            age = way.least * (way.most / way.least) ** random.random()
            at = max(self.until - age, self.start)
            yield _lived(Story(random, _model(random), at, self.until), way.fate)


Part = Ordinary | StillOpen


def parts(seed: int, count: int, start: float, until: float) -> Iterator[Part]:
    """The whole history, oldest first but for those that are still open."""
    still_open = min(count // 4, max(2 * len(OPEN), count // 8_000))
    for stretch in stretches(count - still_open, start, until):
        yield Ordinary(seed, until, stretch)
    yield StillOpen(seed, until, start, still_open)


def rows_of(part: Part) -> Rows:
    """All rows of a part."""
    stories = list(part.stories())
    return Rows(
        generations=[tuple(story.row.values()) for story in stories],
        assets=[tuple(asset.values()) for story in stories for asset in story.assets],
        callbacks=[row for story in stories for row in story.callbacks],
        events=[row for story in stories for row in story.events],
    )


def _model(random: Random) -> Model:
    [model] = random.choices(USED, cum_weights=SHARES)
    return model


def _fate(story: Story) -> Fate:
    dice = story.random.random()
    if NO_CREDITS.covers(story.created, story.until) and dice < REFUSED_WITHOUT_CREDITS:
        return fates.refused
    if dice >= FAILING * story.model.trouble:
        return fates.delivered
    [fate] = story.random.choices(list(FAILURES), list(FAILURES.values()))
    return fate


def _lived(story: Story, fate: Fate) -> Story:
    """The story as far as it has come by the history's end."""
    for at in fate(story):
        if at > story.until:
            break
        story.reach(at)
    if story.row["status"] in ("queued", "generating"):
        story.rest()
    return story
