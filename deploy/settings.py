"""`python -m deploy.settings`: may this release run with the settings that it finds?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.errors import AppError, ConfigError
from core.settings import Settings
from core.store.address import is_sqlite
from core.store.sqlite import sqlite_file


def main() -> int:
    """0 where it may; 2, and one line, where a setting is wrong."""
    argparse.ArgumentParser(prog="python -m deploy.settings", description=__doc__).parse_args()
    try:
        require_lasting(Settings.load(), release=Path.cwd())
    except AppError as error:
        print(f"settings: {error}", file=sys.stderr)
        return 2
    return 0


def require_lasting(settings: Settings, *, release: Path) -> None:
    """Raise ConfigError where something would be kept inside a release, and go with it."""
    kept = {"DATA_DIR": settings.data_dir, "STORAGE_DIR": settings.assets_dir}
    if is_sqlite(settings.database):
        kept["DATABASE_URL"] = sqlite_file(settings.database)
    inside = [
        name
        for name, path in kept.items()
        if (release / path).resolve().is_relative_to(release.resolve())
    ]
    if inside:
        raise ConfigError(
            f"{', '.join(inside)}: is inside a release, which is deleted one day;"
            " leave it out, or name an absolute path"
        )


if __name__ == "__main__":
    sys.exit(main())
