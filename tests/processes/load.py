"""Many tasks at once. KIE's limit on creates would make that slow, so they are made beside it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx

from core.generation.model import Generation
from core.ids import new_id
from core.kie.credentials import callback_url
from core.made_up_secret import CALLBACK, made_up_secret
from core.store.opening import open_database
from core.store.store import Store
from tests.support.simulator import KEY, SPEECH
from tests.support.site import Site

AT_ONCE = 8
LOST, DOUBLED, LATE = {"probability": 0.3}, {"probability": 0.2}, {"probability": 0.2, "value": 2}
#: What a bad day at KIE looks like; a task waits until it is told to end.
BAD_DAY = {
    "outcome_stuck": True,
    "media_bytes": {"value": 20_000},
    "callback_parallel": {**DOUBLED, "value": 2},
    "callback_late": LATE,
    "callback_out_of_order": {"probability": 0.1},
    "callback_wrong_signature": {"probability": 0.05},
    "record_error": {"probability": 0.2, "times": 2},
    "record_html": {"probability": 0.1, "times": 1},
    "record_truncated": {"probability": 0.1, "times": 1},
    "media_cut": {"probability": 0.2, "times": 1, "value": 5000},
    "media_missing": {"probability": 0.1, "times": 1},
}


def submitted(site: Site, count: int) -> list[str]:
    """Tasks of KIE with a generation each, as they are after a create; the task ids."""
    with (
        ThreadPoolExecutor(AT_ONCE) as pool,
        closing(open_database(site.database_url, connections=AT_ONCE)) as database,
        httpx.Client(base_url=site.kie_url, headers=KEY, trust_env=False) as kie,
    ):
        store = Store(database)
        secret = made_up_secret(site.data, CALLBACK)

        def submit(_number: int) -> str:
            now, generation_id = store.now(), new_id()
            url = callback_url(site.web_url, secret, generation_id)
            answer = kie.post("/api/v1/jobs/createTask", json={**SPEECH, "callBackUrl": url})
            task_id: str = answer.json()["data"]["taskId"]
            store.generations.add(
                Generation(
                    **SPEECH,
                    id=generation_id,
                    family="market",
                    kind="audio",
                    created_at=now,
                    updated_at=now,
                    due_at=now,
                    task_id=task_id,
                    submit_started_at=now,
                    submitted_at=now,
                )
            )
            return task_id

        return list(pool.map(submit, range(count)))


def finish(site: Site, task_ids: Sequence[str]) -> None:
    """KIE ends all of them, as fast as it can."""
    with (
        ThreadPoolExecutor(AT_ONCE) as pool,
        httpx.Client(base_url=site.kie_url, trust_env=False) as kie,
    ):
        ends = pool.map(
            lambda task_id: kie.post(f"/simulator/tasks/{task_id}/finish", json={}), task_ids
        )
        assert {end.status_code for end in ends} <= {200}
