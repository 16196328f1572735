"""A disk that runs full under traffic: what cannot be kept is not taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT


def test_a_full_disk_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    """Where no file system can be mounted, not even in a namespace of our own, this fails."""
    inside = ["unshare", "--map-root-user", "--mount", sys.executable]
    told = subprocess.run(
        [*inside, "-m", "tests.processes.full_disk", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stdout
