"""One task at a time: the generation that has it, or a new one, carried on by the one engine.

All state is in the database. Whatever dies between two lines, the next run, a poller or a callback
goes on from there. No task is ever created, so nothing can be paid for twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.generation.model import Channel, Generation
from core.generation.operating import ActRefusedError, Order
from core.ids import new_id
from core.kie.families import FAMILIES
from core.kie.report import FAIL, AskFailed, TaskRecord
from core.looking import is_made_due
from core.rescuing.asking import FAMILY, Asker
from core.rescuing.fate import Rescued, fate_of, fate_without_row
from core.store.generations import HeldError, TaskIdResult
from core.wiring import Core


class Rescue:
    """Rescues tasks. May be used by many threads at once, each with another task.

    Once `is_stopped`, no delivery is begun any more.
    """

    def __init__(
        self,
        core: Core,
        asker: Asker,
        *,
        by: str,
        user_id: str | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._core = core
        self._asker = asker
        self._by = by
        self._user_id = user_id
        self._is_stopped = is_stopped

    def look(self, task_id: str) -> Rescued:
        """Save what lives of it, as far as that goes now. Raises KieClosedError, CreateError."""
        row = self._core.queries.by_task(task_id)
        if row is not None:
            if is_made_due(self._core, row):
                self._advance(row)
            return self._fate(task_id, row)
        answer = self._asker.record(task_id)
        if isinstance(answer, AskFailed) or answer.report.state == FAIL:
            return fate_without_row(task_id, answer)
        row = self._row_for(answer)
        self._advance(row)
        return self._fate(task_id, row)

    def look_again(self, rescued: Rescued) -> Rescued:
        """The same for one that was not saved yet, once its next look is due."""
        row = self._core.queries.by_id(rescued.generation_id or "")
        if row is None or rescued.task_id not in (row.task_id, row.candidate_task_id):
            return self.look(rescued.task_id)
        if _is_due(row, self._core.store.now()):
            self._advance(row)
        return self._fate(rescued.task_id, row)

    def see(self, task_id: str) -> Rescued:
        """How it stands, with nothing changed. Raises KieClosedError."""
        row = self._core.queries.by_task(task_id)
        if row is not None:
            return fate_of(task_id, row)
        return fate_without_row(task_id, self._asker.record(task_id))

    def _row_for(self, record: TaskRecord) -> Generation:
        """The generation that KIE's record names, if it has no task yet; else one of its own."""
        named = record.report.generation_id
        known = self._core.queries.by_id(named) if named else None
        if known is not None and self._is_attached(known, record.report.task_id):
            return known
        row, _ = self._core.store.generations.add_rescued(self._generation(record), by=self._by)
        return row

    def _is_attached(self, row: Generation, task_id: str) -> bool:
        """Whether the engine is to confirm that this is the row's own task, the usual way."""
        if task_id in (row.task_id, row.candidate_task_id):
            return True
        try:
            self._core.operator.attach(row.id, task_id, Order(by=self._by, selection="a rescue"))
        except HeldError:
            return row.task_id is None  # whoever is at it is about to learn the same
        except ActRefusedError:
            return self._is_saved(row, task_id)
        return True

    def _is_saved(self, row: Generation, task_id: str) -> bool:
        """Whether an open row has the task now that KIE made for it, though we know of none.

        So it is after an old backup was restored: the row must not be sent again, and paid twice.
        """
        if row.is_final or row.task_id is not None:
            return False
        saved = self._core.store.generations.save_task_id(row.id, "", task_id)
        return saved is TaskIdResult.SAVED

    def _generation(self, record: TaskRecord) -> Generation:
        """A row like one of ours that KIE has just accepted, due now."""
        family, request, now = FAMILIES[FAMILY], record.request, self._core.store.now()
        made_at = min(request.created_at or now, now)
        return Generation(
            id=new_id(),
            family=FAMILY,
            model=request.model,
            kind=family.kind_of(request.model, request.input),
            prompt=family.prompt_of(request.input),
            input=request.input,
            user_id=self._user_id,
            task_id=record.report.task_id,
            submit_started_at=made_at,
            submitted_at=made_at,
            created_at=now,
            updated_at=now,
            due_at=now,
        )

    def _advance(self, row: Generation) -> None:
        if not self._is_stopped():
            self._core.delivery.advance(row.id, Channel.SYNC)

    def _fate(self, task_id: str, row: Generation) -> Rescued:
        return fate_of(task_id, self._core.queries.by_id(row.id) or row)


def _is_due(row: Generation, now: datetime) -> bool:
    """Whether it waits for a worker, or was left by one that died."""
    if row.lease_token is not None:
        return not row.is_held(now)
    return row.due_at is not None and row.due_at <= now
