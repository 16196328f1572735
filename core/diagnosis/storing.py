"""Findings about files: those still to be stored, those lost, and those that storage lacks."""

from __future__ import annotations

from datetime import timedelta

from core.diagnosis.model import Facts, Finding, Severity, Verdict, found
from core.diagnosis.remedies import STORING
from core.diagnosis.words import happened, host, next_look, quoted, sync, when
from core.generation.model import Asset, Status

AT_RISK_AFTER = timedelta(hours=1)  # from completion: KIE deletes what nobody copies
LAST_DAY = timedelta(days=1)


def not_stored(facts: Facts) -> Finding | None:
    """KIE has finished, and not every file is in permanent storage."""
    wanted = [asset for asset in facts.generation.assets if asset.is_wanted]
    if not wanted:
        return None
    code = facts.generation.error_code if facts.is_open else None
    verdict, remedy = STORING.get(code or "", (Verdict.NOT_STORED, None))
    why = f": {remedy.meaning}" if remedy else ""
    return found(
        verdict,
        Severity.WARNING if remedy else Severity.INFO,
        f"KIE has finished, but {_files(wanted)} not stored yet{why}.",
        _progress(facts, wanted),
        [remedy.action if remedy else None, "It is tried again by itself.", sync(facts)],
    )


def result_at_risk(facts: Facts) -> Finding | None:
    """The result was finished long ago and is still only with KIE, who deletes it."""
    generation = facts.generation
    completed_at, expires_at = generation.provider_completed_at, generation.expires_at
    wanted = any(asset.is_wanted for asset in generation.assets)
    if not wanted or completed_at is None or facts.now - completed_at <= AT_RISK_AFTER:
        return None
    urgent = expires_at is not None and expires_at - facts.now < LAST_DAY
    return found(
        Verdict.RESULT_AT_RISK,
        Severity.ERROR if urgent else Severity.WARNING,
        "The result is at risk: finished more than an hour ago, and KIE has the only copy.",
        [happened("Finished", completed_at, facts.now), _expiry(facts)],
        ["Remove what keeps it from being stored: see the other findings.", sync(facts)],
    )


def storage_unavailable(facts: Facts) -> Finding | None:
    """Permanent storage could not be asked just now."""
    waiting = not_stored(facts)
    told = waiting is not None and waiting.verdict == Verdict.STORAGE_UNAVAILABLE
    if facts.storage_problem is None or told:
        return None
    _, remedy = STORING["storage.unavailable"]
    return found(
        Verdict.STORAGE_UNAVAILABLE,
        Severity.WARNING,
        "Permanent storage cannot be asked now, so what it holds is not known.",
        [quoted(facts, "Storage", facts.storage_problem)],
        [remedy.action],
    )


def main_file_lost(facts: Facts) -> Finding | None:
    """One of several main files is lost, so the generation is about to fail."""
    lost = [asset for asset in facts.generation.assets if asset.is_main and asset.error_code]
    if not lost or not facts.is_open:
        return None
    return found(
        Verdict.MAIN_FILE_LOST,
        Severity.ERROR,
        "A main file is lost, so the generation will end as failed.",
        _lost(lost),
        ["The other files are still stored. See the code of the lost one in docs/operations.md."],
    )


def extras_lost(facts: Facts) -> Finding | None:
    """The result was delivered, without one of the files beside it."""
    lost = [asset for asset in facts.generation.assets if asset.error_code and not asset.is_main]
    if not lost or facts.generation.status is not Status.SUCCESS:
        return None
    return found(
        Verdict.EXTRAS_LOST,
        Severity.INFO,
        "The result is stored; a file beside it (no main file) is lost.",
        _lost(lost),
        ["Nothing, if the main files are all you need."],
    )


def file_missing(facts: Facts) -> Finding | None:
    """A file that was stored is not in storage any more."""
    missing = [
        f"File {asset.position + 1} is not at {asset.path}."
        for asset, size in _looked_up(facts)
        if size is None
    ]
    if not missing:
        return None
    return found(
        Verdict.FILE_MISSING,
        Severity.ERROR,
        "A file that was stored is missing in permanent storage.",
        [*missing, *_stored_when(facts), _expiry(facts)],
        _repairs(),
    )


def file_size_differs(facts: Facts) -> Finding | None:
    """A stored file has another size than it had when it was stored."""
    changed = [
        f"File {asset.position + 1} at {asset.path} has {size} bytes, not {asset.size_bytes}."
        for asset, size in _looked_up(facts)
        if size is not None and asset.size_bytes is not None and size != asset.size_bytes
    ]
    if not changed:
        return None
    return found(
        Verdict.FILE_SIZE_DIFFERS,
        Severity.ERROR,
        "A stored file has changed: its size is not what was stored.",
        [*changed, *_stored_when(facts), _expiry(facts)],
        _repairs(),
    )


def _files(wanted: list[Asset]) -> str:
    kind = "main file" if any(asset.is_main for asset in wanted) else "extra file"
    return f"one {kind} is" if len(wanted) == 1 else f"{len(wanted)} files are"


def _progress(facts: Facts, wanted: list[Asset]) -> list[str | None]:
    generation = facts.generation
    hosts = dict.fromkeys(host(asset.source_url) for asset in wanted if asset.source_url)
    return [
        f"{len(generation.assets) - len(wanted)} of {len(generation.assets)} files done.",
        f"The rest is at {', '.join(hosts)}." if hosts else None,
        happened("KIE finished", generation.provider_completed_at, facts.now),
        f"Attempts so far: {generation.attempts}." if generation.attempts else None,
        quoted(facts, f"Last problem, {generation.error_code}", generation.error),
        next_look(facts),
        _expiry(facts),
    ]


def _expiry(facts: Facts) -> str | None:
    expires_at = facts.generation.expires_at
    if expires_at is None:
        return None
    verb = "deletes" if expires_at > facts.now else "deleted"
    return f"KIE {verb} its copy {when(expires_at, facts.now)}, by its own rule."


def _lost(lost: list[Asset]) -> list[str]:
    return [f"File {asset.position + 1} ({asset.role}): {asset.error_code}." for asset in lost]


def _looked_up(facts: Facts) -> list[tuple[Asset, int | None]]:
    """The stored files that storage was asked about, with the sizes that it shows."""
    sizes = facts.stored_sizes or {}
    return [
        (asset, sizes[asset.path])
        for asset in facts.generation.assets
        if asset.stored_at is not None and asset.path is not None and asset.path in sizes
    ]


def _stored_when(facts: Facts) -> list[str | None]:
    return [happened("Delivered", facts.generation.delivered_at, facts.now)]


def _repairs() -> list[str]:
    return [
        "Restore the file from a backup of the folder or bucket to the same path.",
        "Without one: download it again from `resultUrls` while KIE has it, and put it there.",
        "Find out who changes that folder or bucket: nothing here deletes a stored file but"
        " `DELETE /api/generations/{id}`.",
    ]
