"""What a generation will cost."""

from __future__ import annotations

from core.settings import is_loopback
from dashboard import resources
from dashboard.words import create as words


def cost(model: str) -> str:
    """In words, by what others of the model did."""
    if is_loopback(resources.settings().kie_base_url):
        return words.FREE
    usual = resources.usual().get(model)
    return words.cost(usual.credits if usual else None)
