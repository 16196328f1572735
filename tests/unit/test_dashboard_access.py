"""Who may look, and who may act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from core.errors import ConfigError
from dashboard.access.attempts import Attempts
from dashboard.access.oidc import SECRETS, has_oidc
from dashboard.access.policy import (
    Role,
    asks_who,
    check_access,
    role_of_email,
    role_of_password,
)
from dashboard.navigation import OVERVIEW, STUCK, SYSTEM, Link
from dashboard.words import access as words
from dashboard.words.common import PRODUCT
from tests.support.clock import Clock
from tests.support.dashboard import Dashboard, texts
from tests.support.world import settings

# Passwords


@pytest.mark.parametrize(
    ("typed", "role"),
    [
        ("open sesame", Role.OPERATOR),
        ("just looking", Role.VIEWER),
        ("", None),
        ("open sesam", None),
        ("Open Sesame", None),
        ("open sesame ", None),
        ("just looking\0", None),
        ("\ud800", None),
    ],
)
def test_a_password_opens_its_role(tmp_path: Path, typed: str, role: Role | None) -> None:
    passwords = {
        "dashboard_password": "open sesame",
        "dashboard_viewer_password": "just looking",
    }
    assert role_of_password(typed, settings(tmp_path, **passwords)) is role


@pytest.mark.parametrize("typed", ["schl\u00fcssel", "schlu\u0308ssel"])
def test_a_password_is_the_same_on_every_keyboard(tmp_path: Path, typed: str) -> None:
    chosen = settings(tmp_path, dashboard_password="schlu\u0308ssel")
    assert role_of_password(typed, chosen) is Role.OPERATOR


def test_no_password_opens_what_has_none(tmp_path: Path) -> None:
    assert role_of_password("", settings(tmp_path, dashboard_password="x")) is None


def test_a_limited_number_of_wrong_passwords_may_be_tried() -> None:
    clock = Clock()
    attempts = Attempts(limit=2, window_s=60, clock=lambda: clock().timestamp())
    assert attempts.begin() == 0
    clock.advance(10)
    assert attempts.begin() == 0
    assert attempts.begin() == 50
    clock.advance(49)
    assert attempts.begin() == 1
    clock.advance(1)
    assert attempts.begin() == 0
    assert attempts.begin() == 10


def test_right_passwords_are_not_counted() -> None:
    attempts = Attempts(limit=2, window_s=60, clock=lambda: 0)
    waits = []
    for _ in range(5):
        waits.append(attempts.begin())
        attempts.was_right()
    assert waits == [0] * 5


# OpenID Connect

LISTS = {
    "dashboard_operators": "Boss@Firm.example, @ops.example",
    "dashboard_viewers": "@firm.example,",
}


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("boss@firm.example", Role.OPERATOR),
        ("BOSS@FIRM.EXAMPLE", Role.OPERATOR),
        ("anybody@ops.example", Role.OPERATOR),
        ("anybody@firm.example", Role.VIEWER),
        ("anybody@sub.firm.example", None),
        ("anybody@evilfirm.example", None),
        ("anybody@firm.example.evil.example", None),
        ("anybody@evil.example@firm.example", None),
        ('"anybody@evil.example"@firm.example', None),
        ("boss@\ufb01rm.example", None),
        ("bo\u017fs@firm.example", None),
        ("boss@firm.example ", None),
        (" boss@firm.example", None),
        ("@firm.example", None),
        ("boss@", None),
        ("boss", None),
        ("", None),
    ],
)
def test_an_email_opens_the_role_of_its_list(tmp_path: Path, email: str, role: Role | None) -> None:
    assert role_of_email(email, is_verified=True, settings=settings(tmp_path, **LISTS)) is role


def test_an_email_that_nobody_verified_opens_nothing(tmp_path: Path) -> None:
    chosen = settings(tmp_path, **LISTS)
    assert role_of_email("boss@firm.example", is_verified=False, settings=chosen) is None


AUTH = "[auth]\nclient_id = 'x'\n"


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Streamlit's file of secrets, not there yet."""
    monkeypatch.chdir(tmp_path)
    SECRETS.parent.mkdir()
    return SECRETS


