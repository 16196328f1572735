"""Settings: read once from the environment (and `.env`), checked together, shown safely."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ConfigError
from core.masking import mask

GIB = 1 << 30
DAY_SECONDS = 86_400
YEAR_HOURS = 365 * 24
CENTURY_DAYS = 365 * 100
SECRETS = (
    *("kie_api_key", "kie_callback_secret", "kie_webhook_hmac_key", "api_token"),
    *("dashboard_password", "dashboard_viewer_password"),
    *("supabase_service_role_key", "asset_url_secret"),
)
_BUCKET = re.compile(r"[a-z0-9_-][a-z0-9._-]{0,99}")
_PASSWORD = re.compile(r"(?<=://)([^/:@]*):.*@")
_PASSWORD_OF = re.compile(r"://[^/:@]*:(.+)@")


class Settings(BaseSettings):
    """All that can be configured; the environment variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        validate_default=False,
        allow_inf_nan=False,
    )

    kie_api_key: SecretStr | None = Field(None, description="KIE's API key")
    kie_base_url: str = Field("https://api.kie.ai", description="where KIE's API is")
    kie_callback_secret: SecretStr | None = Field(
        None, description="keys of callback URL tokens, comma list: the first signs, all verify"
    )
    kie_webhook_hmac_key: SecretStr | None = Field(
        None,
        description="KIE's webhook HMAC keys, comma list; when set, signatures are required",
    )

    bind: str = Field("127.0.0.1", description="address the webhook listens on")
    port: int = Field(8000, ge=1, le=65535, description="port the webhook listens on")
    web_concurrency: int = Field(2, ge=1, le=64, description="webhook processes")
    request_threads: int = Field(16, ge=3, le=256, description="requests at once, per process")
    public_base_url: str = Field(
        default_factory=lambda known: f"http://127.0.0.1:{known.get('port', 8000)}",
        description="how KIE and browsers reach the webhook; default: loopback at PORT",
    )
    api_token: SecretStr | None = Field(None, description="bearer token of the API")

    dashboard_port: int = Field(8501, ge=1, le=65535, description="port the dashboard listens on")
    dashboard_password: SecretStr | None = Field(None, description="opens the dashboard")
    dashboard_viewer_password: SecretStr | None = Field(
        None, description="opens it without actions and prompts"
    )
    dashboard_operators: str = Field(
        "", description="who may act after a login by OpenID Connect: e-mails or @domains"
    )
    dashboard_viewers: str = Field(
        "", description="who may only look after such a login: e-mails or @domains"
    )

    data_dir: Path = Field(Path("data"), description="database, files, spool, made-up secret")
    database_url: str = Field(
        "", repr=False, description="postgresql://..., default: SQLite in DATA_DIR/kie.db"
    )
    database_connections: int | None = Field(
        None, ge=2, le=1000, description="at most, per process; default: one for each thread"
    )
    storage_dir: Path | None = Field(None, description="default: DATA_DIR/assets")
    supabase_url: str = Field(
        "", description="https://PROJECT.supabase.co; with the key: files are stored there"
    )
    supabase_service_role_key: SecretStr | None = Field(
        None, description="the project's service role key, or its secret API key"
    )
    supabase_bucket: str = Field("generations", description="bucket of the stored files")
    supabase_bucket_public: bool = Field(
        True, description="whether anybody who has a URL may open it; false: signed ones of ours"
    )
    asset_url_secret: SecretStr | None = Field(
        None,
        description="keys of a private bucket's permanent URLs, comma list: the first signs, all"
        " verify",
    )

    media_allow_private: bool = Field(
        False, description="download from http and private addresses too (a simulator, tests)"
    )
    max_asset_bytes: int = Field(2 * GIB, gt=0, description="largest file that is stored")
    spool_max_bytes: int = Field(8 * GIB, gt=0, description="room for downloads under way")

    poll_first_seconds: float | None = Field(
        None, gt=0, le=DAY_SECONDS, description="default: by kind"
    )
    poll_max_seconds: float = Field(
        300, gt=0, le=DAY_SECONDS, description="longest gap between two looks"
    )
    give_up_after_hours: float = Field(24, gt=0, le=YEAR_HOURS, description="counted from creation")
    stuck_after_minutes: float = Field(
        10, gt=0, le=YEAR_HOURS * 60, description="open for longer is called stuck"
    )
    retention_days: int = Field(
        90, ge=1, le=CENTURY_DAYS, description="how long timelines and callback bodies are kept"
    )
    lease_seconds: float = Field(
        60, gt=0, le=DAY_SECONDS, description="how long a worker may be silent"
    )
    delivery_threads: int = Field(8, ge=1, le=256, description="deliveries at once, per process")

    log_format: Literal["json", "text"] | None = Field(
        None, description="default: json off a terminal, text on one"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least level"
    )

    @field_validator("kie_base_url", "public_base_url", "supabase_url")
    @classmethod
    def _is_http_url(cls, value: str) -> str:
        if not value:  # only what may be left out is ever empty
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http or https URL")
        if parts.query or parts.fragment or parts.username:
            raise ValueError("must be a plain base URL, without credentials, query or fragment")
        if parts.port == 0 or not _can_be_called(value):
            raise ValueError("names a host or port that cannot exist")
        return value.rstrip("/")

    @field_validator("supabase_bucket")
    @classmethod
    def _is_bucket(cls, value: str) -> str:
        if not _BUCKET.fullmatch(value):
            raise ValueError("must be 1-100 of a-z, 0-9, '-', '_' and '.', the first no '.'")
        return value

    @field_validator(*SECRETS)
    @classmethod
    def _is_not_blank(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _comma_list(value):
            raise ValueError("is set, but holds nothing")
        return value

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'kie.db'}"

    @property
    def assets_dir(self) -> Path:
        """The folder of local storage."""
        return self.storage_dir or self.data_dir / "assets"

    @property
    def uses_supabase_storage(self) -> bool:
        """Whether files are stored in Supabase Storage, and not in a folder."""
        return bool(self.supabase_url)

    @property
    def asset_url_secrets(self) -> tuple[str, ...]:
        """The configured keys of private files' URLs; empty where one has to be made up."""
        return _comma_list(self.asset_url_secret)

    @property
    def hmac_keys(self) -> tuple[str, ...]:
        """KIE's webhook HMAC keys that verify; empty when signatures are not required."""
        return _comma_list(self.kie_webhook_hmac_key)

    @property
    def callback_secrets(self) -> tuple[str, ...]:
        """The configured callback secrets; empty where one has to be made up (loopback only)."""
        return _comma_list(self.kie_callback_secret)

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Every secret that is set, and the database's password: what nothing may ever show."""
        values = [value for name in SECRETS for value in _comma_list(getattr(self, name))]
        password = _PASSWORD_OF.search(self.database_url)
        return (*values, *([password[1], unquote(password[1])] if password else []))

    @property
    def sends_callback_url(self) -> bool:
        """Whether KIE can be told where to call back: not from the internet to our loopback."""
        return is_loopback(self.kie_base_url) or not is_loopback(self.public_base_url)

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Read the environment once, or raise one ConfigError that names everything wrong."""
        try:
            settings = cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            problems = [_problem(dict(item)) for item in error.errors(include_input=False)]
            raise ConfigError("; ".join(problems)) from None
        except (UnicodeDecodeError, OSError) as error:
            raise ConfigError(f".env: cannot be read as UTF-8 text: {error}") from None
        found = (settings._half_a_storage(), settings._missing_off_loopback())
        if any(found):
            raise ConfigError("; ".join(problem for problem in found if problem))
        return settings

    def shown(self) -> dict[str, str]:
        """What is in force, by the variable's name; of secrets only whether they are set.

        Empty where nothing is chosen: the field's description tells what that means.
        """
        in_force = {name: _shown(getattr(self, name)) for name in type(self).model_fields}
        in_force["database_url"] = mask(_PASSWORD.sub(r"\1:***@", self.database))
        in_force["storage_dir"] = str(self.assets_dir)
        secrets = {name: "set" if getattr(self, name) else "not set" for name in SECRETS}
        return {name.upper(): value for name, value in (in_force | secrets).items()}

    def changed(self) -> frozenset[str]:
        """The variables that were set to something else than their default."""
        return frozenset(
            name.upper()
            for name, field in type(self).model_fields.items()
            if name in self.model_fields_set
            and getattr(self, name)
            != field.get_default(call_default_factory=True, validated_data=self.__dict__)
        )

    def _half_a_storage(self) -> str | None:
        if bool(self.supabase_url) == (self.supabase_service_role_key is not None):
            return None
        missing = "SUPABASE_SERVICE_ROLE_KEY" if self.supabase_url else "SUPABASE_URL"
        return f"{missing}: is missing; SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY go together"

    def _missing_off_loopback(self) -> str | None:
        if is_loopback(self.bind) and is_loopback(self.public_base_url):
            return None
        needed = {
            "API_TOKEN": self.api_token,
            "KIE_CALLBACK_SECRET": self.kie_callback_secret,
            "KIE_API_KEY": self.kie_api_key,
        }
        if self.uses_supabase_storage and not self.supabase_bucket_public:
            needed["ASSET_URL_SECRET"] = self.asset_url_secret
        missing = [name for name, value in needed.items() if value is None]
        if not missing:
            return None
        return f"BIND or PUBLIC_BASE_URL is not loopback, so set also: {', '.join(missing)}"


def is_loopback(address: str) -> bool:
    """Whether an address, host name or URL means this machine only."""
    host = urlsplit(address).hostname if "://" in address else address.strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def browser_url(bind: str, port: int) -> str:
    """Where a browser on this machine finds what listens at an address, be it every address."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = bind.strip("[]")
    host = anywhere.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _can_be_called(url: str) -> bool:
    try:
        httpx.URL(url).raw_host.decode("ascii").encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        return False
    return True


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _comma_list(secret: SecretStr | None) -> tuple[str, ...]:
    text = secret.get_secret_value() if secret else ""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _problem(item: Mapping[str, object]) -> str:
    location = item["loc"]
    name = str(location[0]).upper() if isinstance(location, tuple) and location else "settings"
    return f"{name}: {str(item['msg']).removeprefix('Value error, ')}"
