"""What a claim costs as the number of finished generations grows."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.figures import Row, quantity
from bench.product import Product, add, product, submitted
from core.generation.model import Status
from core.ids import new_token
from core.store.claims import Lane
from core.wiring import Core, open_core

OPEN = 100
LIMIT = 1.5


def claims(quick: bool) -> list[Row]:
    """The median claim over a long history, against the same without any."""
    history, times = (20_000, 100) if quick else (200_000, 500)
    with product() as full, product() as empty:
        _add_finished(full, history)
        for each in (full, empty):
            now = datetime.now(UTC)
            add(each.database, [submitted(number, due_at=now) for number in range(OPEN)])
        with open_core(full.settings()) as long, open_core(empty.settings()) as short:
            pairs = [(_claim_ms(long), _claim_ms(short)) for _ in range(times)]
    with_history, without = (median(each) for each in zip(*pairs, strict=True))
    ratio = with_history / without
    return [
        Row(
            measure=f"a claim over {history:,} finished rows, against none",
            ours=quantity(with_history, "ms"),
            baseline=quantity(without, "ms"),
            ratio=ratio,
            target=f"<= {LIMIT} x",
            met=ratio <= LIMIT,
        )
    ]


def _add_finished(ours: Product, count: int) -> None:
    finished = {
        "status": Status.SUCCESS,
        "asset_url": "https://example.com/a.mp4",
        "delivered_at": datetime.now(UTC),
    }
    add(ours.database, [submitted(OPEN + number, **finished) for number in range(count)])


def _claim_ms(core: Core) -> float:
    token = new_token()
    started = time.perf_counter()
    claimed = core.store.claims.claim_next(Lane.DELIVER, token)
    took = time.perf_counter() - started
    if claimed is None:
        raise RuntimeError("nothing was due")
    core.store.claims.hand_back(claimed.id, token, after=timedelta())
    return took * 1000
