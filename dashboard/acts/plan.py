"""What an operator may do with generations, what would come of it, and what it may cost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.generation.model import Change, Generation
from core.generation.operating import (
    ActRefusedError,
    Order,
    given_up,
    looked_again,
    sent_again,
    task_attached,
)
from core.generation.schedule import Policy
from core.store.stuck import Usual

HELD = "a worker is on it right now"
_NOBODY = Order(by="nobody")


class Act(StrEnum):
    """What core.operator can do."""

    LOOK_AGAIN = "look_again"
    GIVE_UP = "give_up"
    ATTACH = "attach"
    SEND_AGAIN = "send_again"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Generations to act upon, and in words how they were chosen."""

    generations: tuple[Generation, ...]
    selection: str

    @property
    def is_one(self) -> bool:
        """Whether it is about a single generation."""
        return len(self.generations) == 1

    def order(self, by: str) -> Order:
        """On whose word, for the timeline of each."""
        return Order(by=by, selection=self.selection, of=len(self.generations))


@dataclass(frozen=True, slots=True)
class Plan:
    """What would come of an act, without doing it."""

    possible: tuple[Generation, ...]
    refused: Mapping[str, str]  # why, by id

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why some would be refused, and how many, the most frequent first."""
        return Counter(self.refused.values()).most_common()


class Cost(NamedTuple):
    """What sending again is likely to cost: credits in total, and how many at unknown cost."""

    credits: float | None  # None: nothing is known of any
    unknown: int


def plan(act: Act, generations: Sequence[Generation], now: datetime, policy: Policy) -> Plan:
    """What would come of an act as the generations stand here."""
    answers = {one.id: refusal(act, one, now, policy) for one in generations}
    possible = tuple(one for one in generations if answers[one.id] is None)
    return Plan(possible, {id: why for id, why in answers.items() if why is not None})


def refusal(act: Act, generation: Generation, now: datetime, policy: Policy) -> str | None:
    """Why an act would be refused; None: it would not be."""
    try:
        _decide(act, generation, now, policy)
    except ActRefusedError as error:
        return str(error)
    return HELD if generation.is_held(now) and act is not Act.LOOK_AGAIN else None


def expected_cost(generations: Sequence[Generation], usual: Mapping[str, Usual]) -> Cost:
    """What one more task for each is likely to cost."""
    each = [usual[one.model].credits if one.model in usual else None for one in generations]
    known = [credits for credits in each if credits is not None]
    return Cost(sum(known) if known else None, len(each) - len(known))


def _decide(act: Act, generation: Generation, now: datetime, policy: Policy) -> Change:
    match act:
        case Act.LOOK_AGAIN:
            return looked_again(generation, _NOBODY, now)
        case Act.GIVE_UP:
            return given_up(generation, "", _NOBODY, now)
        case Act.ATTACH:
            return task_attached(generation, "", _NOBODY, now)
        case Act.SEND_AGAIN:
            return sent_again(generation, generation.submit_started_at, _NOBODY, now, policy)
