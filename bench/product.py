"""This product as a measurement needs it: a folder of its own, generations in it, processes."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.processes import free_port, output_of, python, running, wait_for_workers
from core.generation.model import Generation
from core.ids import new_id
from core.kie.credentials import callback_url
from core.settings import Settings
from core.store.migrate import migrate
from core.store.rows import to_columns
from core.store.tables import generations
from tests.support.postgres import Postgres

SECRET = "bench"
AT_ONCE = 20_000
HELD_BY_ANOTHER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Product:
    """One installation, as an operator would have it but for where KIE is."""

    folder: Path
    port: int
    kie_url: str
    engine: sa.Engine
    storage: Mapping[str, str] = field(default_factory=dict)  # settings; none: a folder

    @property
    def base_url(self) -> str:
        """Where its webhook is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        """The URL of its database."""
        return self.engine.url.render_as_string(hide_password=False)

    @property
    def environment(self) -> dict[str, str]:
        """What differs from the defaults."""
        return {
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": self.database,
            "PORT": str(self.port),
            "PUBLIC_BASE_URL": self.base_url,
            "KIE_BASE_URL": self.kie_url,
            "KIE_API_KEY": "bench",
            "KIE_CALLBACK_SECRET": SECRET,
            "MEDIA_ALLOW_PRIVATE": "true",
            **self.storage,
        }

    def settings(self) -> Settings:
        """The same for a core in this process."""
        values: dict[str, Any] = {name.lower(): text for name, text in self.environment.items()}
        return Settings(_env_file=None, **values)

    @contextmanager
    def webhook(self) -> Iterator[subprocess.Popen[bytes]]:
        """The webhook, listening."""
        command = python("webhook")
        with running(command, self.folder, self.environment) as process:
            wait_for_workers(self.port)
            yield process

    @contextmanager
    def poller(self) -> Iterator[subprocess.Popen[bytes]]:
        """The poller."""
        command = python("poller")
        with running(command, self.folder, self.environment) as process:
            yield process

    def with_kie_at(self, url: str) -> Product:
        """The same installation with another KIE."""
        return replace(self, kie_url=url)

    def with_storage_at(self, settings: Mapping[str, str]) -> Product:
        """The same installation with other storage."""
        return replace(self, storage=settings)

    def run(self, module: str, *arguments: str) -> str:
        """What a module prints, in a process of its own with this product's settings."""
        return output_of(python(module, *arguments), self.folder, self.environment)

    def count(self, sql: str) -> int:
        """The one number that a query gives."""
        return int(self.value(sql))

    def value(self, sql: str) -> str:
        """The first value that a query gives."""
        with self.engine.connect() as connection:
            return str(connection.exec_driver_sql(sql).scalar())

    def add(self, new: Sequence[Generation]) -> None:
        """Write generations into its database, many in a transaction."""
        for start in range(0, len(new), AT_ONCE):
            rows = [to_columns(generation) for generation in new[start : start + AT_ONCE]]
            with self.engine.begin() as connection:
                connection.execute(sa.insert(generations), rows)


@contextmanager
def product(server: Postgres | None = None) -> Iterator[Product]:
    """A product that knows no KIE, in a folder and with a database that go at the end.

    The database is an empty one of the server, or else a SQLite file.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kie-bench-")))
        url = f"sqlite:///{folder / 'kie.db'}"
        if server is not None:
            url = server.create()
            stack.callback(server.drop, url)
        engine = sa.create_engine(url)
        stack.callback(engine.dispose)
        migrate(url)
        yield Product(folder, free_port(), "http://127.0.0.1:1", engine)


def submitted(number: int, **fields: Any) -> Generation:
    """A generation whose task KIE has made and nobody has looked at yet."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "id": new_id(),
        "family": "market",
        "model": "kling/v2-1-standard",
        "kind": "video",
        "prompt": "a red kite over the sea",
        "input": {"prompt": "a red kite over the sea", "duration": "5"},
        "task_id": f"task{number:08d}",
        "created_at": now,
        "updated_at": now,
        "submit_started_at": now,
        "submitted_at": now,
    }
    return Generation(**{**values, **fields})


def held(number: int) -> Generation:
    """A generation that some other machine is working on: a callback wakes it, nobody here may."""
    until = datetime.now(UTC) + HELD_BY_ANOTHER
    return submitted(number, lease_token="of another machine", lease_until=until)


def callback_path(generation: Generation) -> str:
    """Path and query of a generation's callback URL."""
    return callback_url("", SECRET, generation.id)
