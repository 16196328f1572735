"""Writes of many threads in one commit: what a small write costs is the flush to disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from core.errors import StoreUnavailableError

Answer = TypeVar("Answer")


class _Entry(NamedTuple):
    write: Callable[[sa.Connection], Any]
    outcome: Future[Any]


class SharedCommit:
    """Gives each write a transaction that it may share with those of other threads.

    The first in the queue waits for the turn to write; those that come meanwhile go with it.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._transaction = transaction
        self._queue: list[_Entry] = []
        self._lock = threading.Lock()

    def run(self, write: Callable[[sa.Connection], Answer]) -> Answer:
        """What the write gives, after it is committed. It may be run twice: in company, then alone.

        Raises what the write raises, or StoreUnavailableError.
        """
        outcome: Future[Answer] = Future()
        with self._lock:
            is_first = not self._queue
            self._queue.append(_Entry(write, outcome))
        if is_first:
            self._commit_queue()
        return outcome.result()

    def _commit_queue(self) -> None:
        entries: list[_Entry] = []
        try:
            with self._transaction() as connection:
                entries = self._take_queue()
                answers = [entry.write(connection) for entry in entries]
        except StoreUnavailableError as error:
            _fail(entries or self._take_queue(), error)
        except Exception:  # of one of them: it must not fail the others
            for entry in entries or self._take_queue():
                self._commit_alone(entry)
        except BaseException as error:
            _fail(entries or self._take_queue(), error)
            raise
        else:
            for entry, answer in zip(entries, answers, strict=True):
                entry.outcome.set_result(answer)

    def _take_queue(self) -> list[_Entry]:
        with self._lock:
            taken, self._queue = self._queue, []
            return taken

    def _commit_alone(self, entry: _Entry) -> None:
        try:
            with self._transaction() as connection:
                answer = entry.write(connection)
        except Exception as error:  # raised where the write was handed in
            entry.outcome.set_exception(error)
        else:
            entry.outcome.set_result(answer)


def _fail(entries: list[_Entry], error: BaseException) -> None:
    for entry in entries:
        entry.outcome.set_exception(error)
