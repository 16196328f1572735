"""`python -m tests.processes.full_disk FOLDER`: a site whose disk runs full, and empties again.

To be run where a file system can be mounted and is gone at the end: `unshare --map-root-user
--mount`. The disk is a tmpfs that shrinks to what is on it: whoever writes is told ENOSPC.
"""

from __future__ import annotations

import itertools
import mmap
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.audit import audit
from tests.support.processes import wait_until
from tests.support.simulator import SPEECH
from tests.support.site import Site, open_site

#: Nobody starts a download where less than 1 GiB is free.
ROOM = "2g"
STUCK = 4
TRIES = 4  # of a callback, by KIE
KEPT = "SELECT id FROM callbacks"


class Disk:
    """A tmpfs at a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"
        self._freed = threading.Event()
        folder.mkdir()
        self._mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs")

    @contextmanager
    def full(self) -> Iterator[None]:
        """No room at all, for the length of the block: what others free is taken at once."""
        self._shrink()
        greedy = threading.Thread(target=self._take_all)
        greedy.start()
        try:
            yield
        finally:
            self._freed.set()
            greedy.join()
            self._mount("-o", f"remount,size={ROOM}")
            self._ballast.unlink()

    def _shrink(self) -> None:
        """To what is on it; refused where somebody has just written more."""
        while True:
            told = subprocess.run(
                ["df", "-k", "--output=used", self._folder], check=True, capture_output=True
            )
            used = int(told.stdout.split()[-1])
            if self._mount("-o", f"remount,size={used}k", check=False) == 0:
                return

    def _take_all(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            while not self._freed.is_set():
                try:
                    file.write(bytes(mmap.PAGESIZE))
                except OSError:
                    self._freed.wait(0.005)

    def _mount(self, *arguments: str, check: bool = True) -> int:
        return subprocess.run(["mount", *arguments, self._folder], check=check).returncode


def run(folder: Path) -> None:
    """The whole story."""
    disk = Disk(folder / "data")
    (folder / "kie").mkdir()
    (folder / "data" / "simulator").symlink_to(folder / "kie")  # KIE's own disk does not run full
    with open_site(folder) as site:
        site.web()
        site.poller()
        site.faults(outcome_stuck=True)
        for _ in range(STUCK):
            site.create(SPEECH)
        stuck = [task["taskId"] for task in site.ledger()["tasks"]]
        download_and_create_under_way(site)
        with disk.full():
            nothing_is_taken(site, stuck)
            wait_until(lambda: is_said(site, '"submit.not_saved"'), "a task id has no room", 40)
        site.faults()
        rows = site.wait_for_all(60)
        assert {row["status"] for row in rows} == {"success"}, rows
        assert len(rows) == site.ledger()["calls"] >= STUCK + 2
        assert audit(site.data, site.database_url) == []


def download_and_create_under_way(site: Site) -> None:
    """One file has come in part, and KIE has made a task that it tells of in a while."""
    site.faults(media_slow={"value": 50_000}, media_bytes={"value": 1_000_000})
    site.create(SPEECH)
    wait_until(lambda: any(part.stat().st_size for part in site.parts()), "bytes have arrived")
    site.faults(create_delay={"next": 1, "value": 1.5}, outcome_stuck=True)
    site.create_and_hang_up(SPEECH)
    tasks = wait_until(lambda: site.ledger()["tasks"][STUCK + 1 :], "KIE has made the task")
    site.finish(tasks[0]["taskId"])


def nothing_is_taken(site: Site, stuck: list[str]) -> None:
    """What cannot be kept is answered 503, and a create 500: KIE does not hear of it."""
    kept, calls = len(site.rows(KEPT)), site.ledger()["calls"]
    for task_id in stuck:
        site.finish(task_id)
    tried = wait_until(lambda: answers(site, stuck), "KIE has called back for each")
    assert set(tried) <= {200, 503}, tried
    assert tried[503] > 0, tried
    assert len(site.rows(KEPT)) == kept + tried[200]
    created = list(iter(lambda: create(site), 500))
    assert site.ledger()["calls"] == calls + len(created)
    assert site.answers()


def create(site: Site) -> int:
    """How a create is answered."""
    return httpx.post(f"{site.web_url}/api/kie/createTask", json=SPEECH, timeout=20).status_code


def answers(site: Site, task_ids: list[str]) -> Counter[int] | None:
    """How the callbacks of these tasks were answered, once KIE sends no more of them."""
    tasks = [task for task in site.ledger()["tasks"] if task["taskId"] in task_ids]
    tried = [[attempt["status"] for attempt in task["callbacks"]] for task in tasks]
    is_over = all(statuses[-1:] == [200] or len(statuses) == TRIES for statuses in tried)
    return Counter(itertools.chain(*tried)) if is_over else None


def is_said(site: Site, words: str) -> bool:
    """Whether any process has said so."""
    return any(words in process.output for process in site.processes)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
