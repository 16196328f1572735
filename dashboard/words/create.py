"""Words of the page Create."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard import formats
from dashboard.markdown import plain

VIEWERS = "Creating costs credits, so it is for operators. You may look at everything else."

POLLER_AWAY = (
    "The poller is not running, so nothing is sent to KIE now. What you create is recorded and "
    "waits for it: `python -m poller`."
)
NO_KEY = "There is no `KIE_API_KEY`: KIE will refuse what you create."

TESTS = "Test that everything works"
TESTS_HELP = "Creates one small result and shows its way to permanent storage."
FORM = "Create with any model"

MODEL = "Model"
MODEL_PLACEHOLDER = "KIE's name of it, for example flux-2/pro-text-to-image"
MODEL_HELP = "As it stands on KIE's page of the model. Known ones are suggested; type any other."
KIND = "What it makes"
KIND_TOLD = "Told by the model's name"
KIND_HELP = "Decides when we first look and which folder the file goes into."
USER = "User id"
USER_HELP = "Whose it is; names the storage folder. May be left empty."
INPUT = "Input (JSON)"
INPUT_HELP = "The model's own input, passed on as it is: see KIE's page of the model."
INPUT_START = '{\n  "prompt": ""\n}'
CREATE = "Create"

FREE = "Free of charge: the simulator makes it."
COST_UNKNOWN = "Costs credits; how many is not known yet."

INPUT_EMPTY = "The input is empty."
INPUT_NO_OBJECT = "The input has to be an object, from { to }."
INPUT_TOO_LARGE = "The input is larger than 1 MiB."
INPUT_TOO_MANY_DIGITS = "The input holds a number of too many digits."
INPUT_TOO_DEEP = "The input is nested too deeply."
ORDERED_BEFORE = (
    "From this form something else was created a moment ago, which its page did not show: see "
    "Results. Press the button again to create this as well."
)

_FIELDS = {"model": MODEL, "userId": USER, "kind": KIND, "input": "Input"}
_PROBLEMS = {
    "string_too_short": "is missing",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "needs text in one line, without control characters",
}


def test(name: str) -> str:
    """The button that creates an example."""
    return f"Test {name}"


def cost(credits: float | None) -> str:
    """What one will cost, by what others did."""
    if credits is None:
        return COST_UNKNOWN
    return f"About {formats.credits(credits)} credits, the average of the last 7 days."


def not_json(line: int, column: int, why: str) -> str:
    """Where JSON ends to be JSON."""
    return f"The input is not JSON at line {line}, column {column}: {why[:1].lower()}{why[1:]}."


def not_usable(value: str) -> str:
    """Something that Python reads and JSON does not have."""
    return f"The input holds a number that JSON cannot hold: {plain(value[:80])}"


def stands_twice(name: str) -> str:
    """One of two values would be lost."""
    return f"The input names the same thing twice: {plain(name[:80])}"


def problem(field: str, item: Mapping[str, Any]) -> str:
    """What is wrong with a field."""
    what = _PROBLEMS.get(item["type"], item["msg"])
    return f"{_FIELDS.get(field, field)} {what.format_map(item.get('ctx') or {})}."
