"""Generations that show whether everything works, one of each kind. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.creating import CreateBody

USER = "dashboard"


class Example(NamedTuple):
    """Something that KIE is known to make."""

    name: str
    kind: str
    model: str
    input: Mapping[str, Any]

    @property
    def words(self) -> str:
        """What it is to show or say."""
        return str(self.input.get("prompt") or self.input.get("text"))

    @property
    def body(self) -> CreateBody:
        """What is asked for."""
        return CreateBody(model=self.model, input=dict(self.input), userId=USER)


EXAMPLES = (
    Example(
        "FLUX.2 Pro",
        "image",
        "flux-2/pro-text-to-image",
        {"prompt": "a red kite over the sea", "aspect_ratio": "16:9", "resolution": "1K"},
    ),
    Example(
        "Kling 2.6",
        "video",
        "kling-2.6/text-to-video",
        {
            "prompt": "a red kite rises in the wind",
            "sound": False,
            "aspect_ratio": "16:9",
            "duration": "5",
        },
    ),
    Example(
        "ElevenLabs",
        "audio",
        "elevenlabs/text-to-speech-multilingual-v2",
        {"text": "The kite is in the air.", "voice": "Rachel"},
    ),
)
