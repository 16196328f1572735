"""What a claim costs as the number of finished generations grows."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median

from bench import figures
from bench.history.filling import filling
from bench.history.story import NEW
from bench.history.values import Row, id_at, time_text
from bench.product import Product, product, submitted
from core.generation.model import Status
from core.ids import new_token
from core.store.claims import Lane
from core.store.tables import generations
from core.wiring import Core, open_core
from tests.support.postgres import Postgres

OPEN = 100
LIMIT = 1.5


def claims(quick: bool, server: Postgres | None) -> list[figures.Row]:
    """The median claim over a long history, against the same without any."""
    history, times = (20_000, 100) if quick else (1_000_000, 500)
    with product(server) as full, product(server) as empty:
        _add_finished(full, history)
        for each in (full, empty):
            now = datetime.now(UTC)
            each.add([submitted(number, due_at=now) for number in range(OPEN)])
        with open_core(full.settings()) as long, open_core(empty.settings()) as short:
            pairs = [(_claim_ms(long), _claim_ms(short)) for _ in range(times)]
    with_history, without = (median(each) for each in zip(*pairs, strict=True))
    ratio = with_history / without
    return [
        figures.Row(
            measure=f"a claim over {history:,} finished rows, against none",
            ours=figures.quantity(with_history, "ms"),
            baseline=figures.quantity(without, "ms"),
            ratio=ratio,
            target=f"<= {LIMIT} x",
            met=ratio <= LIMIT,
        )
    ]


def _add_finished(ours: Product, count: int) -> None:
    random, now = Random(0), time.time()
    finished = NEW | {
        "model": "kling/v2-1-standard",
        "input": "{}",
        "status": Status.SUCCESS.value,
        "asset_url": "https://example.com/a.mp4",
    }
    finished |= dict.fromkeys(("created_at", "updated_at", "submit_started_at"), time_text(now))

    def row(number: int) -> Row:
        own = {"id": id_at(random, now), "task_id": f"finished{number:08d}"}
        return tuple((finished | own).values())

    with filling(ours.database) as insert:
        insert(generations, map(row, range(count)))


def _claim_ms(core: Core) -> float:
    token = new_token()
    started = time.perf_counter()
    claimed = core.store.claims.claim_next(Lane.DELIVER, token)
    took = time.perf_counter() - started
    if claimed is None:
        raise RuntimeError("nothing was due")
    core.store.claims.hand_back(claimed.id, token, after=timedelta())
    return took * 1000
