from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from core.settings import SECRETS as SECRET_FIELDS
from core.settings import Settings, is_loopback

ROOT = Path(__file__).parents[2]
NAMES = [name.upper() for name in Settings.model_fields]
SECRETS = [name.upper() for name in SECRET_FIELDS]
OFF_LOOPBACK = {"BIND": "0.0.0.0", "API_TOKEN": "t", "KIE_CALLBACK_SECRET": "s", "KIE_API_KEY": "k"}
SUPABASE = {"SUPABASE_URL": "https://x.supabase.test", "SUPABASE_SERVICE_ROLE_KEY": "key"}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    """Settings of an environment that holds only this, without `.env`."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.load(_env_file=None)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_example(name: str) -> None:
    assert re.search(rf"^#{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_table_of_the_readme(name: str) -> None:
    assert re.search(rf"^\|.*`{name}`.*\|", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_the_example_says_the_defaults(tmp_path: Path) -> None:
    example = re.sub("^#(?=[A-Z])", "", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(example)
    assert Settings(_env_file=tmp_path / ".env") == Settings(_env_file=None)


def test_the_example_as_it_is_sets_nothing() -> None:
    assert Settings(_env_file=ROOT / ".env.example").model_fields_set == set()


def test_the_public_address_follows_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PORT="8100").public_base_url == "http://127.0.0.1:8100"


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, []),
        ({"BIND": "localhost"}, []),
        ({"BIND": "::1", "PUBLIC_BASE_URL": "http://[::1]:8000"}, []),
        ({"BIND": "0.0.0.0"}, ["API_TOKEN", "KIE_CALLBACK_SECRET", "KIE_API_KEY"]),
        (
            {"PUBLIC_BASE_URL": "https://kie.example.org"},
            ["API_TOKEN", "KIE_CALLBACK_SECRET", "KIE_API_KEY"],
        ),
        ({**OFF_LOOPBACK, "API_TOKEN": ""}, ["API_TOKEN"]),
        ({**OFF_LOOPBACK, "KIE_CALLBACK_SECRET": ""}, ["KIE_CALLBACK_SECRET"]),
        ({**OFF_LOOPBACK, "KIE_API_KEY": ""}, ["KIE_API_KEY"]),
        (OFF_LOOPBACK, []),
    ],
)
def test_off_loopback_the_start_is_refused_without(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], missing: list[str]
) -> None:
    try:
        load(monkeypatch, **environment)
        said = ""
    except ConfigError as error:
        said = str(error)
    assert [name for name in OFF_LOOPBACK if f" {name}" in f" {said.partition('also')[2]}"] == (
        missing
    )


@pytest.mark.parametrize(
    ("kie", "public", "sends"),
    [
        ("https://api.kie.ai", "http://127.0.0.1:8000", False),
        ("https://api.kie.ai", "https://kie.example.org", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1:8000", True),
    ],
)
def test_a_callback_url_is_sent_where_callbacks_can_arrive(
    kie: str, public: str, sends: bool
) -> None:
    settings = Settings(_env_file=None, kie_base_url=kie, public_base_url=public)
    assert settings.sends_callback_url is sends


@pytest.mark.parametrize(
    ("given", "meant"),
    [("", ()), ("one", ("one",)), ("new, old", ("new", "old")), (" , new,,", ("new",))],
)
def test_comma_lists(monkeypatch: pytest.MonkeyPatch, given: str, meant: tuple[str, ...]) -> None:
    settings = load(monkeypatch, KIE_WEBHOOK_HMAC_KEY=given, KIE_CALLBACK_SECRET=given)
    assert (settings.hmac_keys, settings.callback_secrets) == (meant, meant)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("LEASE_SECONDS", "0"),
        ("GIVE_UP_AFTER_HOURS", "inf"),
        ("GIVE_UP_AFTER_HOURS", "nan"),
        ("GIVE_UP_AFTER_HOURS", "1e300"),
        ("LEASE_SECONDS", "inf"),
        ("STUCK_AFTER_MINUTES", "1e300"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "1000000"),
        ("LOG_LEVEL", "loud"),
        ("KIE_BASE_URL", "api.kie.ai"),
        ("KIE_BASE_URL", "http://a..b"),
        ("KIE_BASE_URL", f"http://{'x' * 64}.test"),
        ("KIE_BASE_URL", "http://h:99999"),
        ("KIE_BASE_URL", "http://h:0"),
        ("KIE_BASE_URL", "http://[::1"),
        ("PUBLIC_BASE_URL", "http://☃.test"),
        ("PUBLIC_BASE_URL", "https://user@kie.example.org"),
        ("MEDIA_ALLOW_PRIVATE", "perhaps"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: [^\n]+$"):
        load(monkeypatch, **{name: value})


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("blank", [" ", "\t", ",", " , "])
@pytest.mark.parametrize("others", [{}, OFF_LOOPBACK])
def test_a_blank_secret_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, blank: str, others: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: "):
        load(monkeypatch, **{**others, name: blank})


def test_an_unreadable_env_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("API_TOKEN=ключ".encode("cp1251"))
    with pytest.raises(ConfigError, match=r"^\.env: [^\n]+$"):
        Settings.load(_env_file=tmp_path / ".env")


def test_all_bad_values_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"PORT: .*; LEASE_SECONDS: "):
        load(monkeypatch, PORT="many", LEASE_SECONDS="-1")


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PORT="", KIE_API_KEY="").kie_api_key is None


def test_a_base_url_loses_its_last_slash() -> None:
    assert Settings(_env_file=None, kie_base_url="https://x.test/").kie_base_url == "https://x.test"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    settings = load(monkeypatch, **(SUPABASE | {name: "hush-hush"}))
    shown: list[Any] = [
        settings,
        settings.model_dump(),
        settings.model_dump_json(),
        settings.shown(),
    ]
    assert not [each for each in shown if "hush" in f"{each!r} {each!s}"]


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        (SUPABASE, None),
        ({"SUPABASE_URL": "https://x.supabase.test"}, "SUPABASE_SERVICE_ROLE_KEY: is missing"),
        ({"SUPABASE_SERVICE_ROLE_KEY": "key"}, "SUPABASE_URL: is missing"),
        (SUPABASE | {"SUPABASE_URL": "x.supabase.test"}, "SUPABASE_URL: must be an http"),
        (SUPABASE | {"SUPABASE_BUCKET": "a/b"}, "SUPABASE_BUCKET: must be"),
        (SUPABASE | {"SUPABASE_BUCKET": ".."}, "SUPABASE_BUCKET: must be"),
        (SUPABASE | OFF_LOOPBACK, None),
        (SUPABASE | {"SUPABASE_BUCKET_PUBLIC": "false"}, None),
        (SUPABASE | OFF_LOOPBACK | {"SUPABASE_BUCKET_PUBLIC": "false"}, "ASSET_URL_SECRET"),
    ],
)
def test_supabase_storage_is_configured_whole_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], problem: str | None
) -> None:
    try:
        assert load(monkeypatch, **environment).uses_supabase_storage
        said = None
    except ConfigError as error:
        said = str(error)
    assert (said is None) == (problem is None)
    assert problem is None or problem in (said or "")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("0.0.0.0", False),
        ("::", False),
        ("https://localhost.example.org", False),
        ("", False),
    ],
)
def test_what_is_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("KIE_API_KEY", "", "not set"),
        ("KIE_API_KEY", "k", "set"),
        ("GIVE_UP_AFTER_HOURS", "0.5", "0.5"),
        ("GIVE_UP_AFTER_HOURS", "48.0", "48"),
        ("MEDIA_ALLOW_PRIVATE", "1", "true"),
        ("POLL_FIRST_SECONDS", "", ""),
        ("DATA_DIR", "there", "there"),
        ("DATABASE_URL", "", "sqlite:///data/kie.db"),
        ("DATABASE_URL", "sqlite:////there/kie.db", "sqlite:////there/kie.db"),
        ("DATABASE_URL", "postgresql://u:p:/@w@h:5/db", "postgresql://u:***@h:5/db"),
        ("DATABASE_URL", "postgresql://h/db?password=p", "postgresql://h/db?password=***"),
        ("STORAGE_DIR", "", "data/assets"),
    ],
)
def test_settings_are_shown_as_they_are_in_force(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, shown: str
) -> None:
    settings = load(monkeypatch, **{name: given})
    assert settings.shown()[name] == shown
    assert list(settings.shown()) == NAMES


def test_what_differs_from_its_default_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {
        "PORT": "8100",
        "PUBLIC_BASE_URL": "http://127.0.0.1:8100/",
        "GIVE_UP_AFTER_HOURS": "24",
    }
    assert load(monkeypatch, **same, API_TOKEN="t").changed() == {"PORT", "API_TOKEN"}
