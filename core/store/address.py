"""What DATABASE_URL may say."""

from __future__ import annotations

import sqlalchemy as sa

from core.errors import ConfigError


def is_sqlite(url: str) -> bool:
    """Which of the two databases a URL names. Raises ConfigError where it is neither."""
    parsed = parse_url(url)
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError(
            f"DATABASE_URL: must be sqlite:///path or postgresql://..., not {backend}"
        )
    return backend == "sqlite"


def parse_url(url: str) -> sa.URL:
    """The parts of a database URL; `postgres://`, as Supabase shows it, is understood."""
    if url.startswith("postgres://"):
        url = url.replace("postgres://", "postgresql://", 1)
    problem = "DATABASE_URL: not a database URL; in a password, write special characters as %XX"
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise ConfigError(problem) from error
    if "@" in (parsed.host or ""):  # the end of a password
        raise ConfigError(problem)
    return parsed
