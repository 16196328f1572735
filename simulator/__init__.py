"""A pretend KIE.ai with seeded faults; shares no code with core."""

from __future__ import annotations
