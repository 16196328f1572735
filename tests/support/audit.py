"""An auditor who knows nothing of our code: database, storage and KIE's ledger must agree."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.databases import rows


def audit(data: Path, database_url: str, objects: Mapping[str, bytes] | None = None) -> list[str]:
    """Every broken promise of a data folder and its database, in words; the processes may run.

    `objects`: what is stored, by path, where that is not in the folder.
    """
    objects = _in_folder(data / "assets") if objects is None else objects
    generations = rows(database_url, "SELECT * FROM generations")
    assets = rows(database_url, "SELECT * FROM assets")
    tasks = _tasks(data / "simulator" / "ledger.jsonl")
    return [
        *_successes_without_file(objects, generations, assets),
        *_objects_without_row(objects, assets),
        *_created_twice(tasks),
        *_wrong_credits(generations, tasks),
        *_delivered_twice(database_url),
    ]


def _in_folder(root: Path) -> dict[str, bytes]:
    files = [file for file in root.rglob("*") if file.is_file()]
    return {str(file.relative_to(root)): file.read_bytes() for file in files}


def _successes_without_file(
    objects: Mapping[str, bytes], generations: list[Any], assets: list[Any]
) -> list[str]:
    found = []
    for generation in generations:
        files = [asset for asset in assets if asset["generation_id"] == generation["id"]]
        main = [asset for asset in files if asset["role"] == "main"]
        if generation["status"] == "success" and not (main and generation["asset_url"]):
            found.append(f"{generation['id']}: success without a file")
        wanted = main if generation["status"] == "success" else []
        found += [
            f"{asset['path']}: not as recorded" for asset in wanted if _differs(objects, asset)
        ]
    return found


def _differs(objects: Mapping[str, bytes], asset: Any) -> bool:
    content = objects.get(asset["path"])
    if asset["stored_at"] is None or content is None:
        return True
    known = asset["size_bytes"], asset["sha256"]
    return (len(content), hashlib.sha256(content).hexdigest()) != known


def _objects_without_row(objects: Mapping[str, bytes], assets: list[Any]) -> list[str]:
    known = {asset["path"] for asset in assets}
    return [f"{name}: an object without a row" for name in objects if name not in known]


def _created_twice(tasks: dict[str, Any]) -> list[str]:
    """A task's callback URL names the generation that it was made for."""
    made_for = Counter(_generation(task["request"]["callBackUrl"]) for task in tasks.values())
    return [f"{name}: created {count} times" for name, count in made_for.items() if count > 1]


def _generation(callback_url: str) -> str:
    return parse_qs(urlsplit(callback_url).query)["generation"][0]


def _wrong_credits(generations: list[Any], tasks: dict[str, Any]) -> list[str]:
    delivered = [row for row in generations if row["status"] == "success"]
    return [
        f"{row['id']}: {row['credits_consumed']} credits"
        for row in delivered
        if float(row["credits_consumed"]) != tasks[row["task_id"]]["charged"]
    ]


def _delivered_twice(database_url: str) -> list[str]:
    twice = rows(
        database_url,
        "SELECT generation_id, COUNT(*) AS times FROM events"
        " WHERE name = 'generation.delivered' GROUP BY generation_id HAVING COUNT(*) > 1",
    )
    return [f"{row['generation_id']}: delivered {row['times']} times" for row in twice]


def _tasks(ledger: Path) -> dict[str, Any]:
    facts = [json.loads(line) for line in ledger.read_text().splitlines()]
    made = [fact["task"] for fact in facts if fact["fact"] == "created"]
    return {task["id"]: task for task in made}
