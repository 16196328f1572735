from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kie.families.results import Result, main_urls, read_result
from core.kie.report import ResultFile
from tests.unit.test_kie_lenient import JSON, RELAXED

A = "https://tempfile.aiquickdraw.com/x/a.png"
B = "https://new-host.example/b?x=1"
ONE = (ResultFile(A),)
UUID = "8551662c-7a3b-4c5d-8e9f-001122334455"


@pytest.mark.parametrize(
    "value, files",
    [
        ({"resultUrls": [A]}, ONE),
        ({"resultUrls": [A, B, A]}, (ResultFile(A), ResultFile(B))),
        ({"resultUrls": A}, ONE),
        ({"resultUrls": json.dumps([A])}, ONE),
        ({"resultUrls": [{"url": A}]}, ONE),
        ({"resultUrls": [{"audio_url": A}]}, ONE),
        ({"resultUrls": [{"resultUrl": A}]}, ONE),
        ({"resultUrls": [None, "", 5, "not a url", "ftp://h/a", A]}, ONE),
        ({"result_urls": [A]}, ONE),
        ({"data": [{"audio_url": A, "id": "1", "duration": 123.4, "image_url": B}]}, ONE),
        ({"data": [{"audio_url": "", "image_url": B}]}, ()),
        ({"url": A}, ONE),
        ({"videoUrl": A}, ONE),
        ({"audio_url": A}, ONE),
        ({"resultImageUrl": A}, ONE),
        ({"outputs": [A]}, ONE),
        ([A], ONE),
        ([{"url": A}], ONE),
        (A, ONE),
        ({"resultUrls": []}, ()),
        ({"resultUrls": None}, ()),
        ({"resultUrls": [], "videoUrl": A}, ONE),
        ({}, ()),
        (None, ()),
        ("", ()),
        (5, ()),
        (
            {"resultUrls": [A], "resultWaterMarkUrls": [B]},
            (ResultFile(A), ResultFile(B, "watermark")),
        ),
        (
            {"resultUrls": [A], "firstFrameUrl": [B], "lastFrameUrl": B + "2"},
            (ResultFile(A), ResultFile(B, "first_frame"), ResultFile(B + "2", "last_frame")),
        ),
        ({"resultUrls": [A], "resultWaterMarkUrls": [A]}, ONE),
    ],
)
@pytest.mark.parametrize("encodings", [0, 1, 2])
def test_files_are_found_in_every_shape_and_encoding(
    value: object, files: tuple[ResultFile, ...], encodings: int
) -> None:
    for _ in range(encodings):
        value = json.dumps(value)
    assert read_result(value).files == files


@pytest.mark.parametrize("junk", ["}", " trailing", '{"resultUrls": []}', "\x00"])
def test_junk_after_valid_json_is_ignored(junk: str) -> None:
    assert read_result(json.dumps({"resultUrls": [A]}) + junk).files == ONE


@pytest.mark.parametrize("text", [f'{{"resultUrls":["{A}', "[" * 100_000, "1" * 5_000, "<html>"])
def test_nothing_is_guessed_from_text_that_is_no_json(text: str) -> None:
    assert read_result(text) == Result()


@pytest.mark.parametrize(
    "value, text",
    [
        ({"resultObject": {"text": "привет", "words": []}}, '{"text": "привет", "words": []}'),
        ({"resultObject": '{"text": "hi"}'}, '{"text": "hi"}'),
        ({"resultObject": "plain words"}, '"plain words"'),
        ({"resultObject": {}}, None),
        ({"resultObject": None}, None),
        ({"resultUrls": [A]}, None),
    ],
)
def test_a_result_that_is_data_becomes_json_text(value: object, text: str | None) -> None:
    assert read_result(json.dumps(value)).result_object == text


TEMPFILE = f"https://tempfile.aiquickdraw.com/r/{UUID}.mp3"
STREAM = f"https://audiostream.kie.ai/stream/{UUID}.mp3"
MUSICFILE = f"https://musicfile.kie.ai/{base64.b64encode(UUID.encode()).decode()}"
OTHER = TEMPFILE.replace("8551662c", "00000000")


@pytest.mark.parametrize(
    "urls, kept",
    [
        ([STREAM, TEMPFILE], (TEMPFILE,)),
        ([TEMPFILE, STREAM], (TEMPFILE,)),
        ([MUSICFILE, OTHER, TEMPFILE], (TEMPFILE, OTHER)),
        ([MUSICFILE, STREAM], (MUSICFILE,)),
        ([TEMPFILE, TEMPFILE + "?part=2"], (TEMPFILE, TEMPFILE + "?part=2")),
        ([TEMPFILE, TEMPFILE.replace(".mp3", ".wav")], (TEMPFILE, TEMPFILE[:-3] + "wav")),
        (
            [TEMPFILE, TEMPFILE.replace(".mp3", "_Vocals.mp3")],
            (TEMPFILE, TEMPFILE[:-4] + "_Vocals.mp3"),
        ),
        (
            ["https://h/" + "A" * 48, "https://h/" + "-" * 36],
            ("https://h/" + "A" * 48, "https://h/" + "-" * 36),
        ),
    ],
)
def test_a_take_under_two_hosts_is_kept_once_from_tempfile(
    urls: list[str], kept: tuple[str, ...]
) -> None:
    assert main_urls(urls) == kept


@RELAXED
@given(JSON)
def test_no_shape_of_result_raises(value: object) -> None:
    assert isinstance(read_result(value), Result)
    assert isinstance(read_result({"resultUrls": value, "resultObject": value}), Result)


@RELAXED
@given(st.text())
def test_no_text_of_a_result_raises(text: str) -> None:
    assert isinstance(read_result(text), Result)
