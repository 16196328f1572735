"""The way to the database: short transactions, and its failures as one error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from core.errors import StoreUnavailableError

Answer = TypeVar("Answer")

#: A request has failed within 10 s where the database is locked or away.
LOCK_TIMEOUT_SECONDS = 4.0


class Database(ABC):
    """Short transactions on one pool of connections. Make it after fork: they must not cross it."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it is, for people; without a password."""

    @abstractmethod
    def now(self) -> datetime:
        """The clock that all who use this database share."""

    def steady(self) -> datetime:
        """A clock that these share too, and that is never set where there is such a one.

        It counts from any moment: only differences mean something.
        """
        return self.now()

    @abstractmethod
    def write(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that commits at the end and rolls back on any exception."""

    @abstractmethod
    def read(self) -> AbstractContextManager[sa.Connection]:
        """A consistent view of the database, which blocks no writer."""

    @abstractmethod
    def run(self, write: Callable[[sa.Connection], Answer]) -> Answer:
        """What the write gives, after it is committed; it may share its transaction with others.

        It may be run more than once, each time in a new transaction: so a write that looks first
        and finds itself overtaken by another one looks again. Raises what the write raises, or
        StoreUnavailableError.
        """

    @abstractmethod
    def check_writable(self) -> None:
        """Raise StoreUnavailableError unless a transaction could write now. Changes nothing."""

    @abstractmethod
    def size(self) -> int:
        """The bytes that it takes on its disk. Raises StoreUnavailableError where it is gone."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""


@contextmanager
def translated(*about_the_database: type[Exception]) -> Iterator[None]:
    """Turn what says that the database cannot be used into StoreUnavailableError.

    What is about one statement or its values is raised as it is, but for these causes.
    """
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        about_values = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)
        if isinstance(error, about_values) and not isinstance(cause, about_the_database):
            raise
        why = " ".join(str(cause).split())  # in one line
        raise StoreUnavailableError(f"the database cannot be used: {why}") from error
