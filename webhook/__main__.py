"""`python -m webhook`: serves the API until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import logging
import sys

from core.errors import AppError
from core.logs import set_up_logs
from core.settings import Settings
from core.store.migrate import require_current
from core.wiring import open_core
from webhook.server import Server, listen

logger = logging.getLogger("webhook")


def main() -> int:
    """Run; 2 where a setting, the database or the bucket is wrong, or the port is taken."""
    argparse.ArgumentParser(prog="python -m webhook", description=__doc__).parse_args()
    try:
        settings = Settings.load()
        set_up_logs(settings.log_level, settings.log_format, settings.secret_values)
        with open_core(settings) as core:  # closed again: each worker process opens its own
            require_current(core.store.database)
            core.prepare_storage()
        listener = listen(settings)
    except AppError as error:
        print(f"webhook: {error}", file=sys.stderr)
        return 2
    if not settings.sends_callback_url:
        why = "PUBLIC_BASE_URL is on loopback: no callbacks, polling only"
        logger.warning(why, extra={"event": "callbacks.none"})
    Server(settings, listener).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
