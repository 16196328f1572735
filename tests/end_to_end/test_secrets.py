"""Real processes with planted secrets: none in their output or their command lines."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.settings import SECRETS
from core.store.migrate import migrate
from tests.end_to_end.test_hanging_kie import is_healthy
from tests.support.processes import Process, free_port, wait_until
from tests.support.world import settings

pytestmark = pytest.mark.processes

PLANTED = {
    name.upper(): f"planted-{name.replace('_', '-')}-7f"
    for name in SECRETS
    if name not in ("supabase_service_role_key", "kie_api_key")
}
PASSWORD = "planted-database-password"
ORDER = {
    "model": "flux-2/pro-text-to-image",
    "input": {"prompt": "planted prompt", "aspect_ratio": "1:1", "resolution": "1K"},
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A laptop's settings at their most talkative."""
    migrate(settings(tmp_path).database)
    ports = {"PORT": str(free_port()), "DASHBOARD_PORT": str(free_port())}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path),
        "LOG_LEVEL": "DEBUG",
        "SIMULATOR_PORT": str(free_port()),
        "SIMULATOR_SPEED": "1000",
        **ports,
        **PLANTED,
    }


@contextmanager
def running(folder: Path, environment: dict[str, str], *module: str) -> Iterator[Process]:
    process = Process(folder / "output.log", environment, *module)
    try:
        yield process
        process.signal(signal.SIGTERM)  # `make run` ends what it started
        process.ended()
    finally:
        process.kill()


def command_lines(ancestor: int) -> str:
    """What `ps` shows anybody of a process and all that it started."""
    parents, shown = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            shown[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended
            continue
    family = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return "\n".join(shown[pid] for pid in family if pid in shown)


def leaks(text: str) -> list[str]:
    return [secret for secret in (*PLANTED.values(), PASSWORD) if secret in text]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_neither_output_nor_command_lines_of_make_run_hold_a_secret(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    url = f"http://127.0.0.1:{environment['PORT']}"
    with running(tmp_path, environment, "local.run") as process:
        wait_until(lambda: is_healthy(url), "the webhook answers")
        key = {"Authorization": f"Bearer {PLANTED['API_TOKEN']}"}
        with httpx.Client(base_url=url, headers=key, trust_env=False, timeout=20) as http:
            made = http.post("/api/kie/createTask", json=ORDER).json()
            path = f"/api/generations/{made['id']}"
            wait_until(lambda: http.get(path).json()["status"] == "success", "it is delivered")
            assert http.get("/api/kie/sync", params={"id": made["id"]}).status_code == 200
            secret = {"secret": f"{PLANTED['KIE_CALLBACK_SECRET']}-not"}
            http.post("/api/kie/callback", params=secret, content=json.dumps(secret))
            http.get("/api/generations?cursor=" + PLANTED["API_TOKEN"])
        shown = command_lines(process.pid)
        assert "webhook" in shown and "simulator" in shown
        assert (leaks(shown), leaks(process.output)) == ([], [])
        assert "planted prompt" not in process.output


AWAY = f"postgresql://us:{PASSWORD}@127.0.0.1:1/db"
NO_ADDRESS = (f"postgresql://us:{PASSWORD}@/127.0.0.1:x/db", f"us:{PASSWORD}@127.0.0.1")


@pytest.mark.parametrize(
    ("module", "wrong"),
    [
        *((module, AWAY) for module in ("webhook", "poller", "core")),  # else a page says so
        *itertools.product(("webhook", "poller", "dashboard", "core"), NO_ADDRESS),
    ],
)
def test_a_start_that_fails_says_why_and_no_password(
    tmp_path: Path, environment: dict[str, str], module: str, wrong: str
) -> None:
    command = (module, "status") if module == "core" else (module,)
    given = environment | {"DATABASE_URL": wrong, "KIE_API_KEY": "planted key\u00fc"}
    with running(tmp_path, given, *command) as process:
        assert process.ended() in (1, 2)
        assert process.output
        assert leaks(process.output) == []
        assert "Traceback" not in process.output
        assert "planted key" not in process.output
