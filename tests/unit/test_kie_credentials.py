from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import CallbackError
from core.kie.credentials import Credential, callback_token, callback_url, check_credential

ID = "01930a3c-7b1e-7000-8000-000000000001"


def test_the_callback_url_carries_the_generation_and_a_token_that_verifies() -> None:
    url = callback_url("https://app.example/", "secret", ID)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith("https://app.example/api/kie/callback?generation=")
    assert check_credential(query, ["secret"], {}) == Credential(ID)


def test_a_token_is_url_safe_and_its_own_for_each_generation_and_secret() -> None:
    tokens = {callback_token(secret, id_) for secret in ("a", "é\ud800") for id_ in (ID, "2")}
    assert len(tokens) == 4
    assert all(len(token) == 43 and token.isascii() for token in tokens)


@pytest.mark.parametrize(
    "query, found",
    [
        ({"generation": ID, "token": callback_token("old", ID)}, ID),
        ({"secret": "new"}, None),
        ({"secret": "old", "generation": ID}, ID),
        ({"secret": "пароль", "generation": ID}, ID),
        ({"secret": "new", "generation": "\x00"}, None),
        ({"secret": "new", "token": "wrong", "generation": ID}, ID),
        ({"secret": "wrong", "token": callback_token("new", ID), "generation": ID}, ID),
    ],
)
def test_a_token_or_the_secret_opens(query: dict[str, str], found: str | None) -> None:
    assert check_credential(query, ["new", "old", "пароль"], {}) == Credential(found)


@pytest.mark.parametrize(
    "query, code",
    [
        ({}, "credential.missing"),
        ({"generation": ID}, "credential.missing"),
        ({"token": "", "secret": ""}, "credential.missing"),
        ({"token": callback_token("new", ID)}, "credential.wrong"),
        ({"token": callback_token("new", "")}, "credential.wrong"),
        ({"token": callback_token("new", ID), "generation": "2"}, "credential.wrong"),
        ({"token": "é\ud800", "generation": ID}, "credential.wrong"),
        ({"secret": "New"}, "credential.wrong"),
        ({"secret": "key"}, "credential.other_key"),
        ({"token": callback_token("key", ID), "generation": ID}, "credential.other_key"),
    ],
)
def test_any_other_credential_is_refused(query: dict[str, str], code: str) -> None:
    with pytest.raises(CallbackError) as caught:
        check_credential(query, ["new"], {"KIE_WEBHOOK_HMAC_KEY": ["key"]})
    assert caught.value.code == code


@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_configured_secret_opens_nothing(secrets: list[str]) -> None:
    with pytest.raises(CallbackError, match="none of our keys"):
        check_credential({"secret": "", "token": "x", "generation": ID}, secrets, {})
