"""`python -m local.run`: everything on this machine, until Ctrl-C.

Without KIE_API_KEY a simulator takes KIE's place; SIMULATOR_PORT and SIMULATOR_SPEED change it.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from core.errors import AppError, ConfigError
from core.settings import Settings
from core.store.migrate import migrate
from local.plan import Plan, make_plan
from local.together import Together

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Run until SIGINT or SIGTERM: 0. 1 where a process ended by itself, 2 for a wrong start."""
    argparse.ArgumentParser(prog="python -m local.run", description=__doc__).parse_args()
    os.chdir(ROOT)  # `.env` is here, and relative paths in it are meant from here
    try:
        settings = Settings.load()
        plan = make_plan(settings, os.environ)
        check_ports(plan)
        migrate(settings.database)
    except AppError as error:
        print(f"local: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return _run(plan)


def check_ports(plan: Plan) -> None:
    """Raise ConfigError, naming who wants it, where a port cannot be listened at."""
    for name, port in plan.ports.items():
        family = socket.AF_INET6 if ":" in port.address else socket.AF_INET
        try:
            socket.create_server((port.address.strip("[]"), port.number), family=family).close()
        except OSError as error:
            why = str(error.strerror).partition(" (")[0]  # the rest repeats the address
            where = f"port {port.number} of {port.address}"
            raise ConfigError(
                f"{name} cannot listen at {where}: {why} ({port.setting} changes it)"
            ) from error


def _run(plan: Plan) -> int:
    processes = Together()
    for name, command in plan.commands.items():
        processes.add_process(name, command, env=dict(plan.environment), cwd=str(ROOT))
    processes.loop()
    farewell = processes.farewell()
    if farewell is None:
        return 0
    print(f"local: {farewell}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
