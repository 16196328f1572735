"""What of the settings is risky."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.checks.settings import risks_of
from tests.support.checks import PUBLIC, SECRETS
from tests.support.world import settings

SAFE = {"public_base_url": PUBLIC, **SECRETS, "api_token": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}
LOOPBACK = {"public_base_url": "http://127.0.0.1:8000", "kie_base_url": "http://127.0.0.1:9000"}


def found(tmp_path: Path, **chosen: Any) -> str:
    return risks_of(settings(tmp_path, **{**SAFE, **chosen})).found


def test_safe_settings_are_well(tmp_path: Path) -> None:
    outcome = risks_of(settings(tmp_path, **SAFE))
    assert outcome == ("ok", "complete, and none is risky", None)


@pytest.mark.parametrize(
    ("chosen", "risk"),
    [
        ({"public_base_url": "http://kie.example.org"}, "PUBLIC_BASE_URL is http"),
        ({"kie_base_url": "HTTP://api.kie.ai"}, "KIE_BASE_URL is http"),
        ({"supabase_url": "http://project.supabase.co"}, "SUPABASE_URL is http"),
        ({"media_allow_private": True}, "MEDIA_ALLOW_PRIVATE lets"),
        ({"kie_webhook_hmac_key": None}, "KIE_WEBHOOK_HMAC_KEY is not set"),
        ({"api_token": "0f1e2d3c4b5"}, "API_TOKEN is short"),
        ({"api_token": "0101010101010101"}, "API_TOKEN is short or easily guessed"),
        ({"kie_callback_secret": f"{SECRETS['kie_callback_secret']}, old"}, "KIE_CALLBACK_SECRET"),
        ({"asset_url_secret": "change-me-before-production"}, "ASSET_URL_SECRET"),
        ({"dashboard_password": "Password2026!"}, "DASHBOARD_PASSWORD"),
        ({"max_asset_bytes": 1}, "MAX_ASSET_BYTES refuses"),
        ({"give_up_after_hours": 0.5}, "GIVE_UP_AFTER_HOURS gives up"),
        ({"api_token": SECRETS["kie_callback_secret"]}, "KIE_CALLBACK_SECRET and API_TOKEN hold"),
    ],
)
def test_each_risk_is_told_with_what_to_do(
    tmp_path: Path, chosen: dict[str, Any], risk: str
) -> None:
    outcome = risks_of(settings(tmp_path, **{**SAFE, **chosen}))
    assert (outcome.state, risk in outcome.found) == ("warning", True)
    assert outcome.remedy and "; " not in outcome.found
    values = [value for value in chosen.values() if isinstance(value, str) and "://" not in value]
    assert not [value for value in values if value in f"{outcome.found}{outcome.remedy}"]


def test_a_spool_that_takes_no_large_file_is_no_mere_risk(tmp_path: Path) -> None:
    outcome = risks_of(settings(tmp_path, **SAFE, spool_max_bytes=1))
    assert (outcome.state, "SPOOL_MAX_BYTES" in outcome.found) == ("failed", True)


def test_several_risks_are_told_together(tmp_path: Path) -> None:
    several = found(tmp_path, media_allow_private=True, api_token="short", dashboard_password="x")
    assert several.count("; ") == 2


@pytest.mark.parametrize(
    "chosen",
    [
        {"media_allow_private": True},
        {"kie_webhook_hmac_key": None},
        {"api_token": "short"},
        {"supabase_url": "http://localhost:54321"},
    ],
)
def test_what_stays_on_this_machine_is_no_risk(tmp_path: Path, chosen: dict[str, Any]) -> None:
    assert found(tmp_path, **LOOPBACK, **chosen) == "complete, and none is risky"


def test_an_open_port_is_off_this_machine(tmp_path: Path) -> None:
    assert "API_TOKEN" in found(tmp_path, **LOOPBACK, bind="0.0.0.0", api_token="short")
