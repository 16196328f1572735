"""The README's ten commands, from an empty project to a delivered picture.

Run as they stand there, with a stranger's addresses and keys in place of the examples. Those that
need the internet are left out: what they would bring is already there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.support.docs import ROOT, blocks
from tests.support.postgres import Postgres
from tests.support.processes import free_port, wait_until
from tests.support.site import Site
from tests.support.supabase_storage import supabase_storage

OF_THE_INTERNET = ("sudo apt-get install", "git clone", "make install", "sudo caddy")
SHOWN = "https://kie.example.org"


def ten_commands() -> list[str]:
    """The block of the README, command by command."""
    (block,) = [one for one in blocks("sh") if "sudo apt-get install -y git" in one.text]
    assert block.page == "README.md"
    text = re.sub(r"\\\n\s*", "", block.text)
    return re.findall(r"^(.*<<END\n(?:.*\n)*?END|.+)$", text, re.MULTILINE)


@dataclass
class Machine:
    """A checkout that is installed, in which a stranger types."""

    folder: Path
    replaced: dict[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def type(self, command: str) -> str:
        """What a command prints; in the background it goes on. It must not fail."""
        for shown, meant in self.replaced.items():
            command = command.replace(shown, meant)
        if command.endswith("&"):
            self.started.append(self._bash(command.removesuffix("&")))
            return ""
        said, _ = self._bash(command).communicate(timeout=60)
        return said.decode()

    def _bash(self, command: str) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.Popen(
            ["bash", "-ec", command],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def close(self) -> None:
        """End what goes on, as Ctrl-C does."""
        for process in self.started:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=40)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Only KIE runs."""
    (tmp_path / "kie").mkdir()
    site = Site(tmp_path / "kie")
    site.simulator()
    yield site
    site.close()


@pytest.fixture
def machine(tmp_path: Path, site: Site, postgres: Postgres) -> Iterator[Machine]:
    """Everything that the internet would bring: checkout, environment, an empty project, a key."""
    folder = tmp_path / "kie-delivery"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", ".venv", "core", "webhook", "poller", "dashboard"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("local", "migrations", "simulator", ".streamlit"):
        (folder / name).symlink_to(ROOT / name)
    url, port = postgres.create(), free_port()
    more = {
        "PORT": port,
        "DASHBOARD_PORT": free_port(),
        "KIE_BASE_URL": site.kie_url,
        "MEDIA_ALLOW_PRIVATE": "true",
        "POLL_FIRST_SECONDS": 0.2,
    }
    with supabase_storage(tmp_path / "bucket") as double:
        settings = {
            "postgresql://postgres.abcdefgh:PASSWORD@aws-0-eu-central-1.pooler.supabase.com:6543"
            "/postgres": url,
            "https://abcdefgh.supabase.co": double.url,
            "SUPABASE_SERVICE_ROLE_KEY=...": f"SUPABASE_SERVICE_ROLE_KEY={double.key}",
            "KIE_API_KEY=...": "KIE_API_KEY=simulator",
            SHOWN: f"http://127.0.0.1:{port}",
            "\nEND": "".join(f"\n{name}={value}" for name, value in more.items()) + "\nEND",
        }
        machine = Machine(folder, settings)
        yield machine
        machine.close()
    postgres.drop(url)


@pytest.mark.deployment
def test_ten_commands_lead_to_a_picture(machine: Machine, site: Site) -> None:
    commands = ten_commands()
    assert len(commands) == 10
    *_, environment, migrate, run, _caddy, doctor, create, sync = commands
    assert [c for c in commands if c.startswith(OF_THE_INTERNET)] == [*commands[:3], commands[6]]

    machine.type(environment)
    assert (machine.folder / ".env").stat().st_mode & 0o777 == 0o600
    assert "migration 0001" in machine.type(migrate)
    machine.type(run)
    port = machine.replaced[SHOWN]
    wait_until(lambda: ready(port), "the service is ready", seconds=40)
    assert "checks: 19 ok." in machine.type(doctor)
    answer = machine.type(create)
    generation = json.loads(answer[answer.index("{") :])
    site.finish(generation["taskId"])
    looked = sync.replace("ID", generation["id"])
    said = wait_until(
        lambda: delivered(machine.type(f"{looked} || true")), "the picture is delivered"
    )
    url = re.findall(r"file +(\S+)", said)[0]
    assert "/storage/v1/object/public/generations/" in url
    assert site.content(url).startswith(b"\x89PNG")


def delivered(said: str) -> str | None:
    return said if "success" in said else None


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
