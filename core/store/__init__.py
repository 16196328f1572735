"""The database: what is remembered, who may work on it, and what can be asked of it."""

from __future__ import annotations
