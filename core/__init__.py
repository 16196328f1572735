"""Reliable delivery of KIE.ai results: what to do, in which order, and how it is remembered."""

from __future__ import annotations

__version__ = "0.1.0"
