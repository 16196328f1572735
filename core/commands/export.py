"""`export`: all generations, or some, as CSV or JSON Lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

import click

from core.commands.files import STANDARD, FileError, written
from core.commands.running import Console, command, opened_database
from core.creating import Kind
from core.csv_cells import ENCODING
from core.exporting import Output, all_of, csv_lines, json_lines
from core.generation.model import Channel, Generation, Status
from core.settings import Settings
from core.store.listing import Filter
from core.store.queries import Queries

FORMATS: dict[str, tuple[str, Callable[[Output], Callable[[Generation], None]]]] = {
    "jsonl": ("utf-8", json_lines),
    "csv": (ENCODING, csv_lines),
}
TOLD_EVERY = 1000


class Moment(click.ParamType[datetime]):
    """A date or a time in ISO 8601; in UTC where it names no zone."""

    name = "time"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> datetime:
        """The moment, aware."""
        try:
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time like 2026-11-22 or 2026-11-22T12:00Z")


@command("export")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="jsonl", show_default=True
)
@click.option(
    "--output",
    "name",
    default=STANDARD,
    metavar="FILE",
    help="There once it is whole; - is standard output, the default.",
)
@click.option("--status", type=click.Choice([each.value for each in Status]))
@click.option("--user", "user_id", metavar="ID", help="The userId of createTask.")
@click.option("--kind", type=click.Choice(get_args(Kind)))
@click.option("--model", metavar="NAME", help="KIE's name, whole.")
@click.option("--via", type=click.Choice([each.value for each in Channel]), help="Who told us.")
@click.option("--error-code", metavar="CODE", help="Such as media.gone.")
@click.option("--since", type=Moment(), help="Created then or later.")
@click.option("--until", type=Moment(), help="Created before.")
def export(
    settings: Settings,
    console: Console,
    form: str,
    name: str,
    status: str | None,
    via: str | None,
    **equal: Any,
) -> None:
    """Write generations with their files, newest first: JSON Lines as the API shows them, or CSV.

    In the CSV, lists are JSON, and what a spreadsheet would run has a ' before it.
    """
    if console.as_json and name == STANDARD:
        raise FileError("--json tells about a file: name one by --output, or use --format jsonl")
    filter = Filter(
        status=Status(status) if status else None,
        delivered_via=Channel(via) if via else None,
        **equal,
    )
    encoding, lines = FORMATS[form]
    count = 0
    with opened_database(settings) as database, written(name, encoding) as output:
        write = lines(output)
        for count, generation in enumerate(all_of(Queries(database), filter), start=1):
            write(generation)
            if count % TOLD_EVERY == 0:
                console.progress(f"{count:,} generations")
    console.progress_over()
    if name != STANDARD:
        console.result({"generations": count, "file": name}, [f"{count} generations in {name}"])
