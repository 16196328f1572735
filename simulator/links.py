"""Links to media files that common/download-url gives out: signed, and over after 20 minutes."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

LINK_SECONDS = 20 * 60


class Links:
    """Makes and checks links; the same key makes the same links after a restart."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def task_id(self, path: str) -> str:
        """Whose file the path is; "" when it is none."""
        folder, _, rest = path.removeprefix("/").partition("/")
        return rest.partition("/")[0] if folder == "media" else ""

    def signed(self, url: str, now: float) -> str:
        """The path of `url` as a link; an earlier link's query is replaced."""
        path, expires = urlsplit(url).path, str(int(now) + LINK_SECONDS)
        return f"{path}?expires={expires}&signature={self._signature(path, expires)}"

    def is_good(self, path: str, expires: str, signature: str, now: float) -> bool:
        """Whether this is a link of ours that is not over yet."""
        ours = self._signature(path, expires)
        return hmac.compare_digest(signature.encode(), ours.encode()) and now < int(expires)

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()
