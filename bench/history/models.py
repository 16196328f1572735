"""What the users of the invented history make: KIE's models, how often each, and how that goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.models import MODELS

#: Least and most seconds that KIE takes, and the usual size of a file in bytes.
SECONDS = {"image": (8, 60), "video": (60, 400), "audio": (2, 15), "text": (2, 15)}
BYTES = {"image": 1_400_000, "video": 9_000_000, "audio": 180_000, "text": 2_000}


class Form(NamedTuple):
    """What a file is."""

    content_type: str
    extension: str


PNG = Form("image/png", "png")
JPEG = Form("image/jpeg", "jpg")
MP4 = Form("video/mp4", "mp4")
MP3 = Form("audio/mpeg", "mp3")
JSON = Form("application/json", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One of KIE's models, as it is used."""

    name: str
    share: float  # of all generations, relative to the other models
    seconds: float  # that KIE takes, the median
    form: Form
    input: Mapping[str, Any]  # beside the prompt
    prompt_field: str | None = "prompt"
    files: tuple[int, ...] = (1,)  # main files, each number as likely as the others
    extra: str | None = None  # the role of a picture beside the main files
    trouble: float = 1.0  # it fails so many times as often as usual

    @property
    def kind(self) -> str:
        """What it makes."""
        return MODELS[self.name].kind

    @property
    def credits(self) -> float:
        """The price of one file."""
        return MODELS[self.name].credits


USED = (
    Model(
        name="flux-2/pro-text-to-image",
        share=24,
        seconds=19,
        form=JPEG,
        input={"aspect_ratio": "16:9", "resolution": "2K"},
        trouble=0.7,
    ),
    Model(
        name="google/nano-banana",
        share=19,
        seconds=14,
        form=PNG,
        input={"aspect_ratio": "1:1", "output_format": "png"},
        files=(1, 1, 1, 2, 4),
        trouble=0.6,
    ),
    Model(
        name="nano-banana-pro",
        share=11,
        seconds=28,
        form=PNG,
        input={"aspect_ratio": "3:2", "resolution": "2K"},
        files=(1, 1, 2, 3),
    ),
    Model(
        name="google/nano-banana-edit",
        share=7,
        seconds=16,
        form=PNG,
        input={"image_urls": ["https://example.com/before.png"]},
    ),
    Model(
        name="kling-2.6/text-to-video",
        share=11,
        seconds=150,
        form=MP4,
        input={"sound": True, "duration": "5", "aspect_ratio": "16:9"},
    ),
    Model(
        name="kling-2.6/image-to-video",
        share=6,
        seconds=165,
        form=MP4,
        input={"sound": False, "duration": "5", "image_urls": ["https://example.com/first.png"]},
        trouble=1.3,
    ),
    Model(
        name="bytedance/seedance-2",
        share=4,
        seconds=185,
        form=MP4,
        input={"duration": 5, "resolution": "720p", "return_last_frame": True},
        extra="last_frame",
    ),
    Model(
        name="wan/2-6-text-to-video",
        share=3,
        seconds=210,
        form=MP4,
        input={"duration": "5", "resolution": "1080p"},
        trouble=1.6,
    ),
    Model(
        name="sora-2-text-to-video",
        share=3,
        seconds=240,
        form=MP4,
        input={"aspect_ratio": "landscape", "n_frames": "10"},
        trouble=3.0,
    ),
    Model(
        name="elevenlabs/text-to-speech-multilingual-v2",
        share=7,
        seconds=6,
        form=MP3,
        input={"voice": "Rachel"},
        trouble=0.5,
        prompt_field="text",
    ),
    Model(
        name="elevenlabs/text-to-speech-turbo-2-5",
        share=4,
        seconds=4,
        form=MP3,
        input={"voice": "Sarah"},
        trouble=0.5,
        prompt_field="text",
    ),
    Model(
        name="elevenlabs/speech-to-text",
        share=1,
        seconds=6,
        form=JSON,
        input={"audio_url": "https://example.com/talk.mp3"},
        prompt_field=None,
    ),
)
