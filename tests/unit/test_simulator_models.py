from __future__ import annotations

from typing import Any

import pytest

from simulator.models import complaint
from tests.support.simulator import IMAGE, SPEECH, VIDEO


@pytest.mark.parametrize("request_body", [IMAGE, VIDEO, SPEECH])
def test_a_good_request_is_not_complained_about(request_body: dict[str, Any]) -> None:
    assert complaint(request_body["model"], request_body["input"]) is None


@pytest.mark.parametrize("model", ["flux-3", None, ["flux-2/pro-text-to-image"]])
def test_a_wrong_model_id_has_its_own_text(model: object) -> None:
    words = complaint(model, IMAGE["input"])
    assert words is not None and words.startswith("The model name you specified is not supported.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": ""}, "This field is required: prompt"),
        ({"aspect_ratio": None}, "This field is required: aspect_ratio"),
        ({"aspect_ratio": "5:1"}, "aspect_ratio is not within the range of allowed options"),
        ({"prompt": 7}, "prompt must be of type str"),
        ({"nsfw_checker": "no"}, "nsfw_checker must be of type bool"),
        ({"prompt": "x" * 5001}, "prompt is too long, 5000 at most"),
    ],
)
def test_a_wrong_input_is_named(change: dict[str, Any], words: str) -> None:
    assert complaint(IMAGE["model"], IMAGE["input"] | change) == words


def test_kling_wants_its_duration_as_text() -> None:
    assert complaint(VIDEO["model"], VIDEO["input"] | {"duration": 5}) is not None


def test_input_must_be_an_object() -> None:
    assert complaint(IMAGE["model"], "a kite") == "This field is required: input"
