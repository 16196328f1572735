"""A page as the bytes that its browser gets: whatever is not in them cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streamlit.testing.v1 import AppTest


def serialized(page: AppTest) -> bytes:
    """Every element of a page, tables and labels included."""
    return b"\n".join(_protos(page._tree))


def _protos(node: Any) -> Iterator[bytes]:
    proto = getattr(node, "proto", None)
    if proto is not None:
        yield proto.SerializeToString()
    for child in getattr(node, "children", {}).values():
        yield from _protos(child)
