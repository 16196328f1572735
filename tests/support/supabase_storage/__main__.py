"""`python -m tests.support.supabase_storage --data DIR`: the double as a process of its own."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from tests.support.supabase_storage.double import supabase_storage


def main() -> None:
    """Say where it listens, and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for the objects")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    arguments = parser.parse_args()
    stops = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    with supabase_storage(arguments.data, arguments.port) as double:
        print(f"SUPABASE_URL={double.url} SUPABASE_SERVICE_ROLE_KEY={double.key}", flush=True)
        signal.sigwait(stops)


if __name__ == "__main__":
    main()
