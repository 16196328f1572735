"""Every failure leaves in one shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api, code_of, open_api


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


def test_a_wrong_method_is_405_and_names_the_right_ones(api: Api) -> None:
    response = api.client.put("/api/health")
    assert code_of(response) == (405, "request.method_not_allowed")
    assert "GET" in response.headers["Allow"]


def test_a_bug_is_500_without_its_words(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    @api.client.application.get("/api/bug")
    def bug() -> str:
        raise RuntimeError("the inner words")

    response = api.client.get("/api/bug")
    assert code_of(response) == (500, "internal.error")
    assert "inner" not in response.text
    assert [record.event for record in caplog.records] == ["request.bug"]


def test_answers_of_the_api_are_neither_sniffed_nor_kept(api: Api) -> None:
    for path in ("/api/generations", "/api/nothing", "/api/health"):
        headers = api.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_a_database_that_is_away_is_503_and_says_when_to_come_back(api: Api) -> None:
    api.lose_database()
    response = api.client.get("/api/generations")
    assert code_of(response) == (503, "store.unavailable")
    assert response.headers["Retry-After"] == "5"
