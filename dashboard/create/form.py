"""From what somebody typed to what can be ordered, or to what is wrong with it. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic import ValidationError

from core.creating import CreateBody
from dashboard.words import create as words

MAX_INPUT_BYTES = 1 << 20  # as of the API
SHOWN_AROUND = 40  # characters beside the place of an error


class FormError(Exception):
    """What was typed cannot be ordered."""

    def __init__(self, problems: list[str], excerpt: str | None = None) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.excerpt = excerpt  # the line of an error, and a pointer to its place below


def read_form(model: str, user: str, kind: str, input: str) -> CreateBody:
    """What is ordered; an empty user or kind is none. Raises FormError."""
    fields = {
        "model": model.strip(),
        "userId": user.strip() or None,
        "kind": kind or None,
        "input": read_input(input),
    }
    try:
        return CreateBody.model_validate(fields)
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False)
        raise FormError([words.problem(str(item["loc"][0]), item) for item in items]) from None


def read_input(text: str) -> dict[str, Any]:
    """The JSON object that a text is. Raises FormError."""
    if len(text.encode("utf-8", "replace")) > MAX_INPUT_BYTES:
        raise FormError([words.INPUT_TOO_LARGE])
    if not text.strip():
        raise FormError([words.INPUT_EMPTY])
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        problem = words.not_json(error.lineno, error.colno, error.msg)
        raise FormError([problem], _excerpt(error)) from None
    except RecursionError:
        raise FormError([words.INPUT_TOO_DEEP]) from None
    except ValueError:  # what else Python does not read
        raise FormError([words.INPUT_TOO_MANY_DIGITS]) from None
    if not isinstance(value, dict):
        raise FormError([words.INPUT_NO_OBJECT])
    return value


def _excerpt(error: json.JSONDecodeError) -> str:
    lines = error.doc.split("\n")
    line, place = lines[error.lineno - 1], error.colno - 1
    start = max(0, place - SHOWN_AROUND)
    shown = line[start : place + SHOWN_AROUND].replace("\t", " ")
    return f"{shown}\n{' ' * (place - start)}^"


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FormError([words.stands_twice(twice)])
    return found


def _refuse(constant: str) -> None:
    raise FormError([words.not_usable(constant)])


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise FormError([words.not_usable(literal)])
    return number
