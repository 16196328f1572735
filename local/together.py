"""Several processes under one roof: the end of one ends all, and none outlives the runner."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

from honcho.manager import Manager
from honcho.process import Process

#: Every process ends by itself within 30 s of SIGTERM; a create under way is paid for, so none is
#: killed before that.
KILL_AFTER_SECONDS = 30.0
RETRY_SECONDS = 0.1
LOOK_FOR_RUNNER_SECONDS = 0.5


class Together(Manager):  # type: ignore[misc]
    """honcho's manager, made patient; knows afterwards who ended first."""

    def __init__(self) -> None:
        super().__init__()
        self._process_ctor = Attached
        self._runner = os.getpid()
        self._ended_first: list[str] | None = None  # [] after SIGINT or SIGTERM
        self._terminated_at = 0.0

    def loop(self) -> None:
        """Run all, until one ends or a signal comes."""
        try:
            super().loop()
        except OSError:  # nobody reads on, the terminal is closed: what is attached ends with us
            os._exit(1)

    def terminate(self) -> None:
        """Send SIGTERM to all, as soon as all have started: before that honcho has no ids."""
        if os.getpid() != self._runner:  # the handler that a process just forked has inherited
            return
        if self._ended_first is None:
            self._ended_first = [name for name, code in self._codes().items() if code is not None]
        if not self._all_started():
            threading.Timer(RETRY_SECONDS, self.terminate).start()
            return
        self._terminated_at = self._terminated_at or time.monotonic()
        super().terminate()

    def kill(self) -> None:
        """Send SIGKILL to what is left, once its time is up."""
        if time.monotonic() - self._terminated_at > KILL_AFTER_SECONDS:
            super().kill()

    def farewell(self) -> str | None:
        """Whose end was the end of all; None where a signal was."""
        if not self._ended_first:
            return None
        name = self._ended_first[0]
        return f"{name} ended by itself (code {self._codes()[name]}), so all were stopped"

    def _codes(self) -> dict[str, int | None]:
        return {name: state.get("returncode") for name, state in self._processes.items()}


class Attached(Process):  # type: ignore[misc]
    """honcho's process, which ends with the runner, even one that was killed or hung up on."""

    def run(self, events: multiprocessing.Queue[object], ignore_signals: bool = False) -> None:
        """Run the command and report to `events`; in a process of its own."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        watch = threading.Thread(target=self._end_with, args=(os.getppid(), events), daemon=True)
        watch.start()
        super().run(events, ignore_signals)

    def _end_with(self, runner: int, events: multiprocessing.Queue[object]) -> None:
        while os.getppid() == runner or self._child is None:
            time.sleep(LOOK_FOR_RUNNER_SECONDS)
        events.cancel_join_thread()  # nobody reads them any more
        os.killpg(self._child.pid, signal.SIGTERM)
