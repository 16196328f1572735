"""Task ids in any text: KIE's log page, a CSV, a JSON export, a list. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ID = r"[A-Za-z0-9._:-]"
#: Up to what may stand behind it in a table or a link; what is left of it is no id.
_URL = re.compile(r"https?://[^\s\"'<>\\,;|()]+", re.IGNORECASE)
#: No id, though it may stand alone.
_WHEN = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{1,2}:\d\d(:\d\d(\.\d+)?)?")
#: After a name that says so, any id is one.
_NAMED = re.compile(
    rf"(?:task|record)[ _-]?id\\{{0,8}}[\"']?\s{{0,8}}[:=]\s{{0,8}}\\{{0,8}}[\"']?({_ID}{{1,128}}+)"
    rf"(?!{_ID})",
    re.IGNORECASE,
)
#: The forms that KIE's own ids have had: 32 hex digits, `task_12345678`, `task_kling-2.6_17651824`.
_KNOWN = re.compile(rf"(?<![A-Za-z0-9])([0-9a-f]{{32}}|task_{_ID}{{1,123}})(?![A-Za-z0-9])")
#: Whatever stands alone on its line, with a digit in it.
_ALONE = re.compile(rf"{_ID}{{8,128}}")
_AROUND = " \t\r\n\"',;[]"
_HAS_DIGIT = re.compile(r"\d")
_NO_IDS = frozenset({"null", "none", "undefined", "true", "false", "string"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The task ids of a text, each once, in their order."""

    task_ids: tuple[str, ...]
    repeated: int  # times that an id came again
    without: int  # lines that say something, and name no task


def read_task_ids(lines: Iterable[str]) -> Reading:
    """What may be task ids in some lines; what stands inside URLs is none."""
    seen: dict[str, None] = {}
    named = without = 0
    for line in lines:
        found = _in_line(line)
        named += len(found)
        without += bool(not found and line.strip())
        seen.update(dict.fromkeys(found))
    return Reading(tuple(seen), named - len(seen), without)


def _in_line(line: str) -> list[str]:
    alone = line.strip(_AROUND)
    if _ALONE.fullmatch(alone) and _HAS_DIGIT.search(alone) and not _NAMED.search(alone):
        return [] if _WHEN.fullmatch(alone) else [alone]
    text = _URL.sub(" ", line)
    found = [one for one in _NAMED.findall(text) if one.lower() not in _NO_IDS]
    named = set(found)
    known = (one.rstrip(".:-") for one in _KNOWN.findall(text))
    return found + [one for one in known if one not in named and _HAS_DIGIT.search(one)]
