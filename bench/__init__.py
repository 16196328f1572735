"""Measurements against bare tools doing the same work; docs/performance.md explains each row."""

from __future__ import annotations
