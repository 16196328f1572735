"""What all sessions share: one core and its figures, and answers that are kept for a moment.

Everything raises StoreUnavailableError where the database is away, and is then not kept.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import streamlit as st

from core.figures.figures import Figures
from core.settings import Settings
from core.store.migrate import require_current
from core.store.stuck import Limits, Usual
from core.wiring import Core, open_core

FRESH = timedelta(seconds=5)
SLOW = timedelta(minutes=5)  # what changes slowly and costs more


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings, read once."""
    return Settings.load()


class _Opened:
    """A core that is open until the process, or a test, ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.core = self._stack.enter_context(open_core(settings()))
        try:
            require_current(self.core.store.database)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close its connections."""
        self._stack.close()


@st.cache_resource(show_spinner=False, on_release=_Opened.close)
def _opened() -> _Opened:
    return _Opened()


def core() -> Core:
    """The core of this process."""
    return _opened().core


def figures() -> Figures:
    """The figures over its database."""
    minutes = settings().stuck_after_minutes
    return Figures(core().store.database, core().store.now, timedelta(minutes=minutes))


@st.cache_resource(ttl=SLOW, show_spinner=False)
def usual() -> dict[str, Usual]:
    """How long each model usually takes."""
    return figures().usual()


def limits() -> Limits:
    """How long a generation may be open before it is called stuck."""
    return figures().limits(usual())
