"""Words of what an operator does."""

from __future__ import annotations

from collections.abc import Mapping

from core.operator import MAX_REASON_LENGTH
from dashboard import formats
from dashboard.acts.plan import Act, Cost

THIS_ONE = "this generation"  # how one is chosen, in the timeline

LABEL: Mapping[Act, str] = {
    Act.LOOK_AGAIN: "Look again now",
    Act.GIVE_UP: "Give up…",
    Act.ATTACH: "Attach a task id…",
    Act.SEND_AGAIN: "Send again (may pay twice)…",
}
ICON: Mapping[Act, str] = {
    Act.LOOK_AGAIN: ":material/refresh:",
    Act.GIVE_UP: ":material/block:",
    Act.ATTACH: ":material/link:",
    Act.SEND_AGAIN: ":material/warning:",
}
HELP: Mapping[Act, str] = {
    Act.LOOK_AGAIN: "Asks KIE, or fetches the file, as soon as a worker is free. Costs nothing.",
    Act.GIVE_UP: "Ends it as failed. Should its file turn up later, it is delivered all the same.",
    Act.ATTACH: "Names KIE's task, as found in KIE's log. Taken once KIE confirms it.",
    Act.SEND_AGAIN: "Submits it once more. KIE may have made a task of it already: then both "
    "are paid.",
}
TITLE: Mapping[Act, str] = {
    Act.LOOK_AGAIN: "Look again now",
    Act.GIVE_UP: "Give up",
    Act.ATTACH: "Attach a task id",
    Act.SEND_AGAIN: "Send again",
}
DONE: Mapping[Act, str] = {
    Act.LOOK_AGAIN: "Due now: looked at as soon as a worker is free.",
    Act.GIVE_UP: "Given up. A file that turns up later is delivered all the same.",
    Act.ATTACH: "Noted: KIE is asked whether the task is this one.",
    Act.SEND_AGAIN: "Due now: submitted once more.",
}
_WOULD: Mapping[Act, str] = {
    Act.LOOK_AGAIN: "Would look at",
    Act.GIVE_UP: "Would give up",
    Act.ATTACH: "Would attach the task to",
    Act.SEND_AGAIN: "Would send again",
}
NOT_DONE = "Not done"

REASON = "Reason"
REASON_HELP = "Stands in the timeline, and is the error that the application sees."
TASK_ID = "KIE's task id"
CONFIRM = "I accept that this may be paid twice"
CLOSE = "Close"

MISSING: Mapping[Act, str] = {
    Act.GIVE_UP: f"Give a reason of 1 to {MAX_REASON_LENGTH} characters.",
    Act.ATTACH: "Give the task id.",
    Act.SEND_AGAIN: "Tick the box first.",
}

GENERATION, MODEL, OUTCOME = "Generation", "Model", "Outcome"


def submit(act: Act, number: int) -> str:
    """The button that does it."""
    return {
        Act.LOOK_AGAIN: f"Look again at {formats.count(number)}",
        Act.GIVE_UP: f"Give up {formats.count(number)}",
        Act.ATTACH: "Attach",
        Act.SEND_AGAIN: f"Send {formats.count(number)} again",
    }[act]


def would(act: Act, possible: int, refused: int) -> str:
    """What would happen, before anything does: `would look at 123: 100 now, 23 cannot`."""
    all_of_them = f"{_WOULD[act]} {formats.count(possible + refused)}"
    if not refused:
        return f"{all_of_them}."
    return f"{all_of_them}: {formats.count(possible)} now, {formats.count(refused)} cannot."


def cannot(number: int, why: str) -> str:
    """Some that would be refused, and the reason of all of them."""
    return f"{formats.count(number)} cannot: {why}"


def outcome(why: str | None) -> str:
    """In a table: not done yet (None), done (''), or why not."""
    if why is None:
        return "would be done"
    return f"cannot: {why}" if why else "done"


def doing(done: int, number: int) -> str:
    """How far it is."""
    return f"{formats.count(done)} of {formats.count(number)}"


def did(done: int, refusals: int) -> str:
    """What has happened."""
    all_done = f"{formats.count(done)} done"
    return f"{all_done}, {formats.count(refusals)} refused." if refusals else f"{all_done}."


def cost(expected: Cost) -> str:
    """What sending again is likely to cost."""
    if expected.credits is None:
        return "Usual cost of the models: unknown."
    known = f"Usually costs about {formats.credits(expected.credits)} credits"
    if not expected.unknown:
        return f"{known}."
    return f"{known}, and {formats.count(expected.unknown)} more at unknown cost."
