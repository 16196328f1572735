"""The product as its users run it: real processes over one data folder, on free ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from core.generation.model import Generation
from core.ids import new_id
from core.store.migrate import migrate
from core.store.opening import open_database
from core.store.store import Store
from tests.checker.witness import install_witness
from tests.support.databases import rows
from tests.support.processes import PATIENCE_SECONDS, Process, free_port, wait_until

HMAC_KEY = "whk_test"


class Site:
    """A data folder, the processes over it, and ways to look at both."""

    def __init__(self, folder: Path, database_url: str = "", **settings: object) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.database_url = database_url or f"sqlite:///{self.data / 'kie.db'}"
        self.web_url = f"http://127.0.0.1:{free_port()}"
        self.kie_url = f"http://127.0.0.1:{free_port()}"
        self.dashboard_url = f"http://127.0.0.1:{free_port()}"
        self._settings = {key.upper(): str(value) for key, value in settings.items()}
        self.processes: list[Process] = []
        self._http = httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False)

    # processes

    def simulator(self) -> Process:
        """A KIE that is a thousand times faster than the real one."""
        data, port = str(self.data / "simulator"), str(httpx.URL(self.kie_url).port)
        flags = ["--data", data, "--port", port, "--speed", "1000", "--hmac-key", HMAC_KEY]
        process = self.start("simulator", *flags)
        process.says("ready at")
        return process

    def web(self) -> Process:
        """The webhook, answering."""
        process = self.start("webhook")
        wait_until(self.answers, "the webhook answers")
        return process

    def poller(self) -> Process:
        """The poller, at work."""
        process = self.start("poller")
        process.says('"poller.started"')
        return process

    def dashboard(self, **settings: object) -> Process:
        """The dashboard, answering."""
        process = self.start("dashboard", **settings)
        wait_until(self.dashboard_answers, "the dashboard answers")
        return process

    def dashboard_answers(self) -> bool:
        """Whether the dashboard does."""
        try:
            return self._http.get(f"{self.dashboard_url}/_stcore/health").status_code == 200
        except httpx.TransportError:
            return False

    def start(self, *arguments: str, **settings: object) -> Process:
        """Any module, with our settings and these."""
        log = self.folder / f"{len(self.processes) + 1}-{arguments[0]}.log"
        more = {key.upper(): str(value) for key, value in settings.items()}
        process = Process(log, self.environment() | more, *arguments)
        self.processes.append(process)
        return process

    def close(self) -> None:
        """Kill what still runs, and print what all have said."""
        for process in self.processes:
            process.kill()
            print(process.output)
        self._http.close()

    # the API and KIE's control calls

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to createTask."""
        return self._json(self._http.post(f"{self.web_url}/api/kie/createTask", json=body))

    def create_and_hang_up(
        self, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        """Send createTask and hang up soon, as an impatient caller does."""
        url = f"{self.web_url}/api/kie/createTask"
        with suppress(httpx.ReadTimeout):
            self._http.post(url, json=body, headers=headers, timeout=0.5)

    def answers(self) -> bool:
        """Whether the webhook does."""
        try:
            return self._http.get(f"{self.web_url}/api/health").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str) -> dict[str, Any]:
        """JSON from our API."""
        return self._json(self._http.get(self.web_url + path))

    def delete(self, generation_id: str) -> None:
        """Delete a generation."""
        self._json(self._http.delete(f"{self.web_url}/api/generations/{generation_id}"))

    def status(self, url: str) -> int:
        """How a URL is answered."""
        return self._http.get(url).status_code

    def content(self, url: str) -> bytes:
        """The bytes behind a URL, wherever it leads."""
        answer = self._http.get(url, follow_redirects=True)
        assert answer.status_code == 200, answer
        return answer.content

    def faults(self, **faults: object) -> None:
        """Switch on these faults of KIE, and no others."""
        self._json(self._http.post(f"{self.kie_url}/simulator/faults", json=faults))

    def finish(self, task_id: str) -> None:
        """KIE ends a task now."""
        url = f"{self.kie_url}/simulator/tasks/{task_id}/finish"
        self._json(self._http.post(url, json={}))

    def call_back(self, task_id: str) -> None:
        """KIE sends the callback of a task once more."""
        url = f"{self.kie_url}/simulator/tasks/{task_id}/callback"
        self._json(self._http.post(url, json={}))

    def ledger(self) -> dict[str, Any]:
        """KIE's own books."""
        return self._json(self._http.get(f"{self.kie_url}/simulator/ledger"))

    # what is on disk

    def parts(self) -> list[Path]:
        """The files in the spool."""
        return list((self.data / "spool").glob("*.part"))

    def add(self, body: dict[str, Any]) -> None:
        """A generation on record, as a webhook leaves it that dies before it calls KIE."""
        with closing(open_database(self.database_url, connections=1)) as database:
            store = Store(database)
            now = store.now()
            generation = Generation(
                id=new_id(), family="market", created_at=now, updated_at=now, due_at=now, **body
            )
            store.generations.add(generation)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the database holds."""
        return rows(self.database_url, query)

    def row(self, condition: str = "TRUE") -> dict[str, Any] | None:
        """The first generation of which this is true."""
        found = self.rows(f"SELECT * FROM generations WHERE {condition} ORDER BY id")
        return found[0] if found else None

    def wait_for(self, condition: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The first generation of which this becomes true."""
        return wait_until(lambda: self.row(condition), condition, seconds)

    def wait_for_all(self, seconds: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
        """All generations, once every one has ended and nobody holds one."""
        unended = "status NOT IN ('success', 'failed') OR lease_token IS NOT NULL"
        wait_until(lambda: self.row(unended) is None, "all have ended", seconds)
        return self.rows("SELECT * FROM generations ORDER BY id")

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        body: dict[str, Any] = answer.json()
        return body

    def environment(self) -> dict[str, str]:
        """Of our processes: what the shell of the tester holds must not matter."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **kept,
            "KIE_API_KEY": "simulator",
            "KIE_BASE_URL": self.kie_url,
            "KIE_WEBHOOK_HMAC_KEY": HMAC_KEY,
            "PORT": str(httpx.URL(self.web_url).port),
            "DASHBOARD_PORT": str(httpx.URL(self.dashboard_url).port),
            "PUBLIC_BASE_URL": self.web_url,
            "DATA_DIR": str(self.data),
            "DATABASE_URL": self.database_url,
            "MEDIA_ALLOW_PRIVATE": "true",
            "WEB_CONCURRENCY": "1",
            "LEASE_SECONDS": "2",
            "POLL_FIRST_SECONDS": "0.2",
            "LOG_FORMAT": "json",
            **self._settings,
        }


@contextmanager
def open_site(folder: Path, database_url: str = "", **settings: object) -> Iterator[Site]:
    """A migrated, watched site with a simulator, on SQLite by default; all is killed at the end."""
    site = Site(folder, database_url, **settings)
    try:
        migrate(site.database_url)
        install_witness(site.database_url)
        site.simulator()
        yield site
    finally:
        site.close()
