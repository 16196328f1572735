"""Permanent storage of result files."""

from __future__ import annotations
