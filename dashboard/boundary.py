"""What a page shows instead of a traceback."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import ParamSpec

import streamlit as st

from core.errors import StoreUnavailableError
from dashboard import resources
from dashboard.access.login import known_visitor
from dashboard.words import common as words

logger = logging.getLogger("dashboard")

LOOK_AGAIN_SECONDS = 5

P = ParamSpec("P")


@contextmanager
def boundary() -> Iterator[None]:
    """Says what is wrong and what to do; the database being away ends by itself."""
    try:
        yield
    except StoreUnavailableError as error:
        logger.warning("%s", error, extra={"event": "store.unavailable"})
        st.error(
            f"**{words.DATABASE_AWAY}.** {words.DATABASE_AWAY_ADVICE}",
            icon=":material/database_off:",
        )
        st.caption(str(error))
        look_again(time.monotonic())
    except Exception:
        logger.exception("a page failed", extra={"event": "page.bug"})
        st.error(f"**{words.BROKEN}.** {words.BROKEN_ADVICE}", icon=":material/error:")


def live(seconds: float) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Makes a part of a page that refreshes itself, and is guarded like the page."""

    def decorate(part: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(part)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            with boundary():
                if known_visitor() is not None:  # else it left, and the page is still open
                    part(*args, **kwargs)

        return st.fragment(guarded, run_every=seconds)

    return decorate


@st.fragment(run_every=LOOK_AGAIN_SECONDS)
def look_again(since: float) -> None:
    """Run the page again once the database can be read; never at once, or no word could be read."""
    if time.monotonic() - since < LOOK_AGAIN_SECONDS / 2:
        return
    with suppress(StoreUnavailableError):
        resources.core().queries.beat_at("poller")
        st.rerun()
