"""gunicorn as this product runs it: threads, nothing opened before the fork, no access log."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.systemd import SD_LISTEN_FDS_START, listen_fds

from core.errors import ConfigError
from core.generation.model import Channel
from core.repeater import Repeater
from core.settings import Settings
from core.wiring import open_core
from webhook.app import create_app

TICK_SECONDS = 1
#: Requests end at once, since nobody waits any longer; steps under way get this long.
STOP_PATIENCE_SECONDS = 10
GRACEFUL_TIMEOUT_SECONDS = 20
BACKLOG = 2048
#: Of each process. Half of the files that a process may have open where nobody raised the limit.
MAX_CONNECTIONS = 512


class Server(BaseApplication):  # type: ignore[misc]
    """One gunicorn on a socket that already listens; `run` ends with SystemExit."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._bind = f"fd://{listener.detach()}"
        self._process = ExitStack()  # what one worker process has opened
        super().__init__()

    def load_config(self) -> None:
        """Say what differs from gunicorn's defaults."""
        for name, value in self._options().items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app of one worker process; called after the fork."""
        return self._process.enter_context(serving(self._settings))

    def _options(self) -> dict[str, Any]:
        return {
            "bind": self._bind,
            "workers": self._settings.web_concurrency,
            "worker_class": "webhook.worker.Worker",
            "threads": self._settings.request_threads,
            "keepalive": 5,
            "worker_connections": MAX_CONNECTIONS,
            "sendfile": False,  # it would wait for ever for a reader who does not read
            "graceful_timeout": GRACEFUL_TIMEOUT_SECONDS,
            "worker_exit": lambda _server, _worker: self._process.close(),
            "logger_class": "webhook.worker.ServerLog",
            "loglevel": self._settings.log_level.lower(),
            "errorlog": None,  # it goes where all other lines go
            "accesslog": None,  # callback URLs hold tokens
            "control_socket_disable": True,
        }


@contextmanager
def serving(settings: Settings) -> Iterator[Flask]:
    """The app with all that works behind it; everything is stopped at the end."""
    with open_core(settings) as core:
        workers = core.workers(Channel.CALLBACK, announced_only=True)
        renewal = core.renewal()
        ticks = Repeater("ticks", TICK_SECONDS, workers.tick)
        renewal.start()
        ticks.start()
        try:
            yield create_app(core, workers)
        finally:
            ticks.stop()
            at_rest = workers.stop(STOP_PATIENCE_SECONDS)
            renewal.stop()
            if not at_rest:
                logging.shutdown()
                os._exit(0)  # a thread waits for an answer that may take two minutes


def listen(settings: Settings) -> socket.socket:
    """A socket that listens at BIND and PORT, or the one that we were started with.

    Whoever starts us may hold the socket and hand it over as systemd does (LISTEN_FDS), so that it
    stays open from one process to the next. Raises ConfigError where there is none to be had.
    """
    return _inherited() if listen_fds() else _opened(settings)


def _inherited() -> socket.socket:
    try:
        listener = socket.socket(fileno=SD_LISTEN_FDS_START)
        if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return listener
    except OSError:
        pass
    raise ConfigError(f"LISTEN_FDS: descriptor {SD_LISTEN_FDS_START} is not a listening socket")


def _opened(settings: Settings) -> socket.socket:
    address = (settings.bind.strip("[]"), settings.port)
    family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise ConfigError(f"cannot listen at {settings.bind}:{settings.port}: {why}") from error
