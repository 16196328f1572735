"""A whole core for a command, and work on generations that Ctrl-C hands back."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import click

from core.errors import AppError
from core.generation.model import Channel, Generation
from core.patience import Patience
from core.settings import Settings
from core.store.migrate import require_current
from core.store.queries import Queries
from core.wiring import Core, open_core
from core.workers import Workers

STOP_SECONDS = 1.0
MOST_NAME_LETTERS = 128


class NoSuchGenerationError(AppError):
    """An argument names no generation of ours."""


@contextmanager
def opened_core(settings: Settings) -> Iterator[Core]:
    """A core on the migrated database."""
    with open_core(settings) as core:
        require_current(core.store.database)
        yield core


@contextmanager
def renewed_leases(core: Core) -> Iterator[None]:
    """For the length of the block, leases of this process stay alive; at its end they are over."""
    renewal = core.renewal()
    renewal.start()
    try:
        yield
    finally:
        core.leases.end_all()
        renewal.stop()


@contextmanager
def opened_workers(core: Core) -> Iterator[Workers]:
    """Threads that work for somebody who waits; what they have not done is handed back."""
    workers = core.workers(Channel.SYNC)
    with renewed_leases(core):
        try:
            yield workers
        finally:
            workers.stop(STOP_SECONDS)


def patience(seconds: float) -> Patience:
    """So many seconds, which only Ctrl-C cuts short."""
    return Patience(seconds, Future())


def require_generation(queries: Queries, name: str) -> Generation:
    """The generation that an id of ours or of KIE's names. Raises NoSuchGenerationError."""
    found = queries.by_id(name) or queries.by_task(name)
    if found is None:
        raise NoSuchGenerationError("there is no generation with this id, and none of this task")
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "somebody in a shell"


def _checked_name(context: click.Context, parameter: click.Parameter, name: str) -> str:
    if not name.strip() or not name.isprintable() or len(name) > MOST_NAME_LETTERS:
        raise click.BadParameter(f"1-{MOST_NAME_LETTERS} printable characters")
    return name.strip()


#: `--by`: whose act it is.
by_option = click.option(
    "--by",
    default=_user,
    show_default="the name in this shell",
    callback=_checked_name,
    metavar="WHO",
    help="Whose act it is; stands in the timeline.",
)
