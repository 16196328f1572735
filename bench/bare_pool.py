"""`python -m bench.bare_pool`: the baseline of a backlog, a thread pool and nothing else.

For each task: read recordInfo, stream the file to disk, flush it, insert one row.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg

from bench.host import Host
from core.store.address import is_sqlite
from core.store.sqlite import sqlite_file

TABLE = "CREATE TABLE files (task_id TEXT PRIMARY KEY, path TEXT)"

#: Takes the id of a task and the path of its file.
Keep = Callable[[str, str], None]


class Pool:
    """What its threads share."""

    def __init__(self, host: Host, folder: Path, client: httpx.Client, keep: Keep) -> None:
        self._host = host
        self._folder = folder
        self._client = client
        self._keep = keep

    def store(self, number: int) -> None:
        """Do all there is to do for one task."""
        task_id = f"task{number:08d}"
        record = self._client.get(self._host.record_url(task_id)).json()["data"]
        path = self._folder / f"{task_id}.mp4"
        self._download(json.loads(record["resultJson"])["resultUrls"][0], path)
        self._keep(task_id, str(path))

    def _download(self, url: str, path: Path) -> None:
        with self._client.stream("GET", url) as response, path.open("wb") as file:
            response.raise_for_status()
            for chunk in response.iter_raw():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


def _sqlite_keep(url: str) -> Keep:
    """One connection and one lock."""
    connection = sqlite3.connect(sqlite_file(url), check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(TABLE)
    lock = threading.Lock()

    def keep(task_id: str, path: str) -> None:
        with lock, connection:
            connection.execute("INSERT INTO files VALUES (?, ?)", (task_id, path))

    return keep


def _postgresql_keep(url: str) -> Keep:
    """A connection for each thread."""
    own = threading.local()

    def keep(task_id: str, path: str) -> None:
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)
        own.connection.execute("INSERT INTO files VALUES (%s, %s)", (task_id, path))

    with psycopg.connect(url) as connection:
        connection.execute(TABLE)
    return keep


def main() -> None:
    """Store the files of so many tasks."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare_pool", description=__doc__)
    parser.add_argument("url", help="where KIE is")
    parser.add_argument("folder", type=Path)
    parser.add_argument("database", help="its URL")
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    url = arguments.database
    keep = _sqlite_keep(url) if is_sqlite(url) else _postgresql_keep(url)
    with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(arguments.threads) as threads:
        pool = Pool(Host(arguments.url), arguments.folder, client, keep)
        list(threads.map(pool.store, range(arguments.tasks)))


if __name__ == "__main__":
    main()
