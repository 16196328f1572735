"""`python -m local.demo`: shows a picture, a video and a sound on their way to permanent URLs.

With a real KIE_API_KEY it creates nothing, since that costs credits, and says what to send.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from core.errors import ConfigError
from core.settings import Settings, browser_url
from local.api import Api, ApiError, View, open_api
from local.plan import is_pretend

USER = "demo"
LOOK_EVERY_SECONDS = 0.5
PICTURE: View = {
    "model": "flux-2/pro-text-to-image",
    "input": {"prompt": "a red kite over the sea", "aspect_ratio": "16:9", "resolution": "1K"},
}
VIDEO: View = {
    "model": "kling-2.6/text-to-video",
    "input": {
        "prompt": "a red kite rises in the wind",
        "sound": False,
        "aspect_ratio": "16:9",
        "duration": "5",
    },
}
SOUND: View = {
    "model": "elevenlabs/text-to-speech-multilingual-v2",
    "input": {"text": "The kite is in the air.", "voice": "Rachel"},
}
NAMES = {"image": "picture", "video": "video", "audio": "sound"}


class Demo:
    """The demonstration over an API, with the world injected."""

    def __init__(
        self,
        api: Api,
        *,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self._say = say
        self._sleep = sleep
        self._now = now

    def wait_until_ready(self) -> None:
        """Return once deliveries can work; says what is missing when that changes."""
        said = None
        while (missing := self._missing()) is not None:
            if missing != said:
                self._say(f"waiting: {missing}")
            said = missing
            self._sleep(LOOK_EVERY_SECONDS)

    def show(self) -> None:
        """Follow three generations to their end: those still open, else new ones."""
        views = self._api.open_of(USER)
        if views:
            self._say(f"{len(views)} still open from an earlier run: following them to their end")
        else:
            views = [view for body in (PICTURE, VIDEO, SOUND) if (view := self._create(body))]
        ended = self._follow(views)
        stored = [view for view in ended if view["status"] == "success"]
        self._say(f"{len(stored)} of {len(ended)} have a permanent URL")
        for view in stored:
            self._say(f"  {view['assetUrl']}")

    def _missing(self) -> str | None:
        try:
            return self._api.missing()
        except ApiError as error:
            return str(error)

    def _create(self, body: View) -> View | None:
        try:
            return self._api.create({**body, "userId": USER})
        except ApiError as error:
            self._say(f"{body['model']} was not created: {error}")
            return None

    def _follow(self, views: list[View]) -> list[View]:
        """The generations once they have ended, after a line for each change of each."""
        latest = {str(view["id"]): view for view in views}
        said: dict[str, str] = {}
        while True:
            for generation_id, view in latest.items():
                words = in_words(view)
                if said.get(generation_id) != words:
                    self._say(self._line(view, words))
                said[generation_id] = words
            open_ids = [key for key, view in latest.items() if not _has_ended(view)]
            if not open_ids:
                return list(latest.values())
            self._sleep(LOOK_EVERY_SECONDS)
            latest |= {key: self._again(latest[key]) for key in open_ids}

    def _again(self, view: View) -> View:
        try:
            return self._api.generation(str(view["id"]))
        except ApiError as error:
            return {**view, "error": {"message": str(error)}}

    def _line(self, view: View, words: str) -> str:
        seconds = (self._now() - datetime.fromisoformat(view["createdAt"])).total_seconds()
        return f"{NAMES.get(view['kind'], 'file'):<8}{seconds:4.0f} s  {words}"


def in_words(view: View) -> str:
    """How a generation stands, for people."""
    trouble = f" ({view['error']['message']})" if view["error"] else ""
    if view["status"] == "success":
        return f"stored: {view['assetUrl']}"
    if view["status"] == "failed":
        return f"failed{trouble}"
    if view["taskId"] is None:
        return f"recorded, KIE has not accepted it yet{trouble}"
    steps = {"generating": "KIE is making it", "success": "made, being stored"}
    return steps.get(view["providerState"], "accepted by KIE, waiting there") + trouble


def how_to_create(settings: Settings) -> list[str]:
    """What to send to create a generation, and how its news will come; no secret in it."""
    token = ' -H "Authorization: Bearer $API_TOKEN"' if settings.api_token else ""
    body = '{"model": "flux-2/pro-text-to-image", "input": {"prompt": "a red kite", '
    body += '"aspect_ratio": "16:9", "resolution": "1K"}}'
    news = "no callbacks, polling only: set PUBLIC_BASE_URL to an address that KIE can reach"
    if settings.sends_callback_url:
        news = f"callbacks will come to {settings.public_base_url}/api/kie/callback"
    return [
        "a real KIE_API_KEY is set, so nothing is created here. To create a picture:",
        f"  curl {_url(settings)}/api/kie/createTask{token} "
        f"-H 'Content-Type: application/json' -d '{body}'",
        news,
    ]


def main() -> int:
    """Show it, then stay: where all run together, one that ends would end all."""
    argparse.ArgumentParser(prog="python -m local.demo", description=__doc__).parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = Settings.load()
    except ConfigError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    _demonstrate(settings)
    threading.Event().wait()
    return 0


def _demonstrate(settings: Settings) -> None:
    token = settings.api_token.get_secret_value() if settings.api_token else None
    demo = Demo(open_api(_url(settings), token), say=_say)
    demo.wait_until_ready()
    try:
        if is_pretend(settings):
            demo.show()
        else:
            for line in how_to_create(settings):
                _say(line)
    except ApiError as error:
        _say(str(error))
    _say(f"try it: {_url(settings)}/api/docs   Ctrl-C stops everything")
    _say(f"dashboard: {browser_url(settings.bind, settings.dashboard_port)}")


def _url(settings: Settings) -> str:
    return browser_url(settings.bind, settings.port)


def _say(line: str) -> None:
    print(line, flush=True)


def _has_ended(view: View) -> bool:
    return view["status"] in ("success", "failed")


if __name__ == "__main__":
    sys.exit(main())
