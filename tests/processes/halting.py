"""`python -m tests.processes.halting MODULE`: that module, halted at named points.

The first thread to arrive at a point of HALT_AT (a list in JSON) leaves a file in HALT_FOLDER that
holds its process id, and stays there until there is a file `go`. All others pass, those of
processes that are started later too.
"""

from __future__ import annotations

import functools
import json
import os
import pkgutil
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.processes.points import ALL, Point

GO = "go"


def marker(folder: Path, point: Point) -> Path:
    """The file that says who stays at a point."""
    return folder / f"{list(ALL).index(point.name):02}"


def halt_at(point: Point, folder: Path) -> None:
    """Wrap the point's function."""
    module, _, path = point.function.partition(":")
    owner, _, name = f"{module}:{path}".replace(":", ".").rpartition(".")
    holder = pkgutil.resolve_name(owner)
    function = getattr(holder, name)

    @functools.wraps(function)
    def halting(*arguments: Any, **named: Any) -> Any:
        if point.before and point.applies(*arguments, **named):
            _stay(folder, marker(folder, point))
        answer = function(*arguments, **named)
        if not point.before and point.applies(*arguments, **named):
            _stay(folder, marker(folder, point))
        return answer

    setattr(holder, name, halting)


def _stay(folder: Path, file: Path) -> None:
    if file.exists():
        return
    draft = file.with_suffix(f".{threading.get_ident()}")
    draft.write_text(str(os.getpid()))
    try:
        os.link(draft, file)  # whole or not at all, and only the first
    except FileExistsError:
        return
    finally:
        draft.unlink()
    while not (folder / GO).exists():
        time.sleep(0.02)


def main() -> None:
    """Halt, and be the module."""
    folder = Path(os.environ.pop("HALT_FOLDER"))
    for name in json.loads(os.environ.pop("HALT_AT")):
        halt_at(ALL[name], folder)
    module = sys.argv[1]
    del sys.argv[1]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
