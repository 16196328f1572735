"""The poller: an APScheduler process whose ticks call core."""

from __future__ import annotations
