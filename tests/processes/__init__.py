"""Real processes under real faults: killed and stopped at named points, starved and flooded."""

from __future__ import annotations
