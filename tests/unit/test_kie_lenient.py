from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.kie import lenient

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
# A busy machine is no failure.
RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
NOON = datetime(2026, 4, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value, found",
    [
        (1776686400000, NOON),
        (1776686400, NOON),
        ("1776686400000", NOON),
        ("2026-04-20 12:00:00", NOON),
        ("2026-04-20T12:00:00.000Z", NOON),
        ("2026-04-20T14:00:00+02:00", NOON),
        (None, None),
        ("", None),
        (0, None),
        (-1, None),
        (True, None),
        (10**30, None),
        ("1e999", None),
        ("nan", None),
        ("yesterday", None),
        ("9999-12-31T23:59:59-12:00", None),
        ([], None),
    ],
)
def test_a_time_is_read_in_every_form_and_nonsense_is_absent(
    value: object, found: datetime | None
) -> None:
    assert lenient.moment(value) == found


@pytest.mark.parametrize(
    "value, found",
    [
        (4, Decimal(4)),
        (1.23, Decimal("1.23")),
        ("0.5", Decimal("0.5")),
        (0, Decimal(0)),
        (-1, None),
        (True, None),
        (None, None),
        ("", None),
        ("NaN", None),
        ("Infinity", None),
        (10**40, None),
        ("999999999999.9999999", None),
        ("999999999999.9", Decimal("999999999999.9")),
        ("1E-900000", None),
        ({}, None),
    ],
)
def test_credits_are_exact_decimals(value: object, found: Decimal | None) -> None:
    assert lenient.credits(value) == found


@pytest.mark.parametrize(
    "value, found",
    [
        (42, 42),
        ("42", 42),
        ("0.42", 42),
        ("1.00", 100),
        (0.5, 50),
        ("37%", 37),
        (1, 1),
        (250, 100),
        (-3, 0),
        (True, None),
        ("soon", None),
        ("nan", None),
        (None, None),
    ],
)
def test_progress_is_a_percentage(value: object, found: int | None) -> None:
    assert lenient.percent(value) == found


@pytest.mark.parametrize(
    "value, found",
    [
        ("501", "501"),
        (501, "501"),
        (" GENERATION_FAILED ", "GENERATION_FAILED"),
        (None, None),
        ("", None),
        ("  ", None),
        (False, "false"),
        ({"a": "ж"}, '{"a": "ж"}'),
        ("a\x00b\ud800", "ab?"),
    ],
)
def test_any_value_becomes_text_that_a_database_takes(value: object, found: str | None) -> None:
    assert lenient.text(value) == found


@pytest.mark.parametrize(
    "value",
    [
        "https://tempfile.aiquickdraw.com/x/a.png",
        "http://127.0.0.1:9000/a",
        "https://new-host.example/path with space/%D0%B6?sig=1&b=2",
        "https://musicfile.kie.ai/MDEyMw",
    ],
)
def test_a_url_is_kept_as_it_was_written(value: str) -> None:
    assert lenient.url(f" {value}\n") == value


@pytest.mark.parametrize(
    "value",
    [
        *("", "a.png", "ftp://host/a", "data:image/png;base64,AAAA", "javascript:alert(1)"),
        *(
            "https://",
            "https://[",
            "https://host:99999/a",
            "https://host/a\x00b",
            "https://h/\ud800",
        ),
        *("https://host/" + "a" * 9000, None, 7, []),
    ],
)
def test_what_is_no_http_url_is_absent(value: object) -> None:
    assert lenient.url(value) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html>", b"[" * 100_000, b"1" * 5_000, b"\xff\xfe\x00", b"{} {}"],
)
def test_a_body_that_is_no_json_is_one_kind_of_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        lenient.parse(body)


@pytest.mark.parametrize(
    "body, value",
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": None, "b": None, "c": None}),
        (b'{"a": "\xff"}', {"a": "�"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_small_sins_against_json_are_forgiven(body: bytes, value: object) -> None:
    assert lenient.parse(body) == value


@RELAXED
@given(JSON)
def test_no_reader_raises_whatever_the_value(value: object) -> None:
    parsed = lenient.parse(json.dumps(value).encode())
    for read in (lenient.text, lenient.url, lenient.credits, lenient.percent, lenient.moment):
        read(parsed)
    assert isinstance(lenient.fields(parsed), dict)


@RELAXED
@given(st.text())
def test_no_reader_raises_whatever_the_text(value: str) -> None:
    for read in (lenient.text, lenient.url, lenient.credits, lenient.percent, lenient.moment):
        read(value)
    assert lenient.task_id(value) in (None, value)
