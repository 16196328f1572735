"""The files of a generation in the invented history, as they are before they are stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any

from bench.history.models import BYTES, PNG, Form, Model
from core.storage.paths import object_path
from core.store.tables import assets

HOST = "https://cdn.kie.example"
NEW = dict.fromkeys(assets.c.keys()) | {"role": "main", "failures": 0}


def new_assets(random: Random, model: Model, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The assets of a task that KIE has finished: fetched, but not yet stored."""
    count = random.choice(model.files)
    usual = BYTES[model.kind]
    made = [_asset(random, row, position, model.form, usual) for position in range(count)]
    if model.extra:
        still = _asset(random, row, count, PNG, BYTES["image"])
        made.append(still | {"role": model.extra})
    if model.kind == "text":  # data, for which KIE names no address
        made[0]["source_url"] = None
    return made


def _asset(
    random: Random, row: Mapping[str, Any], position: int, form: Form, usual_bytes: int
) -> dict[str, Any]:
    sha256 = f"{random.getrandbits(256):064x}"
    path = object_path(
        user_id=row["user_id"],
        kind=row["kind"],
        generation_id=row["id"],
        position=position,
        sha256=sha256,
        extension=form.extension,
    )
    return NEW | {
        "generation_id": row["id"],
        "position": position,
        "source_url": f"{HOST}/{row['task_id']}/{position}.{form.extension}",
        "path": path,
        "content_type": form.content_type,
        "size_bytes": int(random.lognormvariate(math.log(usual_bytes), 0.5)),
        "sha256": sha256,
    }
