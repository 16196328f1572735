"""What a model makes, as far as its name tells."""

from __future__ import annotations

import re

# The first line that matches wins: what a model turns its input into says more than its brand.
_KINDS = (
    ("text", "to-text lyrics transcri"),
    ("video", "to-video video avatar infinitalk"),
    ("image", "to-image image"),
    (
        "audio",
        "to-speech to-dialogue to-music to-audio speech tts music sound audio vocal voice wav",
    ),
    ("audio", "elevenlabs suno ai-music"),
    ("image", "nano-banana flux seedream imagen ideogram midjourney mj recraft qwen kontext"),
    ("video", "kling wan sora seedance veo hailuo runway aleph luma pixverse omni"),
)
_TABLE = tuple(
    (kind, re.compile(rf"(?<![a-z])(?:{'|'.join(words.split())})", re.IGNORECASE))
    for kind, words in _KINDS
)


def kind_of_model(model: str) -> str | None:
    """image, video, audio or text; None for a name that does not tell.

    Names from the model pages under docs.kie.ai/market/; there is no endpoint that lists them.
    """
    return next((kind for kind, words in _TABLE if words.search(model)), None)
