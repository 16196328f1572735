"""The webhook: a Flask app over core."""

from __future__ import annotations
