"""One seed from its plan to what the checker says of it."""

from __future__ import annotations

import functools
import logging
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import httpx

import core.deadline
import core.ids
from tests.checker.evidence import Evidence, Interval, facts_of, objects_in, objects_of, rows_of
from tests.checker.headline import Headline, headline, told_by
from tests.checker.invariants import check
from tests.checker.keeping import obtainable, owed
from tests.checker.violation import Violation
from tests.checker.witness import install_witness
from tests.simulation import pictures
from tests.simulation.naive_world import (
    PLANTED_SHA256,
    NaiveWorld,
    install,
    owed_by_naive,
    told_by_naive,
)
from tests.simulation.plan import Plan
from tests.simulation.world import START, World
from tests.support.databases import sqlite_url
from tests.support.supabase_storage import supabase_storage

_SSL = functools.cache(httpx.create_ssl_context)
#: In memory where there is such a place: what is proved does not hang on a disk's speed.
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one seed."""

    plan: Plan
    violations: list[Violation]
    headline: Headline
    unknowable: int  # results to be had of which nobody told the application in time
    struck: Counter[str]
    ends: Counter[str]  # status and error code of every generation


def run(plan: Plan, database_url: str = "") -> Result:
    """Let a plan happen; on a SQLite database in memory, where none is given."""
    with happened(plan, database_url) as (world, evidence):
        wanted = owed(evidence)
        return Result(
            plan,
            check(evidence),
            headline(told_by(evidence), evidence, wanted),
            _unknowable(evidence, wanted),
            world.struck,
            Counter(_end(row) for row in evidence.generations),
        )


@contextmanager
def happened(plan: Plan, database_url: str = "") -> Iterator[tuple[World, Evidence]]:
    """A plan that has happened, and what the checker is shown of it."""
    with _scratch() as folder:
        url = database_url or sqlite_url(folder)
        install_witness(url)
        with _lived(World, plan, folder, url) as world:
            yield world, replace(see(world), **rows_of(url), stuck={})


def run_naive(plan: Plan) -> Result:
    """The same plan with the naive application, which has promised nothing that could be broken."""
    with _scratch() as folder:
        url = install(folder)
        with _lived(NaiveWorld, plan, folder, url) as world:
            evidence = see(world)
            told = told_by_naive(url, evidence)
            wanted = owed_by_naive(told, evidence)
            return Result(
                plan,
                [],
                headline(told, evidence, wanted, {PLANTED_SHA256}),
                _unknowable(evidence, wanted),
                world.struck,
                Counter(claim.status for claim in told.claims.values()),
            )


def run_both(plan: Plan) -> tuple[Result, Result]:
    """What becomes of a plan with the product, and with the naive application."""
    return run(plan), run_naive(plan)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        folder = Path(name)
        (folder / "data").mkdir()
        yield folder


@contextmanager
def _lived(kind: type[World], plan: Plan, folder: Path, url: str) -> Iterator[World]:
    """A world in which all of the plan has happened."""
    with ExitStack() as stack:
        bucket = (
            stack.enter_context(supabase_storage(folder / "bucket")) if plan.uses_bucket else None
        )
        stack.enter_context(_deterministic(plan))
        world = kind(plan, folder, url, bucket)
        stack.callback(world.close)
        stack.enter_context(_at_the_worlds_time(world))
        world.run()
        yield world


def see(world: World) -> Evidence:
    """What the checker is shown of a world, but for the rows of the application."""
    horizon = world.scheduler.time
    bucket = world.bucket
    return Evidence(
        horizon=horizon,
        facts=facts_of(world.folder / "ledger.jsonl"),
        objects=objects_of(bucket.contents()) if bucket else objects_in(world.settings.assets_dir),
        connected=world.internet.connected,
        up={
            "worker": world.working(),
            "kie": _else(world.away["kie_away"], horizon),
            "database": _else(world.away["database_away"], horizon),
            "storage": _else([*world.away["storage_away"], *world.away["disk_full"]], horizon),
        },
        downloadable=world.downloadable(),
        let_in=world.let_in,
    )


def _unknowable(evidence: Evidence, wanted: set[str]) -> int:
    return sum(task.id not in wanted for task in obtainable(evidence))


def _end(row: dict[str, object]) -> str:
    return f"{row['status']} {row['error_code'] or ''}".strip()


def _else(away: list[Interval], horizon: float) -> list[Interval]:
    """When something that was away at those times was not."""
    found, since = [], START
    for begin, end in sorted(away):
        if begin > since:
            found.append((since, begin))
        since = max(since, end)
    return [*found, (since, horizon)]


@contextmanager
def _deterministic(plan: Plan) -> Iterator[None]:
    """The same dice for the same plan, and nothing that costs time for its own sake."""
    random.seed(plan.seed)
    dice = plan.dice("ids")
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            mock.patch("httpx.create_ssl_context", _SSL),
            mock.patch("simulator.picture.build", pictures.build),
            mock.patch.object(core.ids, "_last", 0),
            mock.patch.object(core.ids.secrets, "randbits", dice.getrandbits),
            mock.patch.object(core.ids.secrets, "token_hex", lambda n: dice.randbytes(n).hex()),
        ):
            yield
    finally:
        logging.disable(disabled)


@contextmanager
def _at_the_worlds_time(world: World) -> Iterator[None]:
    now = lambda: int(world.now().timestamp() * 1e9)  # noqa: E731
    monotonic = lambda: world.scheduler.time  # noqa: E731
    with (
        mock.patch.object(core.ids, "time", mock.Mock(time_ns=now)),
        mock.patch.object(core.deadline, "time", mock.Mock(monotonic=monotonic)),
    ):
        yield
