"""Who is believed, and who is called: I4, I6, I8."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from simulator.tasks import Task
from tests.checker.books import is_acknowledged, made_for, named_files
from tests.checker.database import Row
from tests.checker.evidence import Evidence
from tests.checker.violation import Violation

#: Reasons with which an accepted callback is kept and yet changes nothing.
FOREIGN = ("task.other", "task.of_another_generation")
REFUSAL = re.compile(r"provider\.([0-9]+)")
#: KIE does not look at a call with such a key, and does not write it down.
WRONG_KEY = 401
#: How many characters of KIE's words are surely repeated.
WORDS = 80


def callbacks_are_kept(evidence: Evidence) -> Iterator[Violation]:
    """I4: what was acknowledged is on record, by the hash of its body."""
    kept = {row["body_sha256"] for row in evidence.callbacks}
    for attempt in evidence.books.attempts:
        task = evidence.books.tasks.get(attempt["taskId"])
        deleted = task is not None and made_for(task) in evidence.deleted
        if is_acknowledged(attempt) and attempt["body_sha256"] not in kept and not deleted:
            words = f"its callback {attempt['post']!r} was answered {attempt['status']} and is lost"
            yield Violation("I4", attempt["taskId"], words)


def only_kie_is_believed(evidence: Evidence) -> Iterator[Violation]:
    """I6: states, failures, task ids and files are as KIE has them, whatever anybody claimed."""
    announced = {
        row["generation_id"]
        for row in evidence.callbacks
        if row["verdict"] == "accepted" and row["reason"] not in FOREIGN
    }
    for row in evidence.generations:
        task = evidence.task_of(row)
        for words in (
            *_status(evidence, row, task),
            *_task_id(evidence, row, task),
            *_files(evidence, row, task),
        ):
            yield Violation("I6", row["id"], words)
        if row["announced_at"] is not None and row["id"] not in announced:
            yield Violation("I6", row["id"], "announced by no callback that was accepted")
    for path in evidence.let_in:
        yield Violation("I6", path, "a callback without a credential was accepted")


def _status(evidence: Evidence, row: Row, task: Task | None) -> Iterator[str]:
    code = str(row["error_code"])
    state = task.state(evidence.horizon) if task else "nothing"
    if row["status"] == "success" and state != "success":
        yield f"success, of which KIE says {state}"
    if code == "provider.failed":
        if state != "fail":
            yield f"provider.failed, of which KIE says {state}"
        for word in (task.fail_code, task.fail_message) if task and state == "fail" else ():
            if (word or "")[:WORDS] not in str(row["error"]):
                yield f"failed with {row['error']!r}, where KIE says {word!r}"
    elif (refusal := REFUSAL.fullmatch(code)) and not _has_refused(evidence, row, int(refusal[1])):
        yield f"{code}, with which KIE has not refused it"


def _has_refused(evidence: Evidence, row: Row, code: int) -> bool:
    if code == WRONG_KEY:
        return True
    calls = evidence.books.calls.get(row["id"], [])
    return code in [call.code for call in calls] or code in evidence.books.stray_codes


def _task_id(evidence: Evidence, row: Row, task: Task | None) -> Iterator[str]:
    if row["task_id"] is None or _is_entrusted(evidence, row):
        return
    if task is None:
        yield f"has a task {row['task_id']} that KIE does not know"
    elif made_for(task) not in (row["id"], None):
        yield f"has the task {task.id} that was made for {made_for(task)}"


def _is_entrusted(evidence: Evidence, row: Row) -> bool:
    """Whether somebody who may has named the task: an operator, or whoever put it on record."""
    if evidence.told(row, "operator.attached") or evidence.told(row, "history.pruned"):
        return True
    by_itself = ("submit.started", "callback.task_adopted")
    return not any(evidence.told(row, event) for event in by_itself)


def _files(evidence: Evidence, row: Row, task: Task | None) -> Iterator[str]:
    urls = row["result_urls"]
    if task is None:
        if urls or evidence.stored.get(row["id"]):
            yield "has a result, and no task that KIE knows"
        return
    for url in urls:
        if task.id not in url:
            yield "has a result URL that is not of its task"
    stored = evidence.stored.get(row["id"], ())
    made = {evidence.content(task, name).sha256 for _, name in named_files(task)} if stored else ()
    for asset in stored:
        if asset["sha256"] not in made:
            yield f"{asset['role']} at position {asset['position']} is no file of task {task.id}"


def only_public_addresses(evidence: Evidence) -> Iterator[Violation]:
    """I8: no file was fetched from an address that is not on the public internet."""
    for address in evidence.connected or ():
        if not _is_public(ip_address(address)):
            yield Violation("I8", address, "was called, and is not public")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast
