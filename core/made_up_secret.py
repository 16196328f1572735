"""The secrets of a laptop: made once, kept beside the data."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from core.errors import ConfigError

CALLBACK = "callback-secret"
ASSET_URL = "asset-url-secret"


def made_up_secret(data_dir: Path, name: str) -> str:
    """The secret of that name in `data_dir`, readable by its owner only; made at the first call.

    Raises ConfigError where it can be neither read nor made.
    """
    try:
        return _read_or_make(data_dir, name)
    except OSError as error:
        raise ConfigError(f"DATA_DIR: no {name} can be kept there: {error}") from error


def _read_or_make(data_dir: Path, name: str) -> str:
    data_dir.mkdir(parents=True, exist_ok=True)
    file = data_dir / name
    draft = data_dir / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"
    if not file.exists():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, file)  # whole or not at all, and only the first of two processes
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()
