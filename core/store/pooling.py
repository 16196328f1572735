"""How a PostgreSQL server is reached: directly or by a pooler, by what can be seen from here."""

from __future__ import annotations

from contextlib import closing
from enum import Enum
from typing import NamedTuple

from core.store.database import Database
from core.store.opening import open_database

ROUNDS = 3  # others use the pooler meanwhile, and may hide in one what the next one shows
_WHO_ANSWERS = "SELECT pg_backend_pid()"
_TIMEOUT = "SELECT setting::bigint FROM pg_settings WHERE name = 'transaction_timeout'"


class Pooling(Enum):
    """What a pooler gives its clients."""

    NONE = 0  # there is none
    SESSION = 1  # a connection of the server's for as long as the client's is open
    TRANSACTION = 2  # whichever is free, for one transaction


class Reached(NamedTuple):
    """What two connections have shown."""

    pooling: Pooling
    transaction_timeout: float | None  # seconds; None: no transaction is ended for its length


def how_reached(url: str) -> Reached:
    """Open two connections and look who answers. Raises StoreUnavailableError."""
    with (
        closing(open_database(url, connections=1)) as one,
        closing(open_database(url, connections=1)) as other,
    ):
        return Reached(_pooling(one, other), _transaction_timeout(one))


def _pooling(one: Database, other: Database) -> Pooling:
    """A pooler makes up the process id that it names at the start.

    In session mode each client keeps its server process. In transaction mode the next transaction
    gets the one that was free last, or first: in this order one of them changes or is shared.
    """
    if all(named == answering for named, answering in map(_process_ids, (one, other))):
        return Pooling.NONE
    seen: dict[Database, set[int]] = {one: set(), other: set()}
    for client in (one, other, other, one) * ROUNDS:
        seen[client].add(_process_ids(client)[1])
    is_bound = len(seen[one]) == len(seen[other]) == 1 and seen[one] != seen[other]
    return Pooling.SESSION if is_bound else Pooling.TRANSACTION


def _process_ids(client: Database) -> tuple[int, int]:
    """The server process named when the connection began, and the one that answers now."""
    with client.read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        return driver.info.backend_pid, connection.exec_driver_sql(_WHO_ANSWERS).scalar_one()


def _transaction_timeout(client: Database) -> float | None:
    """The only time limit that our transactions do not set themselves; since PostgreSQL 17."""
    with client.read() as connection:
        milliseconds = connection.exec_driver_sql(_TIMEOUT).scalar()
    return milliseconds / 1000 if milliseconds else None
