"""The same plan is the same run: whatever a seed has found can be looked at again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.plan import plan_of
from tests.simulation.run import happened

ROOT = Path(__file__).parents[2]
#: With crashes, pauses, hangs and forgers between them.
SEEDS = (5, 8, 13)
BUSY = (
    *("crash", "pause", "stop", "kie_hang", "kie_lost", "kie_cut", "database_busy", "forged"),
    *("storage_answer_lost", "callback_parallel", "media_slow", "media_cut", "record_hang"),
)
PRINT = "import sys; from tests.simulation.test_determinism import digest; print(digest({seed}))"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_happens_again(seed: int) -> None:
    first = digest(seed)
    assert digest(seed) == first
    assert _digest_elsewhere(seed) == first


def test_another_seed_is_another_run() -> None:
    assert len(set(map(digest, SEEDS))) == len(SEEDS)


def digest(seed: int) -> str:
    """Of all that the checker is shown."""
    with happened(plan_of(seed, 8, BUSY)) as (world, evidence):
        shown = (
            evidence.generations,
            evidence.assets,
            evidence.callbacks,
            evidence.events,
            evidence.facts,
            evidence.objects,
            evidence.status_changes,
            evidence.grants,
            evidence.connected,
            world.struck,
        )
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def _digest_elsewhere(seed: int) -> str:
    told = subprocess.run(
        [sys.executable, "-c", PRINT.format(seed=seed)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()
