"""What a seed stands for: a workload, and the faults that it meets. Pure.

Each fault draws from dice of its own, so that one can be left out without changing the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.bodies import ID_PLACES
from simulator.results import SHAPES

MINUTE, HOUR = 60.0, 3600.0
#: Not the one that names each file at two hosts of the simulator's own machine.
SHAPES_HERE = [shape for shape in SHAPES if shape != "twin_hosts"]
SHARE_OF_BUCKETS = 0.05
#: Of all faults, how many are on in a calm, a rough and a wild seed.
SHARES_ON = (0.03, 0.1, 0.22)

Dice = random.Random
Scenario = dict[str, Any]


def _some(dice: Dice, least: float = 0.1, most: float = 0.6) -> float:
    return dice.uniform(least, most)


def _times(dice: Dice) -> int:
    return dice.randint(1, 4)


def _passing(dice: Dice, **value: Any) -> Scenario:
    """A fault of a few calls about some of the tasks."""
    return {"probability": _some(dice), "times": _times(dice), **value}


def _lasting(dice: Dice, most: float = 0.4, **value: Any) -> Scenario:
    """A fault of some of the tasks, for ever."""
    return {"probability": _some(dice, 0.05, most), **value}


#: Faults of KIE and its media host, as the simulator knows them.
OF_KIE: Mapping[str, Callable[[Dice], Scenario]] = {
    "create_error_before": lambda dice: _lasting(dice),
    "create_error_after": lambda dice: _lasting(dice),
    "create_cut": lambda dice: _lasting(dice),
    "create_delay": lambda dice: _lasting(dice, value=dice.choice([5, 30, 100, 130])),
    "create_refusal": lambda dice: _passing(
        dice, value=dice.choice([402, 433, 451, 455, 455, 505, 550, 550])
    ),
    "rate_limit": lambda dice: {"value": dice.choice(["http", "body"])},
    "record_null": lambda dice: _lasting(dice, value=dice.choice([5, 60, 200])),
    "record_truncated": _passing,
    "record_html": _passing,
    "record_error": _passing,
    "record_hang": lambda dice: _passing(dice, value=dice.choice([10, 20, 120])),
    "record_unknown_state": _passing,
    "record_extra_fields": _lasting,
    "outcome_fail": _lasting,
    "outcome_no_files": lambda dice: _lasting(dice, value=dice.choice([20, 300, 2 * HOUR, None])),
    "outcome_files": lambda dice: _lasting(dice, value=dice.choice([2, 3])),
    "outcome_shape": lambda dice: _lasting(dice, 0.9, value=dice.choice(SHAPES_HERE)),
    "outcome_stuck": lambda dice: _lasting(dice, 0.15),
    "outcome_seconds": lambda dice: _lasting(dice, value=dice.choice([0.1, 3 * HOUR])),
    "callback_none": lambda dice: _lasting(dice, 0.9),
    "callback_early": _lasting,
    "callback_parallel": lambda dice: _lasting(dice, value=dice.choice([1, 2, 5])),
    "callback_late": lambda dice: _lasting(dice, value=dice.choice([30, 2 * HOUR, 26 * HOUR])),
    "callback_out_of_order": _lasting,
    "callback_then_fail": _lasting,
    "callback_wrong_signature": _lasting,
    "callback_old_timestamp": _lasting,
    "callback_id_place": lambda dice: _lasting(dice, 0.9, value=dice.choice(ID_PLACES)),
    "callback_invalid_json": _lasting,
    "callback_huge": lambda dice: _lasting(dice, 0.1, value=2 << 20),
    "media_missing": lambda dice: _lasting(dice, value=dice.choice([20, 300, 2 * HOUR])),
    "media_empty": _passing,
    "media_html": _passing,
    "media_short": lambda dice: _passing(dice, value=dice.choice([1, 60, 500])),
    "media_cut": lambda dice: _passing(dice, value=dice.choice([0, 100, 66_000])),
    "media_changed": lambda dice: _passing(dice, value=dice.choice([100, 66_000])),
    "media_no_range": _lasting,
    "media_content_type": lambda dice: _lasting(dice, value="text/html"),
    "media_slow": lambda dice: _passing(dice, value=dice.choice([500, 20_000])),
    "media_redirect": lambda dice: _lasting(
        dice, value=dice.choice(["https://10.0.0.1/x", "https://inside.test/x", "http://kie.test/"])
    ),
    "media_dead_url": _lasting,
    "media_dead_direct": _lasting,
    "link_expired": _passing,
}

#: Faults of single calls: how likely each call is hit.
OF_CALLS: Mapping[str, tuple[float, float]] = {
    "crash": (0.002, 0.03),
    "stop": (0.001, 0.005),  # SIGSTOP, for a while
    "pause": (0.002, 0.02),  # of one thread
    "database_busy": (0.005, 0.05),
    "database_answer_lost": (0.005, 0.05),
    "storage_refused": (0.02, 0.3),
    "storage_answer_lost": (0.02, 0.3),
    "kie_refused": (0.02, 0.2),
    "kie_timeout": (0.01, 0.1),
    "kie_lost": (0.02, 0.2),
    "kie_hang": (0.01, 0.1),
    "kie_cut": (0.02, 0.2),
    "callback_lost": (0.1, 0.9),
    "callback_answer_lost": (0.1, 0.6),
}

#: What may be away for a while, and for how long.
OF_PARTS: Mapping[str, tuple[float, ...]] = {
    "database_away": (10.0, 5 * MINUTE, HOUR),
    "storage_away": (10.0, 5 * MINUTE, 3 * HOUR),
    "kie_away": (10.0, 2 * MINUTE, 20 * MINUTE),
    "poller_away": (10.0, 5 * MINUTE, 2 * HOUR),
    "web_away": (10.0, 5 * MINUTE, HOUR),
    "disk_full": (10.0, 5 * MINUTE, HOUR),
}
CLOCK_JUMP = "clock_jump"
FORGED = "forged"
OF_BUCKETS = "bucket_faults"
NOTHING = "nothing"  # no fault at all
ALL = (*OF_KIE, *OF_CALLS, *OF_PARTS, CLOCK_JUMP, FORGED, OF_BUCKETS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One seed's run. Times are seconds from its start."""

    seed: int
    tasks: int
    on: frozenset[str]
    uses_bucket: bool = False  # results go to Supabase Storage, and not into a folder

    def without(self, *names: str) -> Plan:
        """The same run, without some of its faults."""
        return replace(self, on=self.on - set(names))

    def dice(self, name: str) -> Dice:
        """Dice for one thing only."""
        return random.Random(f"{self.seed}/{name}")

    @property
    def span(self) -> float:
        """How long creates go on."""
        return self.dice("span").choice([5.0, 30.0, 10 * MINUTE, 2 * HOUR])

    @property
    def faults_end(self) -> float:
        """From here on all is well, but for what a task brought along."""
        return self.span + self.dice("end").choice([5 * MINUTE, HOUR, 5 * HOUR])

    @property
    def give_up_hours(self) -> float:
        """GIVE_UP_AFTER_HOURS."""
        return self.dice("give up").choice([1.0, 1.0, 24.0])

    @property
    def poll_max_seconds(self) -> float:
        """POLL_MAX_SECONDS."""
        return self.dice("poll max").choice([300.0, 1800.0])

    @property
    def horizon(self) -> float:
        """When everything must have ended."""
        return self.faults_end + self.give_up_hours * HOUR + 26 * HOUR

    @property
    def scenario(self) -> Scenario:
        """The simulator's faults."""
        return {name: draw(self.dice(name)) for name, draw in OF_KIE.items() if name in self.on}

    def likelihood(self, name: str) -> float:
        """Of a call to meet this fault."""
        return self.dice(name).uniform(*OF_CALLS[name]) if name in self.on else 0.0

    def away(self, name: str) -> list[tuple[float, float]]:
        """When this part is away."""
        if name not in self.on:
            return []
        dice = self.dice(name)
        starts = [dice.uniform(0, self.faults_end) for _ in range(dice.randint(1, 3))]
        lengths = OF_PARTS[name]
        return [(at, min(at + dice.choice(lengths), self.faults_end)) for at in sorted(starts)]

    @property
    def clock_jumps(self) -> list[tuple[float, float]]:
        """When the machine's clock is set, and by how much."""
        if CLOCK_JUMP not in self.on:
            return []
        dice = self.dice(CLOCK_JUMP)
        jumps = (-HOUR, -400.0, -20.0, 20.0, 400.0, HOUR)
        latest = dice.choice([self.span, self.faults_end])  # amid the creates, or at any time
        times = sorted(dice.uniform(0, latest) for _ in range(dice.randint(1, 3)))
        return [(at, dice.choice(jumps)) for at in times]

    @property
    def is_signed(self) -> bool:
        """Whether KIE signs its callbacks."""
        return self.dice("signed").random() < 0.5

    @property
    def webs(self) -> int:
        """Processes that answer requests."""
        return self.dice("webs").choice([1, 1, 2])

    @property
    def pollers(self) -> int:
        """Processes that poll."""
        return self.dice("pollers").choice([1, 1, 2])


