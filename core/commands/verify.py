"""`verify`: stored files, read again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import click

from core.commands.findings import Findings, most_is_lost_option, refuse_unmounted
from core.commands.running import Console, command
from core.commands.working import opened_core
from core.errors import StorageError
from core.settings import Settings
from core.store.files import FileRow, Files
from core.sweeping.judging import Harm
from core.sweeping.repair import Harmed, Repair
from core.sweeping.verify import verify as read_again


@command("verify")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only files of generations created on this day (UTC) or later.",
)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many files.")
@click.option("--repair", is_flag=True, help="Fetch harmed files again while KIE has them.")
@most_is_lost_option
def verify(
    settings: Settings,
    console: Console,
    since: datetime | None,
    limit: int | None,
    repair: bool,
    most_is_lost: bool,
) -> int:
    """Read stored files, the newest first, and compare size and SHA-256 with the database."""
    with opened_core(settings) as core:
        files = Files(core.store.database)
        repairs = Repair(
            delivery=core.delivery,
            queries=core.queries,
            files=files,
            now=core.store.now,
            fetches=repair,
        )
        findings, told, missing = Findings(console), _Told(), list[Harmed]()
        since = since and since.replace(tzinfo=UTC)
        readable = itertools.islice(told.readable(files.stored(since=since)), limit)
        try:
            for read in read_again(readable, core.storages):
                told.files += 1
                told.bytes += read.size_bytes
                console.progress(f"{told.files:,} files read, {told.bytes:,} bytes")
                if repair and read.harmed is not None and read.harmed.harm is Harm.MISSING:
                    missing.append(read.harmed)  # until it is known how much of all that is
                elif read.harmed is not None:
                    findings.add_all(repairs.of([read.harmed]))
        except StorageError:
            findings.add_all(replace(repairs, fetches=False).of(missing))
            findings.end(told.as_json(complete=False), f"{told}, then storage went away")
            raise
        if not most_is_lost:
            refuse_unmounted(len(missing), told.files)
        findings.add_all(repairs.of(missing))
    console.progress_over()
    return findings.end(told.as_json(complete=True), str(told))


class _Told:
    """What was read, and what could not be."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self._without_hash = 0
        self._without_path = 0

    def readable(self, files: Iterator[FileRow]) -> Iterator[FileRow]:
        """Those of which more than the URL is known."""
        for file in files:
            self._without_path += file.path is None
            if file.path is not None:
                self._without_hash += file.sha256 is None
                yield file

    def as_json(self, *, complete: bool) -> dict[str, object]:
        """For programs."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "withoutHash": self._without_hash,
            "withoutPath": self._without_path,
            "complete": complete,
        }

    def __str__(self) -> str:
        said = f"{self.files:,} files read, {self.bytes:,} bytes"
        if self._without_hash:
            said += f", {self._without_hash:,} without a hash to compare with"
        if self._without_path:
            said += f"; of {self._without_path:,} adopted files only the URL is known: not read"
        return said
