"""That results are kept, and nothing is kept that nobody knows of: I2, I3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from simulator.tasks import Task
from tests.checker.books import made_for, named_files, visible_at
from tests.checker.database import Row
from tests.checker.evidence import Evidence, Interval
from tests.checker.violation import Violation

HOUR = 3600.0
DAY = 24 * HOUR
#: A generation with such a line has its task id from somebody else than createTask.
LEARNT_LATER = ("callback.task_adopted", "generation.rescued")


def results_are_kept(evidence: Evidence) -> Iterator[Violation]:
    """I2: whoever could have had a result has it, each file once and to the byte.

    What calls itself a success has its main files even before it is overdue.
    """
    overdue = owed(evidence)
    for task in evidence.books.tasks.values():
        row = evidence.by_task.get(task.id)
        if row is None:
            if task.id in overdue:
                yield Violation("I2", task.id, "a result that no generation has")
            continue
        is_success = row["status"] == "success"
        if task.id in overdue and not is_success:
            words = f"{row['status']}, {row['error_code']}, though its result could be had"
            yield Violation("I2", row["id"], words)
        elif is_success and task.state(evidence.horizon) == "success":
            yield from _files(evidence, row, task, all_of_them=task.id in overdue)


def _files(evidence: Evidence, row: Row, task: Task, *, all_of_them: bool) -> Iterator[Violation]:
    named = [file for file in named_files(task) if all_of_them or file.role == "main"]
    wanted = Counter((role, evidence.content(task, name).sha256) for role, name in named)
    kept = Counter(
        (asset["role"], asset["sha256"])
        for asset in evidence.stored.get(row["id"], ())
        if asset["path"] in evidence.objects
    )
    for file in wanted:
        if kept[file] != wanted[file]:
            role, sha256 = file
            words = f"{role} {sha256[:12]} of task {task.id} is stored {kept[file]} times"
            yield Violation("I2", row["id"], words)


def owed(evidence: Evidence) -> set[str]:
    """The tasks whose results we could have had, and were told of in time."""
    return told_in_time(evidence, lambda task: known_since(evidence, task))


def told_in_time(evidence: Evidence, since: Callable[[Task], float | None]) -> set[str]:
    """The obtainable tasks that somebody knew of while an hour of all working was left."""
    known = {task.id: since(task) for task in obtainable(evidence)}
    return {
        task_id
        for task_id, at in known.items()
        if at is not None and _could_be_had(evidence, evidence.books.tasks[task_id], at)
    }


def unknowable(evidence: Evidence) -> list[str]:
    """The obtainable results of which nobody told us in time, or that nobody wants any more."""
    known = owed(evidence)
    return [task.id for task in obtainable(evidence) if task.id not in known]


def obtainable(evidence: Evidence) -> Iterator[Task]:
    """The successes whose files were there for 24 h, for an hour of which all worked."""
    for task in evidence.books.tasks.values():
        was_there = evidence.downloadable is None or task.id in evidence.downloadable
        if was_there and _could_be_had(evidence, task, task.created_at):
            yield task


def _could_be_had(evidence: Evidence, task: Task, known: float) -> bool:
    """Whether the 24 h are over and all worked for an hour of them, from a moment on."""
    seen = visible_at(task)
    if seen is None or seen + DAY > evidence.horizon:
        return False
    return seconds_together(evidence.up or {}, max(seen, known), seen + DAY) >= HOUR


def known_since(evidence: Evidence, task: Task) -> float | None:
    """When we were told of a task: by the answer to createTask, else by KIE's callback.

    What an operator has replaced by another task, or somebody has deleted, is not wanted.
    """
    told_at = evidence.books.told_at.get(task.id)
    if row := evidence.by_task.get(task.id):
        learnt_later = ("callback.task_adopted", "generation.rescued")
        return (
            told_at if any(evidence.told(row, name) for name in learnt_later) else task.created_at
        )
    generation_id = made_for(task) or ""
    owner = evidence.by_id.get(generation_id)
    replaced = owner and owner["sent_again_at"] is not None and owner["task_id"] is not None
    return None if replaced or generation_id in evidence.deleted else told_at


def seconds_together(up: Mapping[str, Sequence[Interval]], since: float, until: float) -> float:
    """How long all components were up at once."""
    spans = [(since, max(since, until))]
    for intervals in up.values():
        overlaps = [(max(a, c), min(b, d)) for a, b in spans for c, d in intervals]
        spans = [(start, end) for start, end in overlaps if start < end]
    return sum(end - start for start, end in spans)


def storage_and_rows_agree(evidence: Evidence) -> Iterator[Violation]:
    """I3: no object without an asset, nothing said to be stored that is not, or is something else.

    A success has a main file and the address of one.
    """
    paths = {asset["path"] for asset in evidence.assets}
    for path in evidence.objects:
        if path not in paths:
            yield Violation("I3", path, "an object without an asset")
    for asset in (asset for assets in evidence.stored.values() for asset in assets):
        found = evidence.objects.get(asset["path"])
        if found is None:
            yield Violation("I3", str(asset["path"]), "said to be stored, and is not there")
        elif found != (asset["size_bytes"], asset["sha256"]):
            words = f"{found.size_bytes} bytes, {found.sha256[:12]}: not as recorded"
            yield Violation("I3", asset["path"], words)
    for row in evidence.generations:
        mains = [one for one in evidence.stored.get(row["id"], ()) if one["role"] == "main"]
        if row["status"] == "success" and not (mains and row["asset_url"]):
            yield Violation("I3", row["id"], "a success without a stored main file")
