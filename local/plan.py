"""What runs on this machine: which processes, on which ports, with which settings. Pure."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import ConfigError
from core.settings import Settings

#: API key and webhook key of the pretend KIE. Not secret: it listens on this machine only.
PRETEND_KEY = "simulator"
SIMULATOR_HOST = "127.0.0.1"
SEED = "25"  # the first video takes 22 s at the default speed: long enough to be watched


@dataclass(frozen=True, slots=True)
class Port:
    """Where a process wants to listen, and the setting that moves it."""

    address: str
    number: int
    setting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Commands and ports by process name, and what all find in their environment."""

    commands: Mapping[str, str]
    environment: Mapping[str, str] = field(repr=False)
    ports: Mapping[str, Port]


def make_plan(settings: Settings, environment: Mapping[str, str]) -> Plan:
    """The real KIE where its key is set, else a simulator. Raises ConfigError."""
    modules = {"web": "webhook", "poller": "poller", "dashboard": "dashboard"}
    commands = {name: _python(module) for name, module in modules.items()}
    ports = {
        "web": Port(settings.bind, settings.port, "PORT"),
        "dashboard": Port(settings.bind, settings.dashboard_port, "DASHBOARD_PORT"),
    }
    chosen = {
        **environment,
        "PYTHONUNBUFFERED": "1",
        "LOG_FORMAT": settings.log_format or "text",
    }
    if settings.kie_api_key is None:
        port = _simulator_port(environment)
        ports["simulator"] = Port(SIMULATOR_HOST, port, "SIMULATOR_PORT")
        commands["simulator"] = _simulator(settings, port, environment)
        chosen |= _towards_simulator(settings, port)
    commands["demo"] = _python("local.demo")
    return Plan(commands=commands, environment=chosen, ports=ports)


def is_pretend(settings: Settings) -> bool:
    """Whether creating a generation is free of charge."""
    key = settings.kie_api_key
    return key is None or key.get_secret_value() == PRETEND_KEY


def _towards_simulator(settings: Settings, port: int) -> dict[str, str]:
    return {
        "KIE_API_KEY": PRETEND_KEY,
        "KIE_WEBHOOK_HMAC_KEY": PRETEND_KEY,
        "KIE_BASE_URL": f"http://{SIMULATOR_HOST}:{port}",
        "MEDIA_ALLOW_PRIVATE": "true",
        "POLL_FIRST_SECONDS": str(settings.poll_first_seconds or 1.0),  # it is fast
    }


def _simulator(settings: Settings, port: int, environment: Mapping[str, str]) -> str:
    flags = {
        "--data": str(settings.data_dir / "simulator"),
        "--port": str(port),
        "--speed": environment.get("SIMULATOR_SPEED") or "10",
        "--seed": SEED,
        "--key": PRETEND_KEY,
        "--hmac-key": PRETEND_KEY,
    }
    return _python("simulator", *(word for flag in flags.items() for word in flag))


def _simulator_port(environment: Mapping[str, str]) -> int:
    text = environment.get("SIMULATOR_PORT") or "9000"
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise ConfigError("SIMULATOR_PORT: must be a port, 1 to 65535")


def _python(module: str, *arguments: str) -> str:
    """A shell command that leaves no shell behind."""
    return "exec " + shlex.join([sys.executable, "-m", module, *arguments])
