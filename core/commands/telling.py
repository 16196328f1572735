"""Generations and findings as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from core.generation.model import Generation

NONE = "-"


def clock(at: datetime | None) -> str:
    """A moment in UTC, to the second."""
    return NONE if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def generation_lines(generation: Generation) -> Iterator[str]:
    """What somebody wants to know who waits for it."""
    yield f"{generation.id}  {generation.status}"
    yield f"  task   {one_line(generation.task_id or NONE)}"
    yield f"  model  {one_line(generation.model)}"
    if generation.provider_state:
        yield f"  KIE    {one_line(generation.provider_state)}"
    if generation.error_code:
        yield f"  why    {one_line(f'{generation.error_code}: {generation.error}')}"
    for asset in generation.assets:
        if asset.stored_at:
            yield f"  file   {one_line(asset.url or NONE)}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell; the last one as it is."""
    lines = [tuple(map(one_line, line)) for line in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    widths[-1] = 0
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def one_line(words: str) -> str:
    """Words of KIE's or of an error, with nothing in them that moves a terminal's cursor."""
    return "".join(each if each.isprintable() else " " for each in words)
