"""Which addresses are of permanent files: how they begin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import ConfigError

#: Where KIE's results are for two weeks, by what docs.kie.ai shows.
_KIES = re.compile(r"(^|\.)(kie\.ai|aiquickdraw\.com|redpandaai\.co)$")


@dataclass(frozen=True, slots=True)
class Ours:
    """How the addresses of permanent files begin."""

    prefixes: tuple[str, ...]

    @property
    def values(self) -> dict[str, str]:
        """What the condition is to be run with."""
        return {f"ours_{place}": prefix for place, prefix in enumerate(self.prefixes)}

    def has(self, url: str) -> str:
        """The condition that a URL is one of them."""
        return " OR ".join(f"starts_with({url}, :{name})" for name in self.values) or "false"


def require_prefix(url: str, *, kie_base_url: str) -> str:
    """The URL, if permanent files' may begin with it; ConfigError if it would take in others'."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = not (parts.query or parts.fragment or parts.username) and url.split() == [url]
    if parts.scheme not in ("http", "https") or not host or not is_plain:
        raise ConfigError(f"--ours {url!r}: give the beginning of a URL, https://HOST/PATH/")
    if not parts.path.endswith("/"):
        raise ConfigError(f"--ours {url!r}: it has to end with /, or names beside it match too")
    if host == urlsplit(kie_base_url).hostname or _KIES.search(host):
        raise ConfigError(f"--ours {url!r}: that is KIE's, who deletes its files after 14 days")
    return url
