"""A plain server in a folder: a repository, supervisor, and what deploy.sh makes of both."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.deployment.traffic import Traffic
from tests.support.processes import ROOT, wait_until
from tests.support.simulator import SPEECH
from tests.support.site import Site

PROGRAMS = ("kie-web:0", "kie-web:1", "kie-poller", "kie-dashboard")
SUPERVISORD = """\
[unix_http_server]
file={folder}/supervisor.sock
[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/supervisor.sock
[include]
files={folder}/conf.d/*.conf
"""


class Server:
    """BASE is `base`; releases come from `repository`, which begins as this very checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / "base"
        self.repository = folder / "repository"
        self.base.mkdir()
        # KIE's signature would be one more thing that the traffic has to make.
        self.site = Site(self.base, kie_webhook_hmac_key="", log_level="WARNING")
        self._supervisord: subprocess.Popen[bytes] | None = None

    # set-up, as deploy/README.md says it

    def set_up(self) -> None:
        """Everything before the first deployment."""
        self._make_repository()
        self._write_env()
        self._share_environment()
        (self.folder / "conf.d").mkdir()
        (self.folder / "logs").mkdir()
        (self.folder / "supervisord.conf").write_text(SUPERVISORD.format(folder=self.folder))
        told = self.run("supervisor", LOGS=self.folder / "logs", START_SECONDS=1)
        assert told.returncode == 0, told.stderr
        (self.folder / "conf.d/kie.conf").write_text(told.stdout)
        configuration = self.folder / "supervisord.conf"
        self._supervisord = subprocess.Popen(
            ["supervisord", "-n", "-c", configuration],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        wait_until((self.folder / "supervisor.sock").exists, "supervisor is there")

    def close(self) -> None:
        """Stop all processes, and print what was said."""
        if self._supervisord is not None:
            self._supervisord.terminate()
            self._supervisord.wait(60)
        self.site.close()
        for log in sorted((self.folder / "logs").glob("*")):
            print(f"--- {log.name}", log.read_text("utf-8", "replace")[-3000:], sep="\n")

    def _make_repository(self) -> None:
        """This checkout as it is, committed or not."""
        asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in listed.split("\0"):
            if name and (ROOT / name).is_file() and not name.startswith("tests/"):
                target = self.repository / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
        self.git("init", "-q", "-b", "main")
        self.commit()

    def _write_env(self) -> None:
        settings = self.site.environment()
        for name in ("PATH", "HOME", "DATA_DIR", "DATABASE_URL"):  # the last two: as by default
            settings.pop(name, None)
        lines = (f"{name}={value}\n" for name, value in settings.items())
        (self.base / ".env").write_text("".join(lines))
        (self.base / ".env").chmod(0o600)

    def _share_environment(self) -> None:
        """What is installed for the tests stands for what deploy.sh would install."""
        version = subprocess.run([sys.executable, "-VV"], capture_output=True, check=True).stdout
        requirements = (ROOT / "requirements.txt").read_bytes()
        key = hashlib.sha256(requirements + version).hexdigest()[:16]
        (self.base / "venvs").mkdir()
        (self.base / "venvs" / key).symlink_to(sys.prefix)
        (self.base / "venvs" / f"{key}.whole").touch()

    # releases

    def git(self, *arguments: str) -> str:
        """What git says of the repository."""
        who = ["-c", "user.name=tests", "-c", "user.email=tests@localhost"]
        return subprocess.run(
            ["git", *who, *arguments],
            cwd=self.repository,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, *changes: tuple[str, str, str]) -> str:
        """A commit on a branch of its own that replaces text in files of `main`."""
        for name, old, new in changes:
            file = self.repository / name
            text = file.read_text()
            assert text.count(old) == 1, (name, old)
            file.write_text(text.replace(old, new))
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "A release")
        commit = self.git("rev-parse", "HEAD")
        if changes:
            self.git("branch", "-f", f"release-{commit}")
            self.git("reset", "-q", "--hard", "HEAD~1")
        return commit

    # deploy.sh

    def run(self, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        """deploy.sh, to its end."""
        with self.started(*arguments, **settings) as process:
            out, error = process.communicate(timeout=300)
        print(out, error)
        return subprocess.CompletedProcess(arguments, process.returncode, out, error)

    def started(self, *arguments: str, **settings: object) -> subprocess.Popen[str]:
        """deploy.sh, in a group of its own."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "BASE": self.base,
            "REPOSITORY": self.repository,
            "PYTHON": sys.executable,
            "SUPERVISORCTL": f"supervisorctl -c {self.folder}/supervisord.conf",
            "HEALTH_SECONDS": 60,
            "MIN_FREE_MB": 100,
            **settings,
        }
        return subprocess.Popen(
            [ROOT / "deploy/deploy.sh", *arguments],
            env={name: str(value) for name, value in environment.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def deploy_and_kill(self, commit: str, at: str) -> None:
        """Begin a deployment, and kill all of it as soon as it has said this."""
        with self.started("deploy", commit) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print("to be killed:", line, end="")
                if at in line:
                    break
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    # what came of it

    @property
    def current(self) -> str:
        """The name of the release in use."""
        return (self.base / "current").resolve().name

    def running(self) -> set[str]:
        """The releases that processes run from."""
        control = ["supervisorctl", "-c", str(self.folder / "supervisord.conf"), "pid"]
        folders = set()
        for program in PROGRAMS:
            pid = subprocess.run([*control, program], capture_output=True, text=True).stdout.strip()
            folders.add(Path(f"/proc/{pid}/cwd").resolve().name)
        return folders

    def order(self, count: int = 5) -> None:
        """Order sounds from the pretend KIE, through our API."""
        for _ in range(count):
            self.site.create(SPEECH)

    def traffic(self) -> Traffic:
        """To a generation that is delivered."""
        [task] = self.site.ledger()["tasks"][:1]
        return Traffic(task["request"]["callBackUrl"], task["taskId"])


@contextmanager
def open_server() -> Iterator[Server]:
    """A server that is ready for its first deployment, with a pretend KIE beside it."""
    # Not below pytest's folder: the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="kie-") as folder:
        server = Server(Path(folder))
        try:
            server.set_up()
            server.site.simulator()
            yield server
        finally:
            server.close()
