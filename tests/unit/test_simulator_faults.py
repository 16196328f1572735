from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.faults import Faults, Switches
from simulator.scenario import ScenarioError, load, parse

SETTINGS = {"create_cut": {"probability": 0.3}}


def tasks_hit(seed: int, scenario: dict[str, Any], name: str = "create_cut") -> list[int]:
    switches = Switches(seed, parse(scenario))
    return [number for number in range(200) if switches.hit(name, number)]


def test_all_faults_are_off_by_default() -> None:
    assert parse({}) == Faults()


def test_the_same_seed_hits_the_same_tasks() -> None:
    assert tasks_hit(1, SETTINGS) == tasks_hit(1, SETTINGS)
    assert tasks_hit(1, SETTINGS) != tasks_hit(2, SETTINGS)


def test_a_probability_is_the_share_of_tasks_hit() -> None:
    assert 40 < len(tasks_hit(1, SETTINGS)) < 80


def test_the_order_of_calls_changes_nothing() -> None:
    switches = Switches(1, parse(SETTINGS))
    backwards = [number for number in reversed(range(200)) if switches.hit("create_cut", number)]
    assert sorted(backwards) == tasks_hit(1, SETTINGS)


def test_next_hits_the_next_calls_and_no_more() -> None:
    assert tasks_hit(1, {"create_cut": {"next": 2}}) == [0, 1]


def test_times_limits_the_calls_of_each_task() -> None:
    switches = Switches(1, parse({"record_html": {"times": 2}}))
    hits = [switches.hit("record_html", number) is not None for number in (1, 1, 1, 2)]
    assert hits == [True, True, False, True]


def test_new_faults_start_counting_anew() -> None:
    switches = Switches(1, parse({"create_cut": {"next": 1}}))
    assert switches.hit("create_cut", 1)
    switches.set(parse({"create_cut": {"next": 1}}))
    assert switches.hit("create_cut", 1)


def test_a_fault_without_value_gets_its_default() -> None:
    fault = parse({"create_refusal": True}).create_refusal
    assert fault is not None and fault.value == 402


def test_a_scenario_can_be_added_to_another() -> None:
    base = parse({"create_cut": True, "callback_none": True})
    merged = parse({"callback_none": False, "media_html": True}, base)
    assert (merged.create_cut, merged.callback_none) == (base.create_cut, None)
    assert merged.media_html is not None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ([], "JSON object"),
        ({"create_cutt": True}, "unknown fault: create_cutt"),
        ({"create_cut": 3}, "create_cut must be true"),
        ({"create_cut": {"often": 1}}, "unknown setting often"),
        ({"create_cut": {"probability": 2}}, "between 0 and 1"),
        ({"create_cut": {"next": 1, "times": 1}}, "next stands alone"),
        ({"create_cut": {"next": 1.5}}, "whole number"),
        ({"create_cut": {"value": 1}}, "takes no value"),
        ({"create_refusal": {"value": 200}}, "402 or 433"),
        ({"media_cut": {"value": -1}}, "media_cut: value must be"),
        ({"record_null": {"value": "long"}}, "record_null: value must be"),
    ],
)
def test_a_wrong_scenario_is_refused_in_words(settings: object, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        parse(settings)


def test_a_scenario_file_is_named_when_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "night.json"
    file.write_text("{")
    with pytest.raises(ScenarioError, match=r"night\.json"):
        load(file)


def test_a_scenario_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "night.json"
    file.write_text(json.dumps(SETTINGS))
    assert load(file) == parse(SETTINGS)


def test_the_page_about_the_simulator_names_every_fault() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")
    assert [name for name in Faults.__slots__ if f"`{name}`" not in page] == []
