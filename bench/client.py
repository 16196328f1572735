"""`python -m bench.client`: sends callbacks on raw sockets, each on a connection of its own.

A process of its own, so that sending shares no interpreter with what is measured. Prints JSON: the
answers by status, and how many seconds each callback took.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT_SECONDS = 30


@dataclass(slots=True)
class Answers:
    """What came back."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, status: str, seconds: float) -> None:
        """Count one answer."""
        self.statuses[status] += 1
        self.seconds.append(seconds)


def main() -> None:
    """Send, and print what came back."""
    parser = argparse.ArgumentParser(prog="python -m bench.client", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path, help="a line each: path, tab, body")
    load = parser.add_mutually_exclusive_group(required=True)
    load.add_argument("--rate", type=float, help="so many a second, however slow the answers are")
    load.add_argument("--connections", type=int, help="so many at any time")
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    requests = _requests(arguments.file, arguments.port)
    if arguments.rate:
        count = round(arguments.rate * arguments.seconds)
        chosen = itertools.islice(requests, count)
        sending = _open_loop(arguments.port, chosen, arguments.rate)
    else:
        sending = _saturate(arguments.port, requests, arguments.connections, arguments.seconds)
    answers = asyncio.run(sending)
    print(json.dumps({"statuses": answers.statuses, "seconds": answers.seconds}))


def _requests(file: Path, port: int) -> Iterator[bytes]:
    for line in file.read_text().splitlines():
        path, body = line.split("\t")
        yield (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def _open_loop(port: int, requests: Iterator[bytes], rate: float) -> Answers:
    """A slow answer delays no later request, and the time counts from when it was due."""
    answers, started = Answers(), time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, request in enumerate(requests):
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(_send(port, request, due, answers))
    return answers


async def _saturate(
    port: int, requests: Iterator[bytes], connections: int, seconds: float
) -> Answers:
    answers, until = Answers(), time.perf_counter() + seconds

    async def send_all() -> None:
        while (now := time.perf_counter()) < until:
            await _send(port, next(requests), now, answers)

    await asyncio.gather(*(send_all() for _ in range(connections)))
    return answers


async def _send(port: int, request: bytes, due: float, answers: Answers) -> None:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            status = await _status(port, request)
    except OSError as error:  # TimeoutError is one
        status = type(error).__name__
    answers.add(status, time.perf_counter() - due)


async def _status(port: int, request: bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        answer = await reader.read()
    finally:
        writer.close()
    return answer[9:12].decode()


if __name__ == "__main__":
    main()
