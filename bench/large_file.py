"""One large file, in a process of its own: how fast, and how much memory it takes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.bucket import bucket
from bench.figures import Row, at_least, at_most, quantity
from bench.host import Host, nginx
from bench.processes import memory_kib, output_of
from bench.product import product, submitted
from core.generation.model import Channel, Status
from core.settings import Settings
from core.wiring import open_core
from tests.support.postgres import Postgres

SHARE = 0.6
LIMIT_MIB = 48.0
#: The same work: to a file, hashed on the way, and on the disk at the end.
BARE = 'curl -sf "$0" | tee "$1" | sha256sum && sync "$1"'


def large_file(quick: bool, server: Postgres | None) -> list[Row]:
    """1 GiB from loopback into a folder or a bucket, against curl, tee, sha256sum and sync."""
    mib, rounds = (128, 1) if quick else (1024, 3)
    bare, to_folder, to_bucket = [], [], []
    with (
        product(server) as home,
        nginx(home.folder / "host", mib << 20) as host,
        bucket(home.folder / "bucket") as storage,
    ):
        for _ in range(rounds):
            to_folder.append(_ours(host, {}, server))
            to_bucket.append(_ours(host, storage, server))
            bare.append(mib / _bare(host, home.folder / "bare.mp4"))
    measure = f"one file of {mib:,} MiB"
    rate, rate_to_bucket = (
        median(mib / seconds for seconds, _ in taken) for taken in (to_folder, to_bucket)
    )
    return [
        at_least(measure, rate, median(bare), SHARE, "MiB/s"),
        _growth(measure, to_folder),
        Row(measure=f"{measure} to a bucket", ours=quantity(rate_to_bucket, "MiB/s")),
        _growth(f"{measure} to a bucket", to_bucket),
    ]


def _growth(measure: str, taken: Sequence[tuple[float, float]]) -> Row:
    most = max(grown for _, grown in taken)
    return at_most(f"{measure}: growth of memory", most, LIMIT_MIB, "MiB")


def _ours(host: Host, storage: Mapping[str, str], server: Postgres | None) -> tuple[float, float]:
    with product(server) as empty:
        ours = empty.with_kie_at(host.url).with_storage_at(storage)
        generation = submitted(0, due_at=submitted(0).created_at)
        ours.add([generation])
        told = json.loads(ours.run("bench.large_file", generation.id))
    return told["seconds"], told["grown_kib"] / 1024


def _bare(host: Host, target: Path) -> float:
    started = time.perf_counter()
    output_of(["sh", "-c", BARE, host.media_url("task"), str(target)])
    took = time.perf_counter() - started
    target.unlink()
    return took


def main(generation_id: str) -> None:
    """Deliver one generation here, and print what that took."""
    with open_core(Settings.load()) as core:
        core.queries.by_id(generation_id)
        before, started = memory_kib("VmRSS"), time.perf_counter()
        delivered = core.delivery.advance(generation_id, Channel.POLL)
        seconds = time.perf_counter() - started
    if delivered is None or delivered.status is not Status.SUCCESS:
        raise SystemExit(f"not delivered: {delivered}")
    print(json.dumps({"seconds": seconds, "grown_kib": memory_kib("VmHWM") - before}))


if __name__ == "__main__":
    main(sys.argv[1])
