"""Permanent storage, and the room on our own disks."""

from __future__ import annotations

from core.checks.address import NO_ANSWER, ask
from core.checks.model import CheckState, Outcome, Surroundings, at, in_bytes, one_line
from core.disk import is_too_full
from core.errors import StorageError
from core.settings import is_loopback

REFUSED = "storage.refused"


def storage(around: Surroundings) -> Outcome:
    """Whether the folder or bucket is there, made where it was not, and takes files."""
    place = around.storage.place
    try:
        around.storage.check()
    except StorageError as error:
        return Outcome(CheckState.FAILED, at(place, error), _remedy(around))
    return Outcome(CheckState.OK, f"{place} takes files")


def write(around: Surroundings) -> Outcome:
    """Whether a file can be stored."""
    try:
        around.sample.write()
    except StorageError as error:
        return Outcome(CheckState.FAILED, one_line(error), _remedy(around, error))
    return Outcome(CheckState.OK, f"{in_bytes(len(around.sample.content))} stored")


def read(around: Surroundings) -> Outcome:
    """Whether what was stored comes back."""
    try:
        found = around.sample.read()
    except StorageError as error:
        return Outcome(CheckState.FAILED, one_line(error), _remedy(around, error))
    if found != around.sample.content:
        remedy = "Keep other programs away from it: results are not safe there."
        return Outcome(CheckState.FAILED, "what was read is not what was written", remedy)
    return Outcome(CheckState.OK, "the same bytes came back")


def url(around: Surroundings) -> Outcome:
    """Whether a browser that follows the permanent URL gets the file."""
    sample = around.sample
    permanent = around.storage.url(sample.path)
    where = _shown(permanent)
    try:
        answer = ask(around.http, permanent, at_most=len(sample.content) + 1)
        if answer.location:  # of a private bucket it is signed for ten minutes
            where = _shown(answer.location)
            answer = ask(around.http, answer.location, at_most=len(sample.content) + 1)
    except NO_ANSWER as error:
        return _unreachable(around, permanent, f"{where}: {type(error).__name__}")
    if answer.status != 200 or answer.body != sample.content:
        found = f"{where} does not give what was stored: HTTP {answer.status}"
        return Outcome(CheckState.FAILED, found, _opening(around, permanent))
    return Outcome(CheckState.OK, f"{_shown(permanent)} opened")


def _shown(url: str) -> str:
    """Without the query: it may hold a signature."""
    return one_line(url.partition("?")[0])


def _unreachable(around: Surroundings, permanent: str, found: str) -> Outcome:
    """The way from here to our own address may be closed, and the one from outside open."""
    is_elsewhere = _is_ours(around, permanent) and not is_loopback(permanent)
    state = CheckState.WARNING if is_elsewhere else CheckState.FAILED
    return Outcome(state, found, _opening(around, permanent))


def _opening(around: Surroundings, permanent: str) -> str:
    if _is_ours(around, permanent):
        return (
            "Start the webhook, and have everything under PUBLIC_BASE_URL passed on to it; all"
            " machines need the same storage."
        )
    return "Make the bucket public, or set SUPABASE_BUCKET_PUBLIC=false."


def _is_ours(around: Surroundings, permanent: str) -> bool:
    return permanent.startswith(f"{around.settings.public_base_url}/")


def delete(around: Surroundings) -> Outcome:
    """Whether a file can be removed, as DELETE and the sweep do."""
    try:
        around.sample.delete()
        left = around.storage.size(around.sample.path)
    except StorageError as error:
        return Outcome(CheckState.FAILED, one_line(error), _remedy(around, error))
    if left is not None:
        found = f"{around.sample.path} is still there after it was deleted"
        return Outcome(CheckState.FAILED, found, _remedy(around))
    return Outcome(CheckState.OK, "nothing is left of it")


def _remedy(around: Surroundings, error: StorageError | None = None) -> str:
    if not around.settings.uses_supabase_storage:
        return "Make STORAGE_DIR a folder that webhook and poller may write to."
    if error is not None and error.code == REFUSED:
        return "Let the bucket take every type and size that results have, and see the key."
    return "Check what of SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY and SUPABASE_BUCKET it names."


def disk(around: Surroundings) -> Outcome:
    """Room where the database and the downloads are, and where files are stored."""
    settings = around.settings
    folders = [settings.data_dir.absolute()]
    if not settings.uses_supabase_storage:
        folders.append(settings.assets_dir.absolute())
    try:
        usages = [(folder, around.disk_usage(folder)) for folder in folders]
    except FileNotFoundError as error:
        found = f"{error.filename} is not there yet"
        return Outcome(CheckState.UNKNOWN, found, "Start webhook or poller, which make it.")
    except OSError as error:
        return Outcome(CheckState.UNKNOWN, one_line(error), "See the check `storage`.")
    folder, usage = min(usages, key=lambda pair: pair[1].free)
    found = f"{in_bytes(usage.free)} of {in_bytes(usage.total)} free at {folder}"
    if is_too_full(usage, 0):
        remedy = "Make room: below 1 GiB or 5 % free no download starts."
        return Outcome(CheckState.FAILED, found, remedy)
    if is_too_full(usage, settings.max_asset_bytes):
        remedy = "Make room: one file of MAX_ASSET_BYTES would be too much."
        return Outcome(CheckState.WARNING, found, remedy)
    return Outcome(CheckState.OK, found)
