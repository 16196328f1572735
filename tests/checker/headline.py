"""Results lost, double payments and forged changes: one measure for any application."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.tasks import Task
from tests.checker.books import made_for, named_files
from tests.checker.evidence import Evidence
from tests.checker.paying import orders


class Headline(NamedTuple):
    """How many tasks KIE made, and what became wrong with them."""

    tasks: int
    lost: int
    paid_twice: int  # intents, however often
    forged: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What an application says of one task."""

    status: str  # success or failed, or whatever it calls what is not over
    kept: Sequence[str] = ()  # sha256 of each file that it serves itself as the result
    failed_at_kie: bool = False  # whether it says that KIE failed it


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an application says of all its tasks."""

    tasks_of: Mapping[str, Collection[str]]  # by intent: the tasks that KIE made for it
    claims: Mapping[str, Claim]  # by task; of the others it says nothing
    ordered_again: Mapping[str, int] = field(default_factory=dict)  # by intent: by an operator


def headline(
    told: Told, evidence: Evidence, owed: Collection[str], planted: Collection[str] = ()
) -> Headline:
    """The counts of an application, by KIE's books.

    `evidence` needs facts and horizon only; `owed` are the tasks whose results it had to keep,
    `planted` the hashes of files that forgers offered it.
    """
    tasks = evidence.books.tasks
    return Headline(
        tasks=len(tasks),
        lost=sum(not _is_kept(evidence, tasks[task_id], told) for task_id in owed),
        paid_twice=sum(
            len(made) > 1 + told.ordered_again.get(intent, 0)
            for intent, made in told.tasks_of.items()
        ),
        forged=sum(
            _is_forged(claim, tasks.get(task_id), evidence.horizon, planted)
            for task_id, claim in told.claims.items()
        ),
    )


def _is_kept(evidence: Evidence, task: Task, told: Told) -> bool:
    """Whether it says success, and serves every file that KIE names, to the byte."""
    claim = told.claims.get(task.id)
    if claim is None or claim.status != "success":
        return False
    return {evidence.content(task, file.name).sha256 for file in named_files(task)} <= {*claim.kept}


def _is_forged(claim: Claim, task: Task | None, horizon: float, planted: Collection[str]) -> bool:
    """Whether somebody else's word was believed: of an end that KIE tells otherwise, or a file."""
    state = task.state(horizon) if task else None
    if claim.status == "success" and state != "success":
        return True
    if claim.failed_at_kie and state != "fail":
        return True
    return any(sha256 in planted for sha256 in claim.kept)


def told_by(evidence: Evidence) -> Told:
    """What the database and storage of our application say."""
    tasks_of: dict[str, set[str]] = {}
    for task in evidence.books.tasks.values():
        tasks_of.setdefault(made_for(task) or task.id, set()).add(task.id)
    return Told(
        tasks_of=tasks_of,
        claims={
            task_id: Claim(
                row["status"],
                [
                    asset["sha256"]
                    for asset in evidence.stored.get(row["id"], ())
                    if evidence.objects.get(asset["path"]) == (asset["size_bytes"], asset["sha256"])
                ],
                failed_at_kie=row["error_code"] == "provider.failed",
            )
            for task_id, row in evidence.by_task.items()
        },
        ordered_again={row["id"]: orders(evidence, row["id"]) for row in evidence.generations},
    )
