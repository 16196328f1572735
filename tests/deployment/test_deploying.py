"""Deployments that succeed, fail and are killed, while callbacks come in without a pause."""

from __future__ import annotations

import fcntl
import re

import pytest

from tests.deployment.server import Server
from tests.support.processes import ROOT

pytestmark = pytest.mark.deployment

Change = tuple[str, str, str]  # a file, a text in it, and what stands there instead

NEWER: Change = ("README.md", "# KIE delivery", "# KIE delivery, newer")
DIES: Change = (
    "webhook/server.py",
    "    with open_core(settings) as core:\n",
    "    raise RuntimeError\n    with open_core(settings) as core:\n",
)
NOT_READY: Change = ("webhook/health.py", "    return OK\n", '    return "full"\n')
CANNOT_BE_IMPORTED: Change = ("poller/__main__.py", "import argparse", "import argparser")
CANNOT_MIGRATE: Change = (
    "migrations/env.py",
    "from alembic import context\n",
    "from alembic import context\n\nraise RuntimeError\n",
)
#: It runs on trial, and under supervisor it does not.
DIES_IN_SERVICE: Change = (
    "webhook/__main__.py",
    '    argparse.ArgumentParser(prog="python -m webhook"',
    '    import os\n    if "SUPERVISOR_ENABLED" in os.environ:\n        sys.exit("worn out")\n'
    '    argparse.ArgumentParser(prog="python -m webhook"',
)

#: Not at once: supervisor takes it for started.
DASHBOARD_DIES: Change = (
    "dashboard/__main__.py",
    "    _warm_up()\n",
    '    import time\n    time.sleep(2)\n    sys.exit("worn out")\n',
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (CANNOT_BE_IMPORTED, "No module named 'argparser'"),
        (CANNOT_MIGRATE, "RuntimeError"),
        (DIES, "it ended with exit code"),
        (NOT_READY, '"storage":"full"'),
    ],
    ids=["cannot be imported", "cannot migrate", "dies", "is not ready"],
)
def test_a_broken_release_is_found_before_anybody_meets_it(
    server: Server, change: Change, why: str
) -> None:
    before = server.current
    done = server.run("deploy", server.commit(change), HEALTH_SECONDS=20)
    assert (done.returncode, why in done.stdout + done.stderr) == (1, True)
    assert server.running() == {server.current} == {before}


def test_requirements_are_installed_by_their_hashes_only(server: Server) -> None:
    all_of_them = (ROOT / "requirements.txt").read_text()
    [click] = re.findall(r"^click==.*(?:\n +--hash=.*)+\n", all_of_them, re.MULTILINE)
    forged = re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", click)
    for requirements, why in [(forged, "DO NOT MATCH"), (click, "No module named")]:
        commit = server.commit(("requirements.txt", all_of_them, requirements))
        done = server.run("deploy", commit)
        assert (done.returncode, why in done.stderr) == (1, True)


@pytest.mark.parametrize("change", [DIES_IN_SERVICE, DASHBOARD_DIES], ids=["web", "dashboard"])
def test_one_that_fails_in_service_is_rolled_back(server: Server, change: Change) -> None:
    before = server.current
    done = server.run("deploy", server.commit(change), HEALTH_SECONDS=30)
    assert done.returncode == 3
    assert "worn out" in done.stdout  # the last log lines
    assert server.running() == {server.current} == {before}


def test_after_killed_deployments_the_next_one_works_and_the_one_before_comes_back(
    server: Server,
) -> None:
    before = server.current
    for step in ("install", "kie-web:0: stopped"):
        server.deploy_and_kill(server.commit(NEWER), at=step)
    assert server.run("deploy", server.commit(NEWER)).returncode == 0
    assert server.running() == {server.current} != {before}
    assert server.run("rollback").returncode == 0
    assert server.running() == {server.current} == {before}


def test_one_that_is_told_to_stop_says_that_it_failed(server: Server) -> None:
    before = server.current
    with server.started("deploy", server.commit(NEWER)) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "install" in line)
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert server.running() == {server.current} == {before}


def test_what_is_missing_is_said_before_anything_is_done(server: Server) -> None:
    env = server.base / ".env"
    env.chmod(0o644)
    refused = server.run("deploy")
    env.chmod(0o600)
    assert refused.returncode == 2
    assert f"chmod 600 {env}" in refused.stderr


def test_a_repository_that_cannot_be_fetched_is_not_remembered(server: Server) -> None:
    assert server.run("deploy", REPOSITORY=server.folder / "nowhere").returncode == 1
    again = server.run("deploy", "no-such-branch", REPOSITORY="")
    assert (again.returncode, "has no no-such-branch" in again.stderr) == (2, True)


def test_the_address_is_read_as_the_settings_read_it(server: Server) -> None:
    (server.folder / "odd").mkdir()
    odd = 'PORT=1\r\n export  port = "8123" # ours\r\n'
    (server.folder / "odd/.env").write_text(odd, newline="")
    told = server.run("supervisor", BASE=server.folder / "odd")
    assert "socket=tcp://127.0.0.1:8123\n" in told.stdout


def test_only_one_deploys_at_a_time(server: Server) -> None:
    with (server.base / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = server.run("deploy")
    assert (refused.returncode, "under way" in refused.stderr) == (2, True)
