"""Generations as lines of JSON or CSV, one at a time: a million of them take no more memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from core.csv_cells import cell
from core.generation.model import Generation
from core.store.listing import Filter
from core.store.queries import Queries
from core.views import generation_view

AT_ONCE = 500  # generations, each read a transaction of its own

#: Columns of the CSV: the API's fields; an error in two, lists as JSON.
COLUMNS = (
    *("id", "taskId", "provider", "family", "model", "kind", "userId", "status"),
    *("providerState", "progress", "prompt", "assetUrl", "previewUrl", "resultUrls", "assets"),
    *("errorCode", "errorMessage", "creditsConsumed", "attempts"),
    *("createdAt", "updatedAt", "deliveredAt", "deliveredVia"),
)


class Output(Protocol):
    """What takes text."""

    def write(self, text: str, /) -> object: ...


def all_of(queries: Queries, filter: Filter, *, at_once: int = AT_ONCE) -> Iterator[Generation]:
    """Every generation that a filter lets through, newest first."""
    before = None
    while True:
        page = queries.page(filter, before=before, limit=at_once)
        yield from page.items
        if page.next_cursor is None:
            return
        before = page.next_cursor


def json_lines(output: Output) -> Callable[[Generation], None]:
    """What writes a generation as the API shows it, on one line."""

    def write(generation: Generation) -> None:
        output.write(json.dumps(generation_view(generation), ensure_ascii=False) + "\n")

    return write


def csv_lines(output: Output) -> Callable[[Generation], None]:
    """What writes a generation as a row; the header is written at once."""
    writer = csv.writer(output)
    writer.writerow(COLUMNS)

    def write(generation: Generation) -> None:
        row = _flat(generation_view(generation))
        writer.writerow([cell(row[name]) for name in COLUMNS])

    return write


def _flat(view: dict[str, Any]) -> dict[str, Any]:
    error = view.pop("error") or {"code": None, "message": None}
    flat = {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
        for name, value in view.items()
    }
    return {**flat, "errorCode": error["code"], "errorMessage": error["message"]}
