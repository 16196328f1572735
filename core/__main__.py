"""`python -m core COMMAND`."""

from __future__ import annotations

import signal

from core.commands.cli import cli

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: leave nothing behind
    cli(prog_name="python -m core")
