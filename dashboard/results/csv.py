"""Rows as CSV that spreadsheets read, and that runs nothing in them. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.csv_cells import ENCODING, cell

COLUMNS = (
    *("created_at", "id", "task_id", "status", "kind", "model", "user_id"),
    *("delivered_at", "delivered_via", "credits_consumed", "error_code", "attempts", "asset_url"),
)
#: For operators only: KIE's errors can quote the prompt.
TEXTS = ("error", "prompt")


def write_csv(pieces: Iterable[Iterable[Mapping[Any, Any]]], columns: Sequence[str]) -> bytes:
    """A header and a line for each row, in UTF-8 with a mark by which Excel knows it."""
    file = io.BytesIO()
    text = io.TextIOWrapper(file, encoding=ENCODING, errors="replace", newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for rows in pieces:
        writer.writerows([cell(row[name]) for name in columns] for row in rows)
    text.flush()
    return file.getvalue()
