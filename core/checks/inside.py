"""What we have ourselves: database, files, processes."""

from __future__ import annotations

from datetime import timedelta

from core.checks.model import CheckState, Look, Outcome, Surroundings, one_line
from core.diagnosis.words import span, when
from core.disk import is_too_full
from core.errors import StorageError, StoreUnavailableError
from core.store.migrate import revision_of

STALE_AFTER = timedelta(seconds=30)  # of a process that beats every 5 s


def database(around: Surroundings) -> Outcome:
    """Whether it can be written."""
    database = around.core.store.database
    try:
        size = database.size()
        database.check_writable()
    except StoreUnavailableError as error:
        remedy = "Bring it back: it must exist and be writable, and its disk have room."
        return Outcome(CheckState.FAILED, f"{database.place}: {one_line(error)}", remedy)
    return Outcome(CheckState.OK, f"{database.place} can be read and written, {_bytes(size)}")


def migration(around: Surroundings) -> Outcome:
    """Whether the schema is the one that this code knows."""
    revision = revision_of(around.core.store.database)
    if revision.is_behind:
        found = f"at {revision.applied or 'no revision'}; this code needs {revision.newest}"
        return Outcome(CheckState.FAILED, found, "Run `python -m core migrate`.")
    if revision.is_ahead:
        found = f"at {revision.applied}, newer than the {revision.newest} that this code knows"
        return Outcome(CheckState.WARNING, found, "Update this code and restart its processes.")
    return Outcome(CheckState.OK, f"at {revision.applied}, the newest")


def storage(around: Surroundings) -> Outcome:
    """Whether a file could be stored."""
    try:
        around.core.storage.check()
    except StorageError as error:
        remedy = "Make STORAGE_DIR a folder that webhook and poller may write to."
        return Outcome(CheckState.FAILED, one_line(error), remedy)
    return Outcome(CheckState.OK, f"{around.core.storage.place} takes files")


def disk(around: Surroundings) -> Outcome:
    """Room where the database and the downloads are, and where files are stored."""
    settings = around.core.settings
    folders = (settings.data_dir.absolute(), settings.assets_dir.absolute())
    try:
        usages = [(folder, around.disk_usage(folder)) for folder in folders]
    except OSError as error:
        return Outcome(CheckState.UNKNOWN, one_line(error), "See the check `storage`.")
    folder, usage = min(usages, key=lambda pair: pair[1].free)
    found = f"{_bytes(usage.free)} of {_bytes(usage.total)} free at {folder}"
    if is_too_full(usage, 0):
        remedy = "Make room: below 1 GiB or 5 % free no download starts."
        return Outcome(CheckState.FAILED, found, remedy)
    if is_too_full(usage, settings.max_asset_bytes):
        remedy = "Make room: one file of MAX_ASSET_BYTES would be too much."
        return Outcome(CheckState.WARNING, found, remedy)
    return Outcome(CheckState.OK, found)


def heartbeat(process: str, module: str) -> Look:
    """The check whether a process of that name has said lately that it lives."""
    remedy = f"Start it: `python -m {module}`. If it runs, read its log."

    def look(around: Surroundings) -> Outcome:
        beat_at = around.core.queries.beat_at(process)
        if beat_at is None:
            return Outcome(CheckState.FAILED, "never started", remedy)
        now = around.core.store.now()
        if now - beat_at > STALE_AFTER:
            return Outcome(CheckState.FAILED, f"silent for {span(now - beat_at)}", remedy)
        return Outcome(CheckState.OK, f"last heartbeat {when(beat_at, now)}")

    return look


def _bytes(size: float) -> str:
    """`812 B`, `1.4 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.4g} TB"
