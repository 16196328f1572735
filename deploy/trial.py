"""`python -m deploy.trial`: does this release's webhook answer, on a socket that nobody calls?

It runs beside the service, with the same settings, database and storage, and stops again.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

LOOK_EVERY_SECONDS = 0.2
ANSWER_SECONDS = 5  # longer would hide that it ended: the socket is open all the same
LOG_LINES = 20
#: As supervisor.conf starts it: the socket comes as standard input.
HAND_OVER = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" -m webhook 3<&0 0</dev/null'


def main() -> int:
    """0 where it does; 1, with its last lines, where not."""
    parser = argparse.ArgumentParser(prog="python -m deploy.trial", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long it may take; %(default)s")
    seconds: int = parser.parse_args().seconds
    with (
        tempfile.NamedTemporaryFile(suffix=".log") as log,
        socket.create_server(("127.0.0.1", 0)) as listener,
        _webhook(listener, Path(log.name), seconds) as process,
    ):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/ready"
        problem = _problem(process, url, seconds)
        if problem is None:
            return 0
        print(f"trial: {problem}", file=sys.stderr)
        said = Path(log.name).read_text("utf-8", "replace").splitlines()
        print("\n".join(f"  {line}" for line in said[-LOG_LINES:]), file=sys.stderr)
        return 1


@contextmanager
def _webhook(listener: socket.socket, log: Path, seconds: int) -> Iterator[subprocess.Popen[bytes]]:
    """Stopped at the end; and by `timeout`, where we are killed before."""
    bounded = ["timeout", "--foreground", "--kill-after=40", str(2 * seconds)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*bounded, "sh", "-c", HAND_OVER, sys.executable],
            stdin=listener.fileno(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _problem(process: subprocess.Popen[bytes], url: str, seconds: int) -> str | None:
    """None once it is ready, else what is wrong with it in the end."""
    problem = "it does not answer"
    until = time.monotonic() + seconds
    with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as http:
        while time.monotonic() < until:
            if process.poll() is not None:
                return f"it ended with exit code {process.returncode}"
            try:
                answer = http.get(url)
                if is_ready(answer):
                    return None
                problem = f"not ready: {answer.status_code} {answer.text.strip()[:500]}"
            except httpx.HTTPError as error:
                problem = f"it does not answer: {type(error).__name__}"
            time.sleep(LOOK_EVERY_SECONDS)
    return f"after {seconds} s {problem}"


def is_ready(answer: httpx.Response) -> bool:
    """Whether all is well but, at most, the poller: before the first deployment there is none."""
    if answer.status_code not in (200, 503):
        return False
    try:
        checks = answer.json()["checks"]
        return all(line == "ok" for name, line in checks.items() if name != "poller")
    except (ValueError, LookupError, TypeError, AttributeError):
        return False


if __name__ == "__main__":
    sys.exit(main())
