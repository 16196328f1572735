"""What commands read and write beside their result."""

from __future__ import annotations

import codecs
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import AppError

STANDARD = "-"


class FileError(AppError):
    """A file that was named as an argument cannot be used."""


def read_text(name: str, most_bytes: int) -> str:
    """A file as text, or standard input for `-`. Raises FileError, also where it is larger."""
    try:
        if name == STANDARD:
            content = sys.stdin.buffer.read(most_bytes + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(most_bytes + 1)
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror}") from error
    if len(content) > most_bytes:
        raise FileError(f"{name} is over {most_bytes >> 20} MiB: split it")
    return content.decode("utf-8-sig", "replace")


@contextmanager
def written(name: str, encoding: str) -> Iterator[codecs.StreamWriter]:
    """What takes text for a file, which is there under its name once the block has ended well.

    For `-` standard output. Raises FileError where it cannot be written.
    """
    make = codecs.getwriter(encoding)
    if name == STANDARD:
        output = sys.stdout.buffer
        yield make(output, "replace")
        output.flush()
        return
    target = Path(name)
    if target.is_dir():
        raise FileError(f"{name} cannot be written: it is a folder")
    try:
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with _renamed_at_end(Path(part), target), os.fdopen(handle, "wb") as file:
            yield make(file, "replace")
    except OSError as error:
        raise FileError(f"{name} cannot be written: {error.strerror}") from error


@contextmanager
def _renamed_at_end(part: Path, target: Path) -> Iterator[None]:
    try:
        yield
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
