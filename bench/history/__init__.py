"""A long history that never was."""

from __future__ import annotations

from bench.history.write import write_history

__all__ = ["write_history"]
