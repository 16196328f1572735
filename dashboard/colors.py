"""The colours of charts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.words.common import Color

#: Of the theme's colours, shades that can be told apart on white and on black.
HEX: Mapping[Color, str] = {
    "green": "#22a06b",
    "red": "#d64545",
    "orange": "#d98324",
    "blue": "#3b82f6",
    "violet": "#8b5cf6",
    "gray": "#8d95a8",
}
LINE = "#6366f1"  # of what has no look of its own
