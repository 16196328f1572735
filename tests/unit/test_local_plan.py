from __future__ import annotations

import shlex
from typing import Any

import pytest

from core.errors import ConfigError
from core.settings import Settings, browser_url
from local.plan import Plan, Port, is_pretend, make_plan


def plan(environment: dict[str, str] | None = None, **settings: Any) -> Plan:
    return make_plan(Settings(_env_file=None, **settings), environment or {})


def test_without_a_key_a_simulator_takes_the_place_of_kie() -> None:
    made = plan()
    assert list(made.commands) == ["web", "poller", "dashboard", "simulator", "demo"]
    assert made.environment["KIE_BASE_URL"] == "http://127.0.0.1:9000"
    assert made.environment["MEDIA_ALLOW_PRIVATE"] == "true"


def test_with_a_key_nothing_pretends() -> None:
    made = plan(kie_api_key="real")
    assert list(made.commands) == ["web", "poller", "dashboard", "demo"]
    assert not {"KIE_BASE_URL", "KIE_API_KEY", "MEDIA_ALLOW_PRIVATE"} & set(made.environment)


def test_no_real_secret_is_on_a_command_line() -> None:
    made = plan(kie_webhook_hmac_key="hush", api_token="hush", kie_callback_secret="hush")
    assert "hush" not in str(made.commands)


def test_the_simulator_may_move() -> None:
    made = plan({"SIMULATOR_PORT": "9100"})
    assert made.environment["KIE_BASE_URL"] == "http://127.0.0.1:9100"
    assert made.ports["simulator"] == Port("127.0.0.1", 9100, "SIMULATOR_PORT")


@pytest.mark.parametrize("port", ["many", "0", "70000", "-1"])
def test_a_wrong_port_of_the_simulator_is_refused(port: str) -> None:
    with pytest.raises(ConfigError, match="SIMULATOR_PORT"):
        plan({"SIMULATOR_PORT": port})


def test_a_command_survives_a_shell_and_spaces() -> None:
    command = shlex.split(plan(data_dir="my data").commands["simulator"])
    assert command[command.index("--data") + 1] == "my data/simulator"


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("[::]", "http://[::1]:8000"),
        ("10.0.0.5", "http://10.0.0.5:8000"),
    ],
)
def test_where_the_webhook_answers_on_this_machine(bind: str, expected: str) -> None:
    assert browser_url(bind, 8000) == expected


@pytest.mark.parametrize(("key", "expected"), [(None, True), ("simulator", True), ("real", False)])
def test_only_a_real_key_costs_credits(key: str | None, expected: bool) -> None:
    assert is_pretend(Settings(_env_file=None, kie_api_key=key)) is expected