@pytest.mark.parametrize(
    ("text", "expected"), [("", False), ("other = 1", False), ("[auth]", False), (AUTH, True)]
)
def test_openid_connect_is_configured_by_a_section(
    secrets: Path, text: str, expected: bool
) -> None:
    assert has_oidc() is False
    secrets.write_text(text)
    assert has_oidc() is expected


@pytest.mark.parametrize("content", [b"[auth", b"auth = 1", b"\xff"])
def test_a_file_that_cannot_be_read_lets_nobody_in(secrets: Path, content: bytes) -> None:
    secrets.write_bytes(content)
    with pytest.raises(ConfigError, match=r"secrets\.toml: "):
        has_oidc()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (AUTH, [None]),
        (f"{AUTH}client_kwargs = {{prompt = 'login'}}", [None]),
        ("[auth.google]\nclient_id = 'x'\n[auth.okta]\nclient_id = 'y'", ["google", "okta"]),
    ],
)
def test_every_provider_has_a_button(
    dashboard: Dashboard, secrets: Path, text: str, names: list[str | None]
) -> None:
    secrets.write_text(text)
    dashboard.set(DASHBOARD_VIEWERS="@firm.example")
    page = dashboard.open()
    assert [button.label for button in page.button] == [words.sign_in(name) for name in names]


@pytest.mark.parametrize(
    ("user", "is_in"),
    [
        ({"is_logged_in": True, "email": "a@firm.example", "email_verified": True}, True),
        ({"is_logged_in": True, "email": "a@firm.example", "email_verified": "true"}, False),
        ({"is_logged_in": True, "email": "a@firm.example"}, False),
        ({"is_logged_in": True, "email": "a@evil.example", "email_verified": True}, False),
        ({"is_logged_in": True}, False),
        ({"is_logged_in": False, "email": "a@firm.example", "email_verified": True}, False),
        ({}, False),
    ],
)
def test_a_login_opens_the_door_to_those_on_a_list(
    dashboard: Dashboard, secrets: Path, user: dict[str, Any], is_in: bool
) -> None:
    secrets.write_text(AUTH)
    dashboard.set(DASHBOARD_VIEWERS="@firm.example")
    page = dashboard.open()
    page.user = user
    page.run()
    assert (page.title[0].value != PRODUCT) is is_in
    assert words.NOT_ALLOWED in texts(page) or is_in or not user.get("is_logged_in")


# Who is asked


@pytest.mark.parametrize(
    ("chosen", "has_oidc", "problem"),
    [
        ({}, False, None),
        ({"bind": "0.0.0.0"}, False, "DASHBOARD_PASSWORD: BIND is not loopback"),
        ({"bind": "0.0.0.0", "dashboard_password": "x"}, False, None),
        ({"bind": "0.0.0.0", "dashboard_viewer_password": "x"}, False, None),
        ({"bind": "0.0.0.0", "dashboard_viewers": "@firm.example"}, True, None),
        ({"bind": "0.0.0.0"}, True, "DASHBOARD_OPERATORS: name who may come in"),
        ({"dashboard_operators": " , "}, True, "DASHBOARD_OPERATORS: name who may come in"),
        ({"dashboard_operators": "firm.example"}, False, "an @domain: firm.example"),
        ({"dashboard_viewers": "a@b, c@"}, True, "an @domain: c@"),
        (
            {"dashboard_password": "x", "dashboard_viewer_password": "x"},
            False,
            "must differ from DASHBOARD_PASSWORD",
        ),
    ],
)
def test_where_anybody_or_nobody_could_come_in_the_start_is_refused(
    tmp_path: Path, chosen: dict[str, Any], has_oidc: bool, problem: str | None
) -> None:
    said = ""
    try:
        check_access(settings(tmp_path, **chosen), has_oidc=has_oidc)
    except ConfigError as error:
        said = str(error)
    assert bool(said) is bool(problem)
    assert (problem or "") in said


