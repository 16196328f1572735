"""The door: asks for a password or an OpenID Connect login, and remembers who came in."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

import streamlit as st

from core.settings import Settings, is_loopback
from dashboard import resources
from dashboard.access.attempts import Attempts
from dashboard.access.oidc import has_oidc, providers
from dashboard.access.policy import Role, asks_who, role_of_email, role_of_password
from dashboard.words import access as words
from dashboard.words.common import PRODUCT

logger = logging.getLogger("dashboard")

WRONG_TRIES, WINDOW_S = 20, 60.0
MOST_HOSTS = 10_000
MAX_NAME_LENGTH = 60
_STATE = "access_visitor"


class Visitor(NamedTuple):
    """Who looks at the page."""

    role: Role
    name: str  # as it stands in the timeline of what it does

    @property
    def may_act(self) -> bool:
        """Whether there are buttons for it, and prompts."""
        return self.role is Role.OPERATOR


def known_visitor() -> Visitor | None:
    """Who looks at the page, where that is known already."""
    settings = resources.settings()
    if not asks_who(settings, has_oidc=has_oidc()) and _is_local():
        return Visitor(Role.OPERATOR, words.LOCAL_OPERATOR)
    if remembered := st.session_state.get(_STATE):
        return Visitor(*remembered)
    return _vouched_for(settings) if _is_signed_in() else None


def visitor() -> Visitor:
    """Who looks at the page; where that is not known yet, asks and ends the run."""
    known = known_visitor()
    if known is None:
        _ask(resources.settings())
        st.stop()
    return known


def leave() -> None:
    """Forget who came in."""
    st.session_state.pop(_STATE, None)
    st.session_state.pop("acts_open", None)
    if _is_signed_in():
        st.logout()


@st.cache_resource(show_spinner=False, max_entries=MOST_HOSTS)
def _attempts(host: str) -> Attempts:
    """Of one address: a new session costs a stranger nothing, and nobody else is kept out."""
    return Attempts(limit=WRONG_TRIES, window_s=WINDOW_S, clock=time.monotonic)


def _ask(settings: Settings) -> None:
    st.title(PRODUCT)
    if _is_signed_in():
        st.error(words.NOT_ALLOWED, icon=":material/block:")
        st.text(_email())
        st.button(words.SIGN_OUT, on_click=leave)
    elif has_oidc():
        for provider in providers():
            label = words.sign_in(provider)
            st.button(label, on_click=st.login, args=(provider,), type="primary")
    if settings.dashboard_password or settings.dashboard_viewer_password:
        _ask_password(settings)
    elif not has_oidc():
        st.error(words.CLOSED, icon=":material/lock:")


def _ask_password(settings: Settings) -> None:
    with st.form("access_password", border=True, width=420):
        password = st.text_input(words.PASSWORD, type="password", autocomplete="current-password")
        name = st.text_input(
            words.NAME, max_chars=MAX_NAME_LENGTH, help=words.NAME_HELP, autocomplete="name"
        )
        submitted = st.form_submit_button(words.OPEN, type="primary")
    if not submitted:
        return
    host: object = st.context.ip_address  # None on this machine
    attempts = _attempts(host if isinstance(host, str) else "")
    if wait_s := attempts.begin():
        st.error(words.too_many(wait_s), icon=":material/lock_clock:")
        return
    role = role_of_password(password, settings)
    if role is None:
        _log(logging.WARNING, "a wrong password", "access.refused")
        st.error(words.WRONG, icon=":material/lock:")
        return
    attempts.was_right()
    _log(logging.INFO, f"somebody came in as {role}", "access.granted")
    st.session_state[_STATE] = Visitor(role, name.strip()[:MAX_NAME_LENGTH] or role.value)
    st.rerun()


def _is_local() -> bool:
    """Whether only this machine is answered, however Streamlit was started."""
    return is_loopback(str(st.get_option("server.address") or ""))


def _log(level: int, message: str, event: str) -> None:
    logger.log(level, message, extra={"event": event, "host": st.context.ip_address})


def _is_signed_in() -> bool:
    return has_oidc() and st.user.get("is_logged_in") is True


def _email() -> str:
    return str(st.user.get("email") or "")


def _vouched_for(settings: Settings) -> Visitor | None:
    is_verified = st.user.get("email_verified") is True
    role = role_of_email(_email(), is_verified=is_verified, settings=settings)
    return Visitor(role, _email()) if role else None
