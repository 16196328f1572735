"""The database: whether it serves, which one it is, and how it is reached."""

from __future__ import annotations

from core.checks.model import CheckState, Outcome, Surroundings, at, in_bytes
from core.errors import StoreUnavailableError
from core.store.address import is_sqlite
from core.store.database import Database
from core.store.migrate import revision_of
from core.store.pooling import Pooling, Reached, how_reached

OLDEST = {"postgresql": (14,), "sqlite": (3, 35)}  # SQLite: the first with RETURNING
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
LEAST_TRANSACTION_SECONDS = 10


def database(around: Surroundings) -> Outcome:
    """Whether it can be written."""
    database = around.database
    try:
        size = database.size()
        database.check_writable()
    except StoreUnavailableError as error:
        found = at(database.place, error)
        return Outcome(CheckState.FAILED, found, _way_back(around, found))
    return Outcome(CheckState.OK, f"{database.place} can be read and written, {in_bytes(size)}")


def _way_back(around: Surroundings, told: str) -> str:
    if "startup parameter" in told:
        return "Leave `options=` out of DATABASE_URL: poolers do not pass it on."
    if is_sqlite(around.settings.database):
        return (
            "Run `python -m core migrate`, which makes it where there is none; else bring it back:"
            " it must exist and be writable, and its disk have room."
        )
    return "Bring it back, or correct DATABASE_URL: host, port, password, sslmode."


def server(around: Surroundings) -> Outcome:
    """Whether its version is one that this code is tested with."""
    return judged_version(*_version(around.database))


def judged_version(kind: str, version: tuple[int, ...]) -> Outcome:
    """The outcome for `postgresql` or `sqlite` in that version. Pure."""
    found = f"{NAMES[kind]} {_dotted(version)}"
    if version < OLDEST[kind]:
        remedy = f"Update it to {NAMES[kind]} {_dotted(OLDEST[kind])} or later."
        return Outcome(CheckState.FAILED, f"{found} is too old", remedy)
    return Outcome(CheckState.OK, found)


def version_in_words(database: Database) -> tuple[str, str]:
    """Which database it is: `("PostgreSQL", "17.2")`."""
    kind, version = _version(database)
    return NAMES[kind], _dotted(version)


def _version(database: Database) -> tuple[str, tuple[int, ...]]:
    with database.read() as connection:
        version = connection.dialect.server_version_info or ()
        return connection.dialect.name, tuple(int(part) for part in version)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def connection(around: Surroundings) -> Outcome:
    """Whether a pooler is between, and what it takes away."""
    url = around.settings.database
    if is_sqlite(url):
        return Outcome(CheckState.OK, "a file, opened directly")
    return judged(how_reached(url), has_limit=around.settings.database_connections is not None)


def judged(reached: Reached, *, has_limit: bool) -> Outcome:
    """The outcome for what was seen; `has_limit`: DATABASE_CONNECTIONS is set. Pure."""
    seconds = reached.transaction_timeout
    if seconds is not None and seconds < LEAST_TRANSACTION_SECONDS:
        found = f"the server ends every transaction after {seconds:g} s (transaction_timeout)"
        remedy = f"Set it to 0, or to {LEAST_TRANSACTION_SECONDS} s and more, for our role."
        return Outcome(CheckState.WARNING, found, remedy)
    if reached.pooling is Pooling.NONE:
        return Outcome(CheckState.OK, "direct, no pooler between")
    if reached.pooling is Pooling.TRANSACTION:
        found = "by a pooler in transaction mode, which is fine: nothing here needs a session"
        return Outcome(CheckState.OK, found)
    found = "by a pooler in session mode: each of our connections takes one of the server's"
    if has_limit:
        return Outcome(CheckState.OK, found)
    remedy = (
        "Use the pooler's transaction mode (Supabase: port 6543), or set DATABASE_CONNECTIONS so"
        " that all processes together stay below its pool."
    )
    return Outcome(CheckState.WARNING, found, remedy)


def migration(around: Surroundings) -> Outcome:
    """Whether the schema is the one that this code knows."""
    revision = revision_of(around.database)
    if revision.is_behind:
        found = f"at {revision.applied or 'no revision'}; this code needs {revision.newest}"
        return Outcome(CheckState.FAILED, found, "Run `python -m core migrate`.")
    if revision.is_ahead:
        found = f"at {revision.applied}, newer than the {revision.newest} that this code knows"
        return Outcome(CheckState.WARNING, found, "Update this code and restart its processes.")
    return Outcome(CheckState.OK, f"at {revision.applied}, the newest")