@pytest.mark.parametrize(
    ("chosen", "has_oidc", "asks"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"dashboard_password": "x"}, False, True),
        ({"dashboard_viewer_password": "x"}, False, True),
    ],
)
def test_a_visitor_is_asked_where_there_is_something_to_ask_for(
    tmp_path: Path, chosen: dict[str, str], has_oidc: bool, asks: bool
) -> None:
    assert asks_who(settings(tmp_path, **chosen), has_oidc=has_oidc) is asks


# The door


@pytest.fixture
def closed(dashboard: Dashboard) -> Dashboard:
    """A dashboard with a door."""
    dashboard.set(DASHBOARD_PASSWORD="open sesame", DASHBOARD_VIEWER_PASSWORD="just looking")
    return dashboard


def come_in(page: AppTest, password: str, name: str = "") -> AppTest:
    page.text_input[0].set_value(password)
    page.text_input[1].set_value(name)
    return page.button[0].click().run()


def is_closed(page: AppTest) -> bool:
    return [each.label for each in page.text_input] == [words.PASSWORD, words.NAME]


def test_nothing_is_shown_before_the_password(closed: Dashboard) -> None:
    page = closed.open(SYSTEM)
    assert is_closed(page)
    assert (page.title[0].value, len(page.sidebar)) == (PRODUCT, 0)


@pytest.mark.parametrize("password", ["", "wrong", "open sesame "])
def test_a_wrong_password_is_told(closed: Dashboard, password: str) -> None:
    page = come_in(closed.open(), password)
    assert page.error[0].value == words.WRONG
    assert is_closed(page)


@pytest.mark.parametrize(
    ("password", "name", "known_as"),
    [
        ("open sesame", "", (Role.OPERATOR, "operator")),
        ("open sesame", " Ada ", (Role.OPERATOR, "Ada")),
        ("just looking", "Bob", (Role.VIEWER, "Bob")),
    ],
)
def test_a_password_opens_every_page_of_the_session(
    closed: Dashboard, password: str, name: str, known_as: tuple[Role, str]
) -> None:
    page = come_in(closed.open(), password, name)
    assert not is_closed(page)
    page.switch_page(STUCK.file).run()
    assert not is_closed(page)
    assert tuple(page.session_state["access_visitor"]) == known_as


def test_a_viewer_is_told_what_is_missing(closed: Dashboard) -> None:
    page = come_in(closed.open(), "just looking")
    assert page.sidebar.caption[0].value == words.VIEWING


def test_who_signs_out_is_asked_again(closed: Dashboard) -> None:
    page = come_in(closed.open(), "open sesame")
    next(button for button in page.sidebar.button if button.label == words.SIGN_OUT).click().run()
    assert is_closed(page)


def test_after_too_many_wrong_passwords_the_right_one_waits_too(closed: Dashboard) -> None:
    page = closed.open()
    for _ in range(20):
        come_in(page, "wrong")
    come_in(closed.open(), "open sesame")
    assert "Too many wrong passwords" in come_in(page, "open sesame").error[0].value


@pytest.mark.parametrize("name", ["access_visitor", "access_password", "role", "password"])
def test_no_address_opens_the_door(closed: Dashboard, name: str) -> None:
    assert is_closed(closed.open(Link(OVERVIEW, {name: "operator"})))


def test_off_loopback_without_a_password_nobody_comes_in(dashboard: Dashboard) -> None:
    config.set_option("server.address", "0.0.0.0")
    page = dashboard.open()
    assert page.error[0].value == words.CLOSED
    assert page.title[0].value == PRODUCT
