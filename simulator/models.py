"""The models this KIE knows: what each makes, what it costs and which input it takes.

A selection of docs.kie.ai/market; prices are plausible, not real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["image", "video", "audio", "text"]


@dataclass(frozen=True, slots=True)
class Field:
    """The rule for one key of `input`."""

    type: type = str
    required: bool = False
    choices: tuple[Any, ...] = ()
    longest: int | None = None  # characters or items

    def complaint(self, name: str, value: object) -> str | None:
        """KIE's words about this value, or None when it is fine."""
        if value is None or value == "" or value == []:
            return f"This field is required: {name}" if self.required else None
        if not isinstance(value, self.type) or isinstance(value, bool) is not (self.type is bool):
            return f"{name} must be of type {self.type.__name__}"
        if self.choices and value not in self.choices:
            return f"{name} is not within the range of allowed options"
        if self.longest is not None and isinstance(value, str | list) and len(value) > self.longest:
            return f"{name} is too long, {self.longest} at most"
        return None


@dataclass(frozen=True, slots=True)
class Model:
    """One model id's kind, price in credits and input rules."""

    kind: Kind
    credits: float
    fields: Mapping[str, Field]


def _prompt(longest: int) -> Field:
    return Field(required=True, longest=longest)


def _choice(*values: Any, required: bool = False) -> Field:
    return Field(type(values[0]), required, values)


_FLAG = Field(bool)
_RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3")
_WIDE_RATIOS = (*_RATIOS, "5:4", "4:5", "21:9", "auto")
_URLS = Field(list, required=True, longest=8)
_CLIP_SECONDS = _choice("5", "10", required=True)

_FLUX = {
    "prompt": _prompt(5000),
    "aspect_ratio": _choice(*_RATIOS, required=True),
    "resolution": _choice("1K", "2K", required=True),
    "nsfw_checker": _FLAG,
}
_KLING = {
    "prompt": _prompt(1000),
    "sound": Field(bool, required=True),
    "duration": _CLIP_SECONDS,
}
_BANANA = {
    "prompt": _prompt(5000),
    "aspect_ratio": _choice(*_WIDE_RATIOS),
    "image_size": _choice(*_WIDE_RATIOS),
    "output_format": _choice("png", "jpeg"),
}
_VOICES = (
    "Rachel",
    "Aria",
    "Roger",
    "Sarah",
    "Laura",
    "Charlie",
    "George",
    "21m00Tcm4TlvDq8ikWAM",
    "EXAVITQu4vr4xnSDxMaL",
    "JBFqnCBsd6RMkjVDRZzb",
)
_SPEECH = {
    "text": _prompt(5000),
    "voice": _choice(*_VOICES, required=True),
    "timestamps": _FLAG,
    "language_code": Field(),
}

MODELS: dict[str, Model] = {
    "flux-2/pro-text-to-image": Model("image", 5, _FLUX),
    "flux-2/pro-image-to-image": Model(
        "image",
        5,
        _FLUX | {"input_urls": _URLS, "aspect_ratio": _choice(*_RATIOS, "auto", required=True)},
    ),
    "google/nano-banana": Model("image", 4, _BANANA),
    "google/nano-banana-edit": Model("image", 4, _BANANA | {"image_urls": _URLS}),
    "nano-banana-pro": Model(
        "image",
        18,
        {
            "prompt": _prompt(10_000),
            "image_input": Field(list, longest=8),
            "aspect_ratio": _choice(*_WIDE_RATIOS),
            "resolution": _choice("1K", "2K", "4K"),
            "output_format": _choice("png", "jpg"),
        },
    ),
    "kling-2.6/text-to-video": Model(
        "video", 55, _KLING | {"aspect_ratio": _choice("1:1", "16:9", "9:16", required=True)}
    ),
    "kling-2.6/image-to-video": Model(
        "video", 55, _KLING | {"image_urls": Field(list, required=True, longest=1)}
    ),
    "wan/2-6-text-to-video": Model(
        "video",
        70,
        {
            "prompt": _prompt(5000),
            "duration": _choice("5", "10", "15"),
            "resolution": _choice("720p", "1080p"),
            "multi_shots": _FLAG,
        },
    ),
    "bytedance/seedance-2": Model(
        "video",
        90,
        {
            "prompt": Field(longest=5000),
            "first_frame_url": Field(),
            "last_frame_url": Field(),
            "aspect_ratio": Field(),
            "resolution": _choice("480p", "720p", "1080p", "4k"),
            "duration": Field(int),
            "generate_audio": _FLAG,
            "return_last_frame": _FLAG,
        },
    ),
    "sora-2-text-to-video": Model(
        "video",
        30,
        {
            "prompt": _prompt(5000),
            "aspect_ratio": _choice("portrait", "landscape"),
            "n_frames": _choice("10", "15"),
            "remove_watermark": _FLAG,
        },
    ),
    "elevenlabs/text-to-speech-multilingual-v2": Model("audio", 12, _SPEECH),
    "elevenlabs/text-to-speech-turbo-2-5": Model(
        "audio", 6, _SPEECH | {"voice": _choice(*_VOICES)}
    ),
    "elevenlabs/speech-to-text": Model("text", 3.5, {"audio_url": Field(required=True)}),
}


def complaint(model: object, given: object) -> str | None:
    """KIE's words when a create request is wrong, None when it is fine; keys not known are ignored.

    A wrong model id and a wrong input get different texts under the same code 422.
    """
    known = MODELS.get(model) if isinstance(model, str) else None
    if known is None:
        return (
            "The model name you specified is not supported. "
            "Please check the model name and try again."
        )
    if not isinstance(given, dict):
        return "This field is required: input"
    found = (rule.complaint(name, given.get(name)) for name, rule in known.fields.items())
    return next((words for words in found if words), None)
