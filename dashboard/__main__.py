"""`python -m dashboard`: serves the dashboard at BIND and DASHBOARD_PORT."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from streamlit.web import cli

from core.errors import AppError, ConfigError
from core.logs import set_up_logs
from core.settings import Settings, browser_url, is_loopback
from dashboard.access.oidc import has_oidc
from dashboard.access.policy import asks_who, check_access
from dashboard.warm_up import warm_up

APP = Path(__file__).with_name("app.py")
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def main() -> None:
    """Serve until SIGTERM or SIGINT; end with 2 where a setting is wrong or the port is taken."""
    argparse.ArgumentParser(prog="python -m dashboard", description=__doc__).parse_args()
    os.chdir(APP.parents[1])  # where .streamlit/config.toml is
    try:
        settings = Settings.load()
        check_access(settings, has_oidc=has_oidc())
        _require_free_port(settings)
    except AppError as error:
        print(f"dashboard: {error}", file=sys.stderr)
        sys.exit(2)
    set_up_logs(settings.log_level, settings.log_format, settings.secret_values)
    _warm_up()
    print(f"dashboard: {browser_url(settings.bind, settings.dashboard_port)}", flush=True)
    cli.main(["run", str(APP), *options(settings)], prog_name="streamlit")


def _warm_up() -> None:
    try:
        warm_up()
    except ConfigError as error:  # as DATABASE_URL is read when it is opened
        print(f"dashboard: {error}", file=sys.stderr)
        sys.exit(2)


def options(settings: Settings) -> Iterator[str]:
    """Streamlit's options that come from our settings."""
    yield f"--server.address={_address(settings)}"
    yield f"--server.port={settings.dashboard_port}"
    yield "--logger.hideWelcomeMessage=true"  # to show it, a third party is asked for our address
    if is_loopback(settings.bind) and not asks_who(settings, has_oidc=has_oidc()):
        # No page of somebody else's may look by a name that it lets point to this machine.
        for host in LOOPBACK_HOSTS:
            yield f"--server.allowedHosts={host}"


def _address(settings: Settings) -> str:
    return settings.bind.strip("[]")


def _require_free_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
    where = _address(settings), settings.dashboard_port
    try:
        socket.create_server(where, family=family).close()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise ConfigError(
            f"cannot listen at {settings.bind}:{settings.dashboard_port}: {why}"
        ) from error


if __name__ == "__main__":
    main()
