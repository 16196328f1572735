"""What the checks look at: of a core that runs, or opened for them alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx

from core.checks.address import plain_client
from core.checks.model import Surroundings
from core.checks.sample import Sample
from core.made_up_secret import CALLBACK
from core.settings import Settings
from core.store.opening import open_database
from core.wiring import Core, open_kie, open_storage


def surroundings_of(core: Core, http: httpx.Client) -> Surroundings:
    """What a core has."""
    return Surroundings(
        settings=core.settings,
        callback_secrets=core.callback_secrets,
        database=core.store.database,
        now=core.store.now,
        storage=core.storage,
        sample=Sample(core.storage),
        kie=core.kie,
        http=http,
        disk_usage=shutil.disk_usage,
    )


@contextmanager
def open_surroundings(settings: Settings) -> Iterator[Surroundings]:
    """The same without a core, which would make folders and secrets; folders go at the end again.

    Raises ConfigError.
    """
    with ExitStack() as stack:
        stack.enter_context(_no_new_folders(settings.assets_dir.absolute()))
        http = stack.enter_context(plain_client())
        database = open_database(settings.database, connections=2)
        stack.callback(database.close)
        storage = open_storage(settings, stack)
        yield Surroundings(
            settings=settings,
            callback_secrets=settings.callback_secrets or _made_up_before(settings.data_dir),
            database=database,
            now=database.now,
            storage=storage,
            sample=Sample(storage),
            kie=open_kie(settings, stack, connections=1),
            http=http,
            disk_usage=shutil.disk_usage,
        )


def _made_up_before(data_dir: Path) -> tuple[str, ...]:
    try:
        return ((data_dir / CALLBACK).read_text().strip(),)
    except (OSError, UnicodeDecodeError):
        return ()


@contextmanager
def _no_new_folders(folder: Path) -> Iterator[None]:
    """Remove this folder at the end, and those above it, where they were not there before."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    finally:
        with suppress(OSError):  # never made, or in use by now
            for one in missing:
                one.rmdir()
