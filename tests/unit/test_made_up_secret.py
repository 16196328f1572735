"""Made-up secrets: one for all processes, readable by its owner only."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.made_up_secret import ASSET_URL, CALLBACK, made_up_secret


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    data = tmp_path / "not yet" / "data"
    first = made_up_secret(data, CALLBACK)
    assert len(first) >= 32
    assert made_up_secret(data, CALLBACK) == first


def test_only_its_owner_may_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    made_up_secret(tmp_path, CALLBACK)
    assert [file.name for file in tmp_path.iterdir()] == [CALLBACK]
    assert stat.S_IMODE((tmp_path / CALLBACK).stat().st_mode) == 0o600


def test_all_who_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(made_up_secret, [tmp_path] * 8, [CALLBACK] * 8))
    assert len(secrets) == 1
    assert [file.name for file in tmp_path.iterdir()] == [CALLBACK]


def test_two_machines_do_not_share_one(tmp_path: Path) -> None:
    assert made_up_secret(tmp_path / "a", CALLBACK) != made_up_secret(tmp_path / "b", CALLBACK)


def test_each_purpose_has_its_own(tmp_path: Path) -> None:
    assert made_up_secret(tmp_path, CALLBACK) != made_up_secret(tmp_path, ASSET_URL)
