from __future__ import annotations

import pytest

from core.kie.families.kinds import kind_of_model


@pytest.mark.parametrize(
    "model, kind",
    [
        ("flux-2/pro-text-to-image", "image"),
        ("flux-2/pro-image-to-image", "image"),
        ("kling-2.6/text-to-video", "video"),
        ("kling-2.6/image-to-video", "video"),
        ("google/nano-banana", "image"),
        ("google/nano-banana-edit", "image"),
        ("nano-banana-pro", "image"),
        ("nano-banana-2-lite", "image"),
        ("bytedance/seedream-v4-text-to-image", "image"),
        ("sora-2-text-to-video", "video"),
        ("wan/2-5-text-to-video", "video"),
        ("wan/2-2-a14b-speech-to-video-turbo", "video"),
        ("bytedance/seedance-2", "video"),
        ("elevenlabs/text-to-speech-multilingual-v2", "audio"),
        ("elevenlabs/sound-effect-v2", "audio"),
        ("elevenlabs/audio-isolation", "audio"),
        ("elevenlabs/speech-to-text", "text"),
        ("veo-3-1", "video"),
        ("veo/get-1080p-video", "video"),
        ("hailuo/2-3-pro", "video"),
        ("ai-music-api/generate", "audio"),
        ("ai-music-api/generate-lyrics", "text"),
        ("ai-music-api/create-music-video", "video"),
        ("4o-image-api", "image"),
        ("flux1-kontext", "image"),
        ("runway", "video"),
        ("runway/gen4-aleph", "video"),
        ("infinitalk/from-audio", "video"),
        ("Suno/V5", "audio"),
        ("taiwan/something", None),
        ("grok-imagine/upscale", None),
        ("", None),
    ],
)
def test_a_models_name_tells_what_it_makes(model: str, kind: str | None) -> None:
    assert kind_of_model(model) == kind
