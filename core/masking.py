"""Text that may be stored and shown: credentials masked, at any depth of encoding.

KIE repeats our callback URL, with its token, inside `param`: JSON text inside JSON text, where `=`
and `&` may be written `\\u003d`, `%3D` and so on. Where a text is JSON it is decoded, masked and
encoded again; the rest is matched with every letter in any of its spellings. Each character is
looked at a bounded number of times, so hostile text costs no more than its length. JSON text in
more layers than anybody writes is masked whole: encoded again, each layer may double it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

MASK = "***"
PRESENT = "(present)"
NAMES = (
    *("token", "secret", "signature", "sig", "authorization", "password"),
    *("apikey", "api_key", "api-key"),
)
SHOWN_HEADERS = frozenset(
    {"content-length", "content-type", "user-agent", "x-forwarded-for", "x-webhook-timestamp"}
)
CREDENTIAL_HEADERS = frozenset({"authorization", "x-webhook-signature"})
MAX_HEADER_BYTES = 500
MAX_ENCODINGS = 8

_CUT = "…"
_Literals = Callable[[str], str]


def _spelled(character: str) -> str:
    """A pattern of one character: as it is, JSON-escaped or percent-encoded, at any depth."""
    codes = "|".join(sorted({f"{ord(c):02x}" for c in (character.lower(), character.upper())}))
    # The look-behind lets a run of backslashes be tried from its start only.
    return rf"(?:{re.escape(character)}|(?<!\\)\\++u00(?:{codes})|%(?:25)*+(?:{codes}))"


_NAME = "|".join("".join(map(_spelled, name)) for name in NAMES)
_QUOTE = r"\\*+[\"']"
_SCHEME = r"(?:bearer|basic|token)\s++"
_SEPARATOR = rf"(?:{_spelled('=')}|(?:{_QUOTE})?\s*+:\s*+(?:{_QUOTE})?+(?:{_SCHEME})?+)"
_VALUE = (
    r"(?:[^\s\"'<>&#\\%]"
    r"|%(?!(?:25)*+2[236])"  # not an encoded quote, # or &
    r"|\\++(?:/|u(?!00(?:2[0236]|3[ce]))[0-9a-f]{4}))++"
)
_ASSIGNMENT = re.compile(rf"({_NAME})({_SEPARATOR}){_VALUE}", re.IGNORECASE)
_BEARER = re.compile(rf"(bearer(?:\s|%(?:25)*+20)++){_VALUE}", re.IGNORECASE)
_MAY_HOLD = re.compile(r"[=:%\\]|bearer", re.IGNORECASE)
_SENSITIVE_NAME = re.compile(rf"(?:{'|'.join(NAMES)})\Z", re.IGNORECASE)


def mask(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without credentials; text that holds none comes back as it is. Idempotent.

    `secrets` are masked wherever they stand, plainly or percent-encoded.
    """
    return _storable(_mask_text(_storable(text), _literal_masker(tuple(secrets)), MAX_ENCODINGS))


def cap(text: str, limit_bytes: int) -> str:
    """The text in at most `limit_bytes` (3 or more) of UTF-8, ending in … where it was cut."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit_bytes:
        return encoded.decode()
    return encoded[: limit_bytes - len(_CUT.encode())].decode("utf-8", "ignore") + _CUT


def mask_headers(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """The few headers that help a diagnosis; of credentials only that they were there."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    shown = {}
    for name, value in pairs:
        if name.lower() in CREDENTIAL_HEADERS:
            shown[name.lower()] = PRESENT
        elif name.lower() in SHOWN_HEADERS:
            shown[name.lower()] = cap(mask(value), MAX_HEADER_BYTES)
    return shown


@lru_cache(maxsize=8)
def _literal_masker(secrets: tuple[str, ...]) -> _Literals:
    usable = {secret for secret in secrets if secret not in MASK}
    spellings = usable | {quote(_storable(secret), safe="") for secret in usable}
    if not spellings:
        return lambda text: text
    longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return lambda text: pattern.sub(MASK, text)


def _mask_text(text: str, literals: _Literals, encodings: int) -> str:
    if not encodings:
        return MASK
    masked = _mask_json(text, literals, encodings)
    if masked is not None:
        return masked
    loose = _mask_loose(text, literals)
    if loose == text:
        return text
    # What was masked may be all that kept it from parsing.
    as_json = _mask_json(loose, literals, encodings)
    return loose if as_json is None else as_json


def _mask_loose(text: str, literals: _Literals) -> str:
    if _MAY_HOLD.search(text) is None:  # most texts: spares the costly patterns
        return literals(text)
    return _BEARER.sub(rf"\1{MASK}", _ASSIGNMENT.sub(rf"\1\2{MASK}", literals(text)))


def _mask_json(text: str, literals: _Literals, encodings: int) -> str | None:
    """The text masked as JSON; None where it is not JSON to be trusted with a re-encoding."""
    if not text.lstrip().startswith(("{", "[", '"')):
        return None
    try:
        value = json.loads(text, object_pairs_hook=_object)
        masked = _mask_value(value, literals, encodings)
        return text if masked == value else json.dumps(masked, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a repeated name would hide its first value")
    return found


def _mask_value(value: object, literals: _Literals, encodings: int) -> object:
    if isinstance(value, str):
        return _mask_text(value, literals, encodings - 1)
    if isinstance(value, list):
        return [_mask_value(item, literals, encodings) for item in value]
    if isinstance(value, dict):
        return {
            _mask_loose(name, literals): _mask_field(name, item, literals, encodings)
            for name, item in value.items()
        }
    written = json.dumps(value)
    return value if literals(written) == written else MASK


def _mask_field(name: str, value: object, literals: _Literals, encodings: int) -> object:
    hidden = value is not None and _SENSITIVE_NAME.search(name)
    return MASK if hidden else _mask_value(value, literals, encodings)


def _storable(text: str) -> str:
    """Without lone surrogates and NUL, which no database takes."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
