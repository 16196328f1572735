from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masking import cap, mask, mask_headers
from tests.unit.test_kie_lenient import JSON, RELAXED

TOKEN = "Zm9vYmFy-_0123456789"
URL = f"https://app.example/api/kie/callback?generation=0190-ab&token={TOKEN}"
PARAM = {"callBackUrl": URL, "input": json.dumps({"prompt": "a kite"}), "model": "m"}


def escaped(text: str) -> str:
    """The text with every character as a JSON escape."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


def nested(value: object, depth: int) -> str:
    text = json.dumps(value)
    for _ in range(depth):
        text = json.dumps({"param": text})
    return text


@pytest.mark.parametrize("depth", range(6))
def test_a_token_is_masked_at_any_depth_of_json(depth: int) -> None:
    masked = mask(nested(PARAM, depth))
    assert TOKEN not in masked
    assert "0190-ab" in masked
    for _ in range(depth):
        masked = json.loads(masked)["param"]
    assert json.loads(masked) == {**PARAM, "callBackUrl": URL.replace(TOKEN, "***")}


@pytest.mark.parametrize("depth", range(6))
def test_a_token_is_masked_at_any_depth_of_json_that_was_cut_off(depth: int) -> None:
    masked = mask(nested(PARAM, depth)[:-1])
    assert TOKEN not in masked
    assert "a kite" in masked


@pytest.mark.parametrize(
    "text",
    [
        f"?token={TOKEN}",
        f"?secret={TOKEN}&generation=1",
        f"https://ours.test/assets/a.png?sig={TOKEN}",
        f"a.png%3Fsig%3D{TOKEN}",
        f"?TOKEN={TOKEN}#x",
        f"cb%3Fgeneration%3D1%26token%3D{TOKEN}%26x",
        f"cb%253Ftoken%253D{TOKEN}%2526x",
        f"%74oken={TOKEN}",
        rf'{{"u":"https:\/\/h\/?a=1\u0026token\u003d{TOKEN}"}}',
        rf'{{"u":"https:\/\/h\/?a=1\u0026token\u003d{TOKEN}',
        rf"{{\"u\":\"https:\\/\\/h\\/?a=1\\u0026token\\u003d{TOKEN}\"",
        f'{{"u":"?{escaped("token=" + TOKEN)}"}}',
        f'{{"{escaped("token")}":"{escaped(TOKEN)}"}}',
        f'{{"{escaped("token")}":"{TOKEN}"',
        f'{{"token":"{TOKEN}","token":null}}',
        f'{{"Signature":"{TOKEN}","a":1',
        f'{{\\"X-Webhook-Signature\\":\\"{TOKEN}\\"',
        f'{{"accessToken":{{"value":["{TOKEN}"]}}}}',
        f"X-Webhook-Signature: {TOKEN}",
        f"Authorization: Bearer {TOKEN}",
        f"authorization=Bearer%20{TOKEN}",
        f"api_key={TOKEN}",
        f"Invalid key: Bearer {TOKEN}",
        f"sent Bearer%20{TOKEN}.",
        f'{{"why": "bearer {TOKEN} is unknown"}}',
        f"[{json.dumps(json.dumps(json.dumps(URL)))}]",
    ],
)
def test_a_credential_is_masked_however_it_is_written(text: str) -> None:
    masked = mask(text)
    assert TOKEN not in masked
    assert TOKEN not in json.dumps(masked).encode().decode("unicode_escape")
    assert "***" in masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no credentials here",
        '{"usage": {"max_tokens": 5, "total_tokens": 7},  "n": 1.0}',
        '["a", {"b": null}, "[1,  2]", "{broken"]',
        '{"token": null}',
        '{"text": "the secret garden: a token of love"}'.replace(": a token of", " as a token of"),
        "?token=&generation=1",
        "привет 🪁",
        "https://ours.test/assets/design=blue.png?download=1",
        "50% of 100%",
        "\\\\\\",
    ],
)
def test_text_without_credentials_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "the s3cret/+é here",
        '{"a": "s3cret/+\\u00e9"}',
        '{"s3cret/+é": 1}',
        '{"a": "{\\"b\\": \\"s3cret\\\\/+\\\\u00e9\\"}"}',
        f"?x={quote('s3cret/+é', safe='')}",
    ],
)
def test_given_secrets_are_masked_wherever_they_stand(text: str) -> None:
    masked = mask(text, ["s3cret/+é", ""])
    assert "s3cret" not in masked
    assert "***" in masked


def test_a_secret_that_is_a_number_is_masked_as_one() -> None:
    assert mask('{"a": [12345678, 1]}', ["12345678"]) == '{"a": ["***", 1]}'


def test_of_two_secrets_the_longer_one_is_masked_whole() -> None:
    assert mask("abcdef", ["abc", "abcdef"]) == "***"


def test_what_databases_do_not_take_is_left_out() -> None:
    assert mask("a\x00b\ud800") == "ab?"


PIECES = st.sampled_from(
    [
        *"{}[]\",:\\=&%?'/ *",
        "token",
        "secret",
        "bearer ",
        "\\u003d",
        "%3D",
        '\\"',
        "null",
        "abc",
        '{"a":"',
    ]
)


@RELAXED
@given(st.lists(PIECES).map("".join) | st.text() | JSON.map(json.dumps), st.lists(st.text("abc1")))
def test_masking_twice_is_masking_once(text: str, secrets: list[str]) -> None:
    once = mask(text, secrets)
    assert mask(once, secrets) == once


@RELAXED
@given(JSON)
def test_json_stays_json(value: object) -> None:
    assert json.loads(mask(json.dumps({"a": value, "token": "abc"})))["token"] == "***"


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "\\",
            "%25",
            "%",
            "token",
            "token=",
            "token:",
            "token   ",
            "bearer ",
            "bearer%20",
            "\\u0074",
            "s",
            "lorem ipsum ",
        ),
        *("[", '"', '{"a":', '\\"', '["x",', '"[', "{}", "'", "\\\\u00"),
    ],
)
def test_hostile_text_is_masked_to_its_end(unit: str) -> None:
    """Backtracking that is quadratic in the text would keep this from ever ending."""
    size = 1 << 18
    assert TOKEN not in mask((unit * size)[:size] + f" token={TOKEN} ")


@pytest.mark.parametrize("depth", [100, 400, 900, 5_000])
def test_deep_nesting_is_masked_all_the_same(depth: int) -> None:
    text = '{"a":[' * depth + json.dumps(URL) + "]}" * depth
    assert TOKEN not in mask(text)


def test_text_of_many_encodings_does_not_double_with_each() -> None:
    text = "token=a"
    for _ in range(60):
        text = '["' + text.replace("\\", "\\u005c").replace('"', "\\u0022") + '"]'
    masked = mask(text)
    assert len(masked) < len(text)
    assert "token=a" not in masked


@RELAXED
@given(st.text(), st.integers(3, 40))
def test_capped_text_fits_and_is_cut_visibly(text: str, limit: int) -> None:
    capped = cap(text, limit)
    assert len(capped.encode()) <= limit
    assert capped == text or capped.endswith("…") or "\ud800" <= max(text) <= "\udfff"


def test_only_headers_that_help_are_shown_and_of_credentials_that_they_came() -> None:
    headers = {
        "Content-Type": "application/json",
        "X-Webhook-Timestamp": "1769670760",
        "X-Webhook-Signature": "abc=",
        "Authorization": "Bearer abc",
        "Cookie": "a=b",
        "User-Agent": "x" * 600 + "?token=abc",
    }
    assert mask_headers(headers) == {
        "content-type": "application/json",
        "x-webhook-timestamp": "1769670760",
        "x-webhook-signature": "(present)",
        "authorization": "(present)",
        "user-agent": "x" * 497 + "…",
    }
    assert mask_headers(list(headers.items())) == mask_headers(headers)
