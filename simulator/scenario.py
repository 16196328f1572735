"""How a scenario says which faults are on.

A scenario is a JSON object of fault names, and a fault is `true` (always) or an object of

    probability   share of tasks hit, drawn from the seed and the task's number (1.0)
    times         a hit task suffers only this many calls (every call)
    next          instead of both: the next N calls, whoever makes them
    value         how: seconds, bytes, a word; see `VALUES` for those that take one

`false` and `null` switch a fault off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeGuard

from simulator.bodies import ID_PLACES
from simulator.faults import Fault, Faults
from simulator.results import SHAPES

MIB = 1 << 20


class ScenarioError(ValueError):
    """A scenario names an unknown fault or gives one a wrong setting."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a fault's value may be: like the default, or one of the choices.

    A default of None means seconds, where None is for ever.
    """

    default: Any
    choices: tuple[Any, ...] = ()

    def allows(self, value: object) -> bool:
        """Whether a scenario may say this."""
        if self.choices:
            return value in self.choices
        if self.default is None and value is None:
            return True
        if self.default is None or _is_number(self.default):
            return _is_number(value) and value >= 0
        return isinstance(value, type(self.default))


VALUES = {
    "create_delay": Value(100.0),
    "create_refusal": Value(402, (402, 433, 451, 455, 505, 550)),
    "rate_limit": Value("http", ("http", "body")),
    "record_null": Value(None),
    "record_hang": Value(120.0),
    "record_unknown_state": Value("postprocessing"),
    "outcome_fail": Value({"failCode": "501", "failMsg": "Generation Failed"}),
    "outcome_no_files": Value(None),
    "outcome_files": Value(3),
    "outcome_shape": Value("watermark", SHAPES),
    "outcome_seconds": Value(1.0),
    "media_bytes": Value(10 * MIB),
    "callback_parallel": Value(2),
    "callback_late": Value(60.0),
    "callback_old_timestamp": Value(3600.0),
    "callback_id_place": Value("data.task_id", ID_PLACES),
    "callback_huge": Value(4 * MIB),
    "media_missing": Value(None),
    "media_short": Value(1000),
    "media_cut": Value(1000),
    "media_changed": Value(1000),
    "media_content_type": Value("application/octet-stream"),
    "media_slow": Value(10_000),
    "media_redirect": Value("http://10.0.0.1/internal"),
}


def parse(settings: object, base: Faults | None = None) -> Faults:
    """The faults of a scenario, on top of `base`.

    Raises ScenarioError with one line that names what is wrong.
    """
    if not isinstance(settings, dict):
        raise ScenarioError("a scenario is a JSON object of fault names")
    known = {field.name for field in fields(Faults)}
    if unknown := sorted(set(settings) - known):
        raise ScenarioError(f"unknown fault: {', '.join(unknown)}")
    parsed = {name: _fault(name, given) for name, given in settings.items()}
    return replace(base or Faults(), **parsed)


def load(path: Path) -> Faults:
    """The faults of a scenario file. Raises ScenarioError."""
    try:
        return parse(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as exc:
        raise ScenarioError(f"scenario {path}: {exc}") from exc


def _fault(name: str, given: object) -> Fault | None:
    if given is None or given is False:
        return None
    settings = {} if given is True else given
    if not isinstance(settings, dict):
        raise ScenarioError(f"{name} must be true, false or an object")
    if unknown := sorted(set(settings) - {"probability", "times", "next", "value"}):
        raise ScenarioError(f"{name}: unknown setting {', '.join(unknown)}")
    if "next" in settings and {"probability", "times"} & set(settings):
        raise ScenarioError(f"{name}: next stands alone, without probability and times")
    default = {"value": VALUES[name].default} if name in VALUES else {}
    fault = Fault(**default | settings)
    _check(name, fault)
    return fault


def _check(name: str, fault: Fault) -> None:
    if not _is_number(fault.probability) or not 0 <= fault.probability <= 1:
        raise ScenarioError(f"{name}: probability must be between 0 and 1")
    for key, count in (("times", fault.times), ("next", fault.next)):
        if count is not None and (type(count) is not int or count < 0):
            raise ScenarioError(f"{name}: {key} must be a whole number from 0")
    if name not in VALUES and fault.value is not None:
        raise ScenarioError(f"{name} takes no value")
    if name in VALUES and not VALUES[name].allows(fault.value):
        value = VALUES[name]
        words = " or ".join(map(str, value.choices)) or f"of the kind of {value.default}"
        raise ScenarioError(f"{name}: value must be {words}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
