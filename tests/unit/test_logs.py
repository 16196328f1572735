"""Log lines: one JSON object each, and nothing in it that was not meant to be."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from core.logs import FIELDS, OURS, JsonFormatter, TextFormatter, set_up_logs

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


@pytest.mark.parametrize("formatter", [JsonFormatter((SECRET,)), TextFormatter((SECRET,))])
def test_a_traceback_holds_no_credential_and_of_addresses_the_host_only(
    formatter: logging.Formatter,
) -> None:
    made = record("failed")
    quoted = f"GET https://kie.test/private/a.png?Signature=sig-1&x=y {SECRET} Bearer bearer-1 gone"
    try:
        raise KeyError(quoted) from ValueError(f"token=token-1 in {quoted}")
    except KeyError:
        made.exc_info = sys.exc_info()
    text = formatter.format(made)
    assert "https://kie.test/…" in text.replace("\\u2026", "…")
    assert ("KeyError" in text, "ValueError" in text, "gone" in text) == (True, True, True)
    hidden = (SECRET, "sig-1", "token-1", "bearer-1", "private")
    assert [each for each in hidden if each in text] == []


@pytest.fixture
def levels() -> Iterator[None]:
    """The levels and handlers of pytest, put back."""
    names = (None, *OURS)
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    logging.getLogger().handlers = []  # `force` would close them
    yield
    logging.getLogger().handlers = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("levels")
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR"])
def test_libraries_say_what_went_wrong_and_no_more(
    capsys: pytest.CaptureFixture[str], level: str
) -> None:
    set_up_logs(level, "json")
    for name in ("httpx", "hpack", "storage3", "core.x"):
        for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            logging.getLogger(name).log(number, "%s %s", name, number)
    printed = [json.loads(text)["message"].split() for text in capsys.readouterr().out.splitlines()]
    least = logging.getLevelNamesMapping()[level]
    of_libraries = {int(number) for name, number in printed if name != "core.x"}
    assert min(of_libraries) == max(logging.WARNING, least)
    assert min(int(number) for name, number in printed if name == "core.x") == least
