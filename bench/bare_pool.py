"""`python -m bench.bare_pool`: the baseline of a backlog, a thread pool and nothing else.

For each task: read recordInfo, stream the file to disk, flush it, insert one row.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx

from bench.host import Host


class Pool:
    """What its threads share."""

    def __init__(self, host: Host, folder: Path, client: httpx.Client) -> None:
        self._host = host
        self._folder = folder
        self._client = client
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(folder / "bare.db", check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE files (task_id TEXT PRIMARY KEY, path TEXT)")

    def store(self, number: int) -> None:
        """Do all there is to do for one task."""
        task_id = f"task{number:08d}"
        record = self._client.get(self._host.record_url(task_id)).json()["data"]
        path = self._folder / f"{task_id}.mp4"
        self._download(json.loads(record["resultJson"])["resultUrls"][0], path)
        with self._lock, self._connection:
            self._connection.execute("INSERT INTO files VALUES (?, ?)", (task_id, str(path)))

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _download(self, url: str, path: Path) -> None:
        with self._client.stream("GET", url) as response, path.open("wb") as file:
            response.raise_for_status()
            for chunk in response.iter_raw():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


def main() -> None:
    """Store the files of so many tasks."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare_pool", description=__doc__)
    parser.add_argument("url", help="where KIE is")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(arguments.threads) as threads:
        pool = Pool(Host(arguments.url), arguments.folder, client)
        with closing(pool):
            list(threads.map(pool.store, range(arguments.tasks)))


if __name__ == "__main__":
    main()
