"""Answers that many ask for: found by one, kept for a while."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from webhook.kept import Kept


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_kept_and_then_found_again() -> None:
    time, answers = Time(), iter("abc")
    kept = Kept(lambda: next(answers), seconds=2, at_most=10, monotonic=time)
    assert [kept.get(), kept.get()] == ["a", "a"]
    time.now += 2
    assert kept.get() == "b"


def test_nobody_waits_for_anothers_look() -> None:
    time, looking, go_on, looks = Time(), Event(), Event(), []

    def look() -> str:
        looks.append(1)
        looking.set()
        assert go_on.wait(10)
        return f"look {len(looks)}"

    kept = Kept(look, seconds=2, at_most=10, monotonic=time)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.get)
        assert looking.wait(10)
        assert [kept.get() for _ in range(40)] == [None] * 40
        go_on.set()
        assert first.result() == "look 1"
        time.now += 2
        looking.clear()
        go_on.clear()
        second = pool.submit(kept.get)
        assert looking.wait(10)
        assert kept.get() == "look 1"
        time.now += 7.9
        assert kept.get() == "look 1"
        time.now += 0.1
        assert kept.get() is None
        go_on.set()
        assert second.result() == "look 2"


def test_a_look_that_fails_is_tried_again() -> None:
    answers = iter([ZeroDivisionError(), "well"])

    def look() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = Kept(look, seconds=2, at_most=10, monotonic=Time())
    with pytest.raises(ZeroDivisionError):
        kept.get()
    assert kept.get() == "well"
