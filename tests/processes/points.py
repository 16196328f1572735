"""Where a process can be made to stay: the moments at which dying costs most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Before or after a call of a function, where `applies` says so of its arguments."""

    name: str
    function: str  # module:qualified name
    before: bool = False
    applies: Callable[..., bool] = lambda *_, **__: True


def _is_final(_self: Any, *given: Any, **_: Any) -> bool:
    change = given[-1]
    return bool(change.generation.is_final)


def _of_file(position: int) -> Callable[..., bool]:
    return lambda *_, name, **__: name.endswith(f"_{position}")


def _is_unfinished(part: Any, _data: bytes) -> bool:
    return bool(part.size < part.expected)


MADE = Point(
    name="KIE has made the task, and its id is not saved",
    function="core.kie.client:KieClient.create",
)
ABOUT_TO_PUT = Point(
    name="its path saved, and the file not put",
    function="core.storage.local:LocalStorage.put",
    before=True,
)
#: In the order of a delivery of two files. At each of them a worker holds a generation.
DELIVERING = (
    Point(
        name="claimed, and KIE's limit not asked",
        function="core.store.grants:Grants.grant",
        before=True,
    ),
    Point(
        name="a slot granted, and the submission not begun",
        function="core.store.grants:Grants.grant",
    ),
    Point(
        name="the submission begun, and nothing sent",
        function="core.kie.client:KieClient.create",
        before=True,
    ),
    MADE,
    Point(
        name="the task id saved, and the lease held",
        function="core.store.generations:Generations.save_task_id",
    ),
    Point(
        name="about to ask KIE",
        function="core.kie.client:KieClient.ask",
        before=True,
    ),
    Point(
        name="KIE has answered, and nothing of it is saved",
        function="core.kie.client:KieClient.ask",
    ),
    Point(
        name="the files on record, and nothing fetched",
        function="core.media.download:Downloader.fetch",
        before=True,
        applies=_of_file(0),
    ),
    Point(
        name="in the middle of a download",
        function="core.media.part:Part.append",
        applies=_is_unfinished,
    ),
    Point(
        name="a file whole in the spool, and its path not saved",
        function="core.delivery:object_path",
        before=True,
    ),
    ABOUT_TO_PUT,
    Point(
        name="the file put, and not saved as stored",
        function="core.storage.local:LocalStorage.put",
    ),
    Point(
        name="one file of two stored",
        function="core.media.download:Downloader.fetch",
        before=True,
        applies=_of_file(1),
    ),
    Point(
        name="both put, and success not saved",
        function="core.store.generations:Generations.release",
        before=True,
        applies=_is_final,
    ),
)

#: Only a request waits there: others go on with the generation.
CREATED = Point(
    name="a create on record, and not answered",
    function="core.store.generations:Generations.add",
)
ANSWERING = (
    CREATED,
    Point(
        name="a callback kept, and not answered",
        function="core.store.inbox:Inbox.accept",
    ),
)

#: In the middle of a transaction. On SQLite nobody else can write meanwhile.
CLAIM = Point(
    name="a claim",
    function="core.store.claims:load_generations",
    applies=lambda _connection, rows: bool(rows),
)
TASK_ID = Point(name="a task id", function="core.store.generations:Generations._save_task_id")
SUCCESS = Point(
    name="a success", function="core.store.generations:Generations._save", applies=_is_final
)
CREATE = Point(name="a create", function="core.store.generations:Generations._add")
CALLBACK = Point(name="a callback", function="core.store.inbox:Inbox._accept")
COMMITTING = (CLAIM, TASK_ID, SUCCESS, CREATE, CALLBACK)

#: In the middle of a deletion.
REMOVED = Point(
    name="a file removed, and the row there",
    function="core.storage.local:LocalStorage.delete",
)
ALL = {point.name: point for point in (*DELIVERING, *ANSWERING, *COMMITTING, REMOVED)}
