"""A pretend KIE on this machine: `python -m simulator --help`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from simulator.faults import Faults
from simulator.scenario import ScenarioError, load
from simulator.server import Options, running

WRONG_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 0 then, 2 when it cannot start."""
    given = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        options = _options(given)
        with running(options) as kie:
            print(f"simulator: ready at {kie.base_url}", flush=True)
            stop.wait()
    except (ScenarioError, OSError, OverflowError) as exc:
        print(f"simulator: {exc}", file=sys.stderr)
        return WRONG_START
    return 0


def _options(given: argparse.Namespace) -> Options:
    return Options(
        data=given.data,
        host=given.host,
        port=given.port,
        seed=given.seed,
        speed=given.speed,
        key=given.key,
        hmac_key=given.hmac_key,
        faults=load(given.scenario) if given.scenario else Faults(),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A pretend KIE: API, media host and callbacks, with faults on request.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=9000, help="port, 0 for any free one")
    parser.add_argument(
        "--data", type=Path, default=Path("data/simulator"), help="folder of the ledger"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides which tasks meet which faults")
    parser.add_argument(
        "--speed", type=_speed, default=10.0, help="how many times faster than the real KIE"
    )
    parser.add_argument("--key", default="simulator", help="the API key it accepts")
    parser.add_argument("--hmac-key", help="sign callbacks with this key")
    parser.add_argument("--scenario", type=Path, help="JSON file of faults, see docs/simulator.md")
    return parser


def _speed(text: str) -> float:
    speed = float(text)
    if not speed > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return speed


if __name__ == "__main__":
    sys.exit(main())
