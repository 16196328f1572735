"""How often everything is tried: the same examples in every run, or more of them on demand."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A busy machine is no failure.
COMMON = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("quick", max_examples=100, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=20_000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
