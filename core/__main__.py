"""`python -m core COMMAND`."""

from __future__ import annotations

from core.commands.cli import cli

if __name__ == "__main__":
    cli(prog_name="python -m core")
