"""Somebody who sends callbacks without a pause and remembers each answer."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SENDERS = 2
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 60


@dataclass
class Traffic:
    """Callbacks to one generation, each on a connection of its own, each with another body."""

    callback_url: str
    task_id: str
    answers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send_all) for _ in range(SENDERS)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, once what was sent is answered."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            answer = self._send(next(self._numbers))
            with self._lock:
                self.answers[answer] += 1

    def _send(self, number: int) -> str:
        """The status; or what came instead of an answer."""
        url = urlsplit(self.callback_url)
        data = {"taskId": self.task_id, "state": "success", "number": number}
        body = json.dumps({"code": 200, "data": data})
        connection = http.client.HTTPConnection(url.netloc, timeout=PATIENCE_SECONDS)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"{url.path}?{url.query}", body, headers)
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()
