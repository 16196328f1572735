"""JSON that no sane program writes, as bytes: what stands at a door is not chosen by us."""

from __future__ import annotations

import json

from hypothesis import strategies as st

URL = "https://tempfile.aiquickdraw.com/x/a.png"
NAMES = (
    *("data", "taskId", "task_id", "state", "status", "code", "msg", "callbackType"),
    *("resultJson", "resultUrls", "resultUrl", "resultObject", "resultWaterMarkUrls", "url"),
    *("firstFrameUrl", "param", "input", "callBackUrl", "failCode", "failMsg", "progress"),
    *("creditsConsumed", "completeTime", "createTime", "model", "outputs", "info"),
)
WORDS = (
    *("success", "fail", "task-1", "0.5", "50%", "1769670760000", "2026-01-01T00:00:00+25:00"),
    *("1e999", "-1", "²", "\ud800", "\x00", "\ufeff{}", "[", '"', "null", "9" * 5000),
    *(URL, "http://[::1", "https://a.example:99999/", "//a.example/", "javascript:alert(1)"),
    *("file:///etc/passwd", "data:text/html,x", "HTTPS://A.EXAMPLE/", " https://a.example/ "),
    *("https://a.example\\@b.example/", "https://\u2100.example/", "https:///a", "ftp://a/b"),
    *(f"{URL}?generation=x&generation=y", "https://a.example/MDE5MC1hYg" + "A" * 38),
)

texts = st.sampled_from(WORDS) | st.text()
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
numbers = st.sampled_from((b"NaN", b"-Infinity", b"1e400", b"9" * 5000, b"-0", b"1" + b"0" * 310))


def _written(value: object) -> str:
    return json.dumps(value)


values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=6)
        | inner.map(_written)  # JSON text inside JSON
    ),
    max_leaves=25,
)


def _nested(opening: bytes, depth: int, closing: bytes) -> bytes:
    return opening * depth + b"1" + closing * depth


deep = st.builds(
    _nested,
    st.sampled_from((b"[", b'{"data":', b'[{"url":', b'"[')),
    st.sampled_from((1, 8, 9, 100, 990, 5_000, 50_000)),
    st.sampled_from((b"]", b"}", b"}]", b"")),
)


def _repeated(pairs: list[tuple[str, bytes]]) -> bytes:
    """An object as it may be written and no dictionary can be: with a name twice."""
    return (
        b"{" + b",".join(json.dumps(name).encode() + b":" + value for name, value in pairs) + b"}"
    )


plain = values.map(_written).map(str.encode)
repeated = st.lists(st.tuples(st.sampled_from(NAMES), plain | numbers), max_size=6).map(_repeated)


def _damaged(body: bytes, at: int, junk: bytes, encoding: str) -> bytes:
    at %= len(body) + 1
    text = (body[:at] + junk + body[at + len(junk) :]).decode("utf-8", "replace")
    return text.encode(encoding, "replace")


damaged = st.builds(
    _damaged,
    plain,
    st.integers(0, 10_000),
    st.binary(max_size=4),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1")),
)
bodies = st.binary() | plain | deep | repeated | damaged


def of_size(opening: bytes, unit: bytes, closing: bytes, size: int) -> bytes:
    """`unit` again and again, up to about so many bytes."""
    return opening + unit * ((size - len(opening) - len(closing)) // len(unit)) + closing


#: Shapes that make a careless reader slow: opening, what is repeated, closing.
TIRING = {
    "brackets": (b"", b"[", b""),
    "objects": (b"", b'{"data":', b""),
    "spaces": (b" ", b" ", b"x"),
    "digits": (b"[", b"9", b"]"),
    "short numbers": (b"[", b"1,", b"1]"),
    "backslashes": (b'{"data":{"taskId":"a","resultJson":"', b"\\\\", b'"}}'),
    "quotes": (b'{"data":{"taskId":"a","resultJson":"', b'\\"', b'"}}'),
    "open brackets in text": (b'{"data":{"taskId":"a","resultJson":"', b"[", b'"}}'),
    "lists in text": (b'{"data":{"taskId":"a","resultJson":["', b'[1,","', b'"]}}'),
    "one long text": (b'{"data":{"taskId":"', b"a", b'"}}'),
    "one URL": (b'{"data":{"taskId":"a","resultJson":["https://a.example/', b"a", b'"]}}'),
    "many URLs": (b'{"data":{"taskId":"a","resultJson":[', b'"https://a.example/1",', b"1]}}"),
    "many names": (b'{"data":{"taskId":"a",', b'"resultUrls":[],', b'"state":1}}'),
    "token=": (b'{"data":{"taskId":"a","param":"', b"token=", b'"}}'),
    "surrogates": (b'{"data":{"taskId":"a","failMsg":"', b"\\ud800", b'"}}'),
    "NUL": (b'{"data":{"taskId":"a","failMsg":"', b"\\u0000", b'"}}'),
    "byte order marks": (b"", b"\xef\xbb\xbf", b"{}"),
    "not UTF-8": (b"", b"\xff", b""),
}
