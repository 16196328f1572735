"""What deploy.sh asks Python about a release."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from core.errors import ConfigError
from core.settings import Settings
from deploy.settings import require_lasting
from deploy.trial import is_ready

READY = {"database": "ok", "poller": "ok", "storage": "ok"}


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release as deploy.sh makes it, entered: its `data` is kept elsewhere."""
    folder = tmp_path / "releases/1"
    folder.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (folder / "data").symlink_to("../../data")
    monkeypatch.chdir(folder)
    return folder


def test_what_is_kept_beside_the_releases_lasts(release: Path, tmp_path: Path) -> None:
    require_lasting(Settings.load(), release=release)
    require_lasting(Settings.load(data_dir=tmp_path / "elsewhere"), release=release)


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ({"data_dir": "kept"}, "DATA_DIR, STORAGE_DIR, DATABASE_URL"),
        ({"storage_dir": "files"}, "STORAGE_DIR"),
        ({"database_url": "sqlite:///kie.db"}, "DATABASE_URL"),
        ({"data_dir": "kept", "database_url": "postgresql://host/name"}, "DATA_DIR, STORAGE_DIR"),
    ],
)
def test_what_would_be_kept_inside_a_release_is_refused(
    release: Path, setting: dict[str, str], names: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{names}: is inside a release"):
        require_lasting(Settings.load(**setting), release=release)


@pytest.mark.parametrize(
    ("status", "checks", "ready"),
    [
        (200, READY, True),
        (503, READY | {"poller": "never started"}, True),
        (503, READY | {"storage": "cannot be written"}, False),
        (503, READY | {"database": "cannot be written", "poller": "unknown"}, False),
        (500, READY, False),
    ],
)
def test_a_release_is_ready_when_all_but_the_poller_is_well(
    status: int, checks: dict[str, str], ready: bool
) -> None:
    assert is_ready(httpx.Response(status, json={"checks": checks})) is ready


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"checks": null}', '{"checks": []}'])
def test_an_answer_of_somebody_else_is_not_ready(body: str) -> None:
    assert not is_ready(httpx.Response(200, text=body))