def plan_of(seed: int, tasks: int | None = None, only: Collection[str] | None = None) -> Plan:
    """The plan of a seed, with no faults but these and so many tasks, where they are given."""
    plan = draw(seed, tasks)
    return plan if only is None else replace(plan, on=frozenset(only))


def draw(seed: int, tasks: int | None = None) -> Plan:
    """The plan of a seed; of 15 to 40 tasks, where no number is given."""
    dice = random.Random(f"{seed}/plan")
    count = dice.randint(15, 40)
    share = dice.choice(SHARES_ON)
    on = frozenset(name for name in ALL if dice.random() < share)
    uses_bucket = dice.random() < SHARE_OF_BUCKETS
    tasks = count if tasks is None else tasks
    return Plan(seed=seed, tasks=tasks, on=on, uses_bucket=uses_bucket)


def replay(plan: Plan) -> str:
    """The shortest command that lets the same happen again."""
    words = ["python -m tests.simulation", f"--seed {plan.seed}"]
    if plan.tasks != draw(plan.seed).tasks:
        words.append(f"--tasks {plan.tasks}")
    if plan.on != draw(plan.seed).on:
        words.append(f"--only {','.join(sorted(plan.on)) or NOTHING}")
    if plan.uses_bucket != draw(plan.seed).uses_bucket:
        words.append("--bucket" if plan.uses_bucket else "--folder")
    return " ".join(words)
