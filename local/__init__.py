"""Everything on one machine with one command: processes and a demonstration."""

from __future__ import annotations
