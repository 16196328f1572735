"""The whole simulator, running: server, sender and ledger, for the command line and for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from simulator.app import create_app
from simulator.clock import Clock
from simulator.faults import Faults, Switches
from simulator.kie import PretendKie
from simulator.ledger import Ledger
from simulator.sender import HttpTransport


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line can set."""

    data: Path = Path("data/simulator")
    host: str = "127.0.0.1"
    port: int = 9000  # 0: any free one
    seed: int = 1
    speed: float = 10.0  # how many times faster than real generations
    key: str = field(default="simulator", repr=False)
    hmac_key: str | None = field(default=None, repr=False)
    faults: Faults = field(default_factory=Faults)


class QuietHandler(WSGIRequestHandler):
    """One connection per request, no line per request: the ledger tells more."""

    protocol_version = "HTTP/1.0"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def running(options: Options, clock: Clock | None = None) -> Iterator[PretendKie]:
    """A simulator that answers at `base_url` until the block ends.

    Raises OSError when the port is taken or the data folder cannot be written.
    """
    stopped = threading.Event()
    with (
        closing(socket.create_server((options.host, options.port), backlog=128)) as listener,
        closing(Ledger(options.data / "ledger.jsonl")) as ledger,
        closing(HttpTransport()) as transport,
    ):
        kie = PretendKie(
            ledger=ledger,
            clock=clock or Clock(),
            switches=Switches(options.seed, options.faults),
            transport=transport,
            base_url=f"http://{options.host}:{listener.getsockname()[1]}",
            speed=options.speed,
            key=options.key,
            hmac_key=options.hmac_key,
            sleep=stopped.wait,
        )
        with _serving(kie, options, listener):
            try:
                yield kie
            finally:
                stopped.set()
                kie.sender.stop()


@contextmanager
def _serving(kie: PretendKie, options: Options, listener: socket.socket) -> Iterator[None]:
    server = make_server(
        options.host,
        listener.getsockname()[1],
        create_app(kie, options.data / "uploads"),
        threaded=True,
        request_handler=QuietHandler,
        fd=listener.fileno(),
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    kie.sender.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
