"""KIE's APIs, one module each: how a task is asked for and how its report reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.kie.families.family import Family, Request
from core.kie.families.market import Market

FAMILIES: Mapping[str, Family] = MappingProxyType({"market": Market()})

NOT_BUILT_YET = frozenset(
    {"veo", "suno", "gpt4o_image", "flux_kontext", "runway", "aleph", "luma", "midjourney"}
)

__all__ = ["FAMILIES", "NOT_BUILT_YET", "Family", "Request"]
