"""Sends callbacks from a process of its own: wrk where it is installed, else bench.client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import percentile
from bench.processes import PATH, ROOT, output_of, python
from bench.product import callback_path
from core.generation.model import Generation

SCRIPT = ROOT / "bench" / "callbacks.lua"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of sending."""

    accepted: int
    failed: int
    per_second: float
    p99_ms: float


def tool() -> str:
    """What saturates the webhook on this machine."""
    return "wrk" if _wrk() else "bench.client, as wrk is not installed (Debian: wrk)"


def at_rate(port: int, callbacks: Path, rate: int, seconds: float) -> Answered:
    """So many callbacks a second, however slow the answers are."""
    return _client(port, callbacks, seconds, "--rate", str(rate))


def saturate(port: int, callbacks: Path, connections: int, seconds: float) -> Answered:
    """As many callbacks as so many connections get answered."""
    if not _wrk():
        return _client(port, callbacks, seconds, "--connections", str(connections))
    load = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    url = f"http://127.0.0.1:{port}"
    printed = output_of(["wrk", *load, "-s", str(SCRIPT), url, "--", str(callbacks)])
    summary = json.loads(printed.splitlines()[-1])
    accepted = summary["requests"] - summary["failed"]
    return Answered(
        accepted=accepted,
        failed=summary["failed"],
        per_second=accepted / summary["seconds"],
        p99_ms=summary["p99"] * 1000,
    )


def write_callbacks(file: Path, generations: Sequence[Generation]) -> Path:
    """A callback for each generation, a line each: path, tab, body."""
    lines = [f"{callback_path(each)}\t{json.dumps(_body(each))}\n" for each in generations]
    file.write_text("".join(lines))
    return file


def _wrk() -> str | None:
    return shutil.which("wrk", path=PATH)


def _client(port: int, callbacks: Path, seconds: float, *load: str) -> Answered:
    arguments = [str(port), str(callbacks), *load, "--seconds", str(seconds)]
    told = json.loads(output_of(python("bench.client", *arguments)))
    accepted = told["statuses"].get("200", 0)
    return Answered(
        accepted=accepted,
        failed=len(told["seconds"]) - accepted,
        per_second=accepted / seconds,
        p99_ms=percentile(told["seconds"], 99) * 1000,
    )


def _body(generation: Generation) -> dict[str, Any]:
    """A market callback (docs.kie.ai/market/common/get-task-detail: recordInfo's data)."""
    result = {"resultUrls": [f"https://files.example.com/results/{generation.task_id}.mp4"]}
    return {
        "code": 200,
        "msg": "Playground task completed successfully.",
        "data": {
            "taskId": generation.task_id,
            "model": generation.model,
            "state": "success",
            "param": json.dumps({"model": generation.model, "input": dict(generation.input)}),
            "resultJson": json.dumps(result),
            "failCode": None,
            "failMsg": None,
            "costTime": 61,
            "completeTime": 1790000061000,
            "createTime": 1790000000000,
            "creditsConsumed": 125,
        },
    }
