"""The permanent URLs of private files: ours, each with a signature that opens this one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from core.signing import matches_any, url_token

#: What is signed says what for, so that a key shared with another purpose opens nothing there.
PURPOSE = "asset:"


@dataclass(frozen=True, slots=True)
class PrivateUrls:
    """Makes and checks them: the first secret signs, all verify."""

    base_url: str
    secrets: tuple[str, ...] = field(repr=False)

    def url(self, path: str) -> str:
        """The URL of the file under a path; good for as long as its secret is among the secrets."""
        signature = url_token(self.secrets[0], PURPOSE + path)
        return f"{self.base_url}/assets/{quote(path)}?sig={signature}"

    def verifies(self, path: str, signature: str) -> bool:
        """Whether `url` gave this signature for this path, with any of the secrets."""
        expected = [url_token(secret, PURPOSE + path) for secret in self.secrets]
        return matches_any(signature, expected)
