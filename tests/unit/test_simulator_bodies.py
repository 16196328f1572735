from __future__ import annotations

import pytest

from simulator import bodies

URLS = ["https://media.test/1.mp3", "https://media.test/2.mp3"]


def test_the_signature_is_the_one_of_the_known_vector() -> None:
    signature = bodies.sign("whk_test_0123456789abcdef", "task_12345678", "1769670760")
    assert signature == "TYFVnbGVXtraSUXEgUPqUopzMLa09p0yubG2jPLsEx4="


def test_a_market_failure_has_code_501() -> None:
    assert bodies.market({"taskId": "t", "state": "fail"})["code"] == 501


@pytest.mark.parametrize(
    ("family", "path"),
    [
        ("veo", ("data", "taskId")),
        ("suno", ("data", "task_id")),
        ("gpt4o_image", ("data", "taskId")),
        ("flux_kontext", ("data", "taskId")),
        ("runway", ("data", "task_id")),
        ("aleph", ("taskId",)),
    ],
)
@pytest.mark.parametrize("failed", [False, True])
def test_each_family_keeps_the_id_in_its_own_place(
    family: str, path: tuple[str, ...], failed: bool
) -> None:
    found = bodies.FAMILIES[family]("t1", URLS, failed=failed)
    assert (found["code"] == 200) is not failed
    for key in path:
        found = found[key]
    assert found == "t1"


@pytest.mark.parametrize(
    ("stage", "audio"), [("text", ["", ""]), ("first", [URLS[0], ""]), ("complete", URLS)]
)
def test_suno_fills_in_its_tracks_stage_by_stage(stage: str, audio: list[str]) -> None:
    data = bodies.suno("t1", URLS, stage=stage)["data"]
    assert data["callbackType"] == stage
    assert [track["audio_url"] for track in data["data"]] == audio


@pytest.mark.parametrize("place", bodies.ID_PLACES)
def test_the_id_can_be_moved_to_each_of_the_four_places(place: str) -> None:
    moved = bodies.with_id_at(
        {"code": 200, "data": {"taskId": "t1", "state": "success"}}, "t1", place
    )
    flat = {key: value for key, value in moved.items() if key != "data"}
    flat |= {f"data.{key}": value for key, value in moved["data"].items()}
    assert [at for at in bodies.ID_PLACES if at in flat] == [place]
    assert flat[place] == "t1"
