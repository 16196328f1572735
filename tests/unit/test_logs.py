"""Log lines: one JSON object each, and nothing in it that was not meant to be."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from core.logs import FIELDS, JsonFormatter, TextFormatter

SECRET = "sk-do-not-print"


def record(message: str = "stored %s", *args: object, **extra: object) -> logging.LogRecord:
    logger = logging.getLogger("test")
    return logger.makeRecord("test", logging.INFO, __file__, 1, message, args, None, extra=extra)


def line(made: logging.LogRecord) -> dict[str, object]:
    text = JsonFormatter().format(made)
    assert "\n" not in text
    loaded = json.loads(text)
    assert isinstance(loaded, dict)
    return loaded


def test_a_line_says_when_how_grave_what_and_about_which() -> None:
    made = record("stored %s", "a.png", event="asset.stored", generation="g", bytes=7)
    made.created = 1.5
    assert line(made) == {
        "at": "1970-01-01T00:00:01.500+00:00",
        "level": "info",
        "message": "stored a.png",
        "event": "asset.stored",
        "generation": "g",
        "bytes": 7,
    }


@pytest.mark.parametrize(
    "name", ["token", "secret", "authorization", "signature", "prompt", "body", "input", "headers"]
)
@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_what_is_not_on_the_list_is_not_printed(name: str, formatter: logging.Formatter) -> None:
    assert name not in FIELDS
    assert SECRET not in formatter.format(record("hello", **{name: SECRET}))


def test_a_line_stays_one_line_whatever_it_holds() -> None:
    made = record("%s", "two\nlines", generation='"quoted"\n', code="\u2028é\ud800")
    assert line(made)["generation"] == '"quoted"\n'


def test_a_value_that_is_not_json_is_printed_as_text() -> None:
    assert line(record("x", path={1}))["path"] == "{1}"


def test_an_exception_comes_with_its_traceback() -> None:
    made = record("failed")
    try:
        raise KeyError("which")
    except KeyError:
        made.exc_info = sys.exc_info()
    assert "KeyError: 'which'" in str(line(made)["traceback"])


def test_the_text_for_people_names_the_fields_and_not_the_event() -> None:
    text = TextFormatter().format(record("stored", event="asset.stored", generation="g"))
    assert text.endswith("INFO    stored  generation=g")
