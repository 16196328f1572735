"""`sweep`: storage and database compared, both ways."""

from __future__ import annotations

import click

from core.commands.findings import Findings, most_is_lost_option, refuse_unmounted
from core.commands.running import Console, command
from core.commands.working import opened_core
from core.errors import AppError
from core.settings import Settings
from core.store.files import Files
from core.sweeping.catalog import Catalog
from core.sweeping.judging import Verdict
from core.sweeping.repair import Repair
from core.sweeping.sweep import Sweep


@command("sweep")
@click.option(
    "--repair",
    is_flag=True,
    help="Fetch missing files again while KIE has them, and delete superseded objects that are"
    " older than a day.",
)
@click.option(
    "--delete-unknown",
    "at_most",
    type=click.IntRange(min=1),
    metavar="COUNT",
    help="Delete objects of generations that the database does not know, if there are at most COUNT"
    " of them, and they are at most half of all.",
)
@most_is_lost_option
def sweep(
    settings: Settings, console: Console, repair: bool, at_most: int | None, most_is_lost: bool
) -> int:
    """Find objects without rows, and rows without objects. Deliveries may go on meanwhile."""
    with opened_core(settings) as core, Catalog() as catalog:
        files = Files(core.store.database)
        sweeping = Sweep(core.storages, files, catalog)
        sweeping.list_objects(lambda objects: console.progress(f"{objects:,} objects listed"))
        if at_most is not None:
            _refuse_too_many(catalog, at_most)
        if repair and not most_is_lost:
            refuse_unmounted(*sweeping.count_missing())
        findings = Findings(console)
        findings.add_all(sweeping.strays(_deletes(repair, at_most), core.store.now()))
        repairs = Repair(
            delivery=core.delivery,
            queries=core.queries,
            files=files,
            now=core.store.now,
            fetches=repair,
        )
        for harmed in sweeping.harmed(
            lambda count: console.progress(f"{count:,} files looked for")
        ):
            findings.add_all(repairs.of(harmed))
        objects, foreign = catalog.count(), catalog.count(Verdict.FOREIGN)
    console.progress_over()
    said = f"{objects:,} objects compared with the database"
    if foreign:
        said += f", {foreign:,} of them with names that are not ours, which were left alone"
    return findings.end({"objects": objects, "foreign": foreign}, said)


def _deletes(repair: bool, at_most: int | None) -> set[Verdict]:
    superseded = {Verdict.SUPERSEDED} if repair else set()
    return superseded if at_most is None else superseded | {Verdict.UNKNOWN}


def _refuse_too_many(catalog: Catalog, at_most: int) -> None:
    """A database that is not this storage's would have everything deleted."""
    unknown, objects = catalog.count(Verdict.UNKNOWN), catalog.count()
    if unknown > at_most:
        raise AppError(
            f"--delete-unknown: {unknown:,} objects are of generations that the database does not"
            f" know, more than {at_most:,}: nothing was deleted"
        )
    if unknown * 2 > objects:
        raise AppError(
            f"--delete-unknown: that would be {unknown:,} of {objects:,} objects, more than half:"
            " nothing was deleted. Do DATABASE_URL and the storage belong together?"
        )
