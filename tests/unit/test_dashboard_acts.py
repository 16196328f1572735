"""The operator's buttons: what is offered for which generation, asked back, done and told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.generation.model import Generation, Status
from core.generation.schedule import Policy
from core.kie.report import Accepted, Unknown
from core.store.stuck import Usual
from dashboard.access.policy import Role
from dashboard.acts.dialog import outcome_table
from dashboard.acts.plan import HELD, Act, Cost, expected_cost, plan, refusal
from dashboard.words import acts as words
from tests.support.clock import NOON
from tests.support.dashboard import PATIENCE_SECONDS, Dashboard, texts
from tests.support.fake_kie import report
from tests.support.world import World


def one_generation(generation_id: str, role: str) -> None:
    """A page that shows the buttons of one generation."""
    from dashboard import resources
    from dashboard.access.login import Visitor
    from dashboard.access.policy import Role
    from dashboard.acts.buttons import offer_acts

    generation = resources.core().queries.by_id(generation_id)
    assert generation is not None
    offer_acts(generation, Visitor(Role(role), "ann"), key="one")


def open_page(generation: Generation, role: Role = Role.OPERATOR) -> AppTest:
    arguments = {"generation_id": generation.id, "role": role.value}
    page = AppTest.from_function(one_generation, kwargs=arguments, default_timeout=PATIENCE_SECONDS)
    return page.run()


def offered(page: AppTest) -> set[Act]:
    keys = {button.key for button in page.button}
    return {act for act in Act if f"one_{act}" in keys}


def act(page: AppTest, wanted: Act) -> AppTest:
    return page.button(key=f"one_{wanted}").click().run()


def submit(page: AppTest) -> AppTest:
    page.button(key="acts_submit").click().run()
    assert not page.exception
    return page


def unknown(world: World) -> Generation:
    """A generation of which nobody knows whether KIE took it."""
    world.kie.create_script = [Unknown("timed out"), Accepted("second")]
    return world.advance(world.add())


def delivered(world: World) -> Generation:
    world.finish()
    return world.advance(world.add_submitted())


def failed(world: World) -> Generation:
    world.kie.will_say("task-1", report(state="fail"))
    return world.advance(world.add_submitted())


def last_detail(world: World, generation: Generation) -> dict[str, Any]:
    return dict(world.core.queries.events_of(generation)[-1]["detail"])


@pytest.mark.parametrize(
    ("make", "acts"),
    [
        (World.add, {Act.LOOK_AGAIN, Act.GIVE_UP}),
        (World.add_submitted, {Act.LOOK_AGAIN, Act.GIVE_UP}),
        (unknown, {Act.GIVE_UP, Act.ATTACH, Act.SEND_AGAIN}),
        (delivered, set()),
        (failed, set()),
    ],
)
def test_only_what_does_good_is_offered(
    dashboard: Dashboard, make: Callable[[World], Generation], acts: set[Act]
) -> None:
    assert offered(open_page(make(dashboard.world))) == acts


def test_a_viewer_is_offered_nothing(dashboard: Dashboard) -> None:
    assert not open_page(dashboard.world.add_submitted(), Role.VIEWER).button


def test_looking_again_is_done_at_once_and_told(dashboard: Dashboard) -> None:
    world = dashboard.world
    generation = world.add_submitted(due_at=world.clock() + timedelta(hours=1))
    page = act(open_page(generation), Act.LOOK_AGAIN)
    assert page.toast[0].value == words.DONE[Act.LOOK_AGAIN]
    assert last_detail(world, generation) == {"by": "ann", "selection": "this generation", "of": 1}
    assert world.row(generation).due_at != generation.due_at


def test_giving_up_needs_a_reason(dashboard: Dashboard) -> None:
    generation = dashboard.world.add_submitted()
    page = submit(act(open_page(generation), Act.GIVE_UP))
    assert words.MISSING[Act.GIVE_UP] in texts(page)
    assert dashboard.world.row(generation) == generation


def test_giving_up_ends_it_with_the_reason_and_closes_the_dialog(dashboard: Dashboard) -> None:
    generation = dashboard.world.add_submitted()
    page = act(open_page(generation), Act.GIVE_UP)
    page.text_area[0].set_value("not wanted")
    submit(page)
    row = dashboard.world.row(generation)
    assert (row.status, row.error) == (Status.FAILED, "not wanted")
    assert page.toast[0].value == words.DONE[Act.GIVE_UP]
    assert not page.text_area


def test_what_core_refuses_is_said_in_words_and_can_be_tried_again(dashboard: Dashboard) -> None:
    generation = dashboard.world.add_submitted()
    page = act(open_page(generation), Act.GIVE_UP)
    dashboard.world.core.store.claims.claim(generation.id, "a0")
    page.text_area[0].set_value("not wanted")
    submit(page)
    assert "Not done: a worker is on it right now" in page.error[0].value
    assert page.button(key="acts_submit").label == "Give up 1"


def test_an_attached_task_id_is_kept_until_kie_confirms_it(dashboard: Dashboard) -> None:
    generation = unknown(dashboard.world)
    page = act(open_page(generation), Act.ATTACH)
    page.text_input[0].set_value("found-1")
    submit(page)
    assert dashboard.world.row(generation).candidate_task_id == "found-1"


@pytest.mark.parametrize("task_id", ["two words", "**bold** :red[x]", "ünsafe"])
def test_what_is_no_task_id_is_refused(dashboard: Dashboard, task_id: str) -> None:
    generation = unknown(dashboard.world)
    page = act(open_page(generation), Act.ATTACH)
    page.text_input[0].set_value(task_id)
    submit(page)
    assert "a task id has 1" in page.error[0].value
    assert dashboard.world.row(generation).candidate_task_id is None


def test_sending_again_names_the_cost_and_wants_to_be_confirmed(dashboard: Dashboard) -> None:
    generation = unknown(dashboard.world)
    page = submit(act(open_page(generation), Act.SEND_AGAIN))
    assert "unknown" in page.warning[0].value
    assert words.MISSING[Act.SEND_AGAIN] in texts(page)
    assert dashboard.world.row(generation).submit_started_at is not None


def test_what_is_sent_again_is_sent_once_however_often_it_is_clicked(dashboard: Dashboard) -> None:
    generation = unknown(dashboard.world)
    page = act(open_page(generation), Act.SEND_AGAIN)
    page.checkbox[0].check()
    submit(page)
    assert Act.SEND_AGAIN not in offered(page)
    assert dashboard.world.events(generation).count("operator.sent_again") == 1


def test_an_open_dialog_outlives_a_run_of_the_page(dashboard: Dashboard) -> None:
    page = act(open_page(dashboard.world.add_submitted()), Act.GIVE_UP)
    assert page.run().text_area


def test_an_open_dialog_is_not_shown_over_another_generation(dashboard: Dashboard) -> None:
    page = act(open_page(dashboard.world.add_submitted()), Act.GIVE_UP)
    page.kwargs = {**(page.kwargs or {}), "generation_id": dashboard.world.add().id}
    assert not page.run().text_area


def made(number: int = 0, **fields: Any) -> Generation:
    times = {"created_at": NOON, "updated_at": NOON}
    values = {"id": f"g-{number}", "family": "market", "model": "m", "input": {}}
    return Generation(**{**values, **times, **fields})


def test_a_plan_tells_apart_what_would_be_done_and_why_the_rest_would_not() -> None:
    done = {"status": Status.SUCCESS, "asset_url": "u"}
    generations = [made(0), made(1, **done), made(2, **done), made(3, submit_started_at=NOON)]
    would = plan(Act.LOOK_AGAIN, generations, NOON, Policy())
    assert [one.id for one in would.possible] == ["g-0"]
    assert [number for _, number in would.reasons] == [2, 1]
    assert set(would.refused) == {"g-1", "g-2", "g-3"}


@pytest.mark.parametrize(
    ("wanted", "lease_s", "why"),
    [
        (Act.GIVE_UP, 0, HELD),
        (Act.GIVE_UP, -1, None),
        (Act.LOOK_AGAIN, 60, None),
    ],
)
def test_what_a_worker_holds_can_only_be_woken(wanted: Act, lease_s: int, why: str | None) -> None:
    held = made(task_id="t", lease_until=NOON + timedelta(seconds=lease_s))
    assert refusal(wanted, held, NOON, Policy()) == why


@pytest.mark.parametrize(
    ("models", "cost", "said"),
    [
        (["a", "a"], Cost(5.0, 0), "Usually costs about 5 credits."),
        (["a", "b"], Cost(2.5, 1), "Usually costs about 2.5 credits, and 1 more at unknown cost."),
        (["c"], Cost(None, 1), "Usual cost of the models: unknown."),
    ],
)
def test_the_cost_is_what_the_models_usually_cost(models: list[str], cost: Cost, said: str) -> None:
    usual = {"a": Usual(9, 1, 1, 2.5), "b": Usual(9, 1, 1)}
    found = expected_cost([made(model=model) for model in models], usual)
    assert found == cost
    assert words.cost(found) == said


def test_outcomes_are_told_for_each() -> None:
    table = outcome_table([made(number) for number in range(3)], {"g-0": "", "g-1": "it is over"})
    assert table["outcome"].tolist() == ["done", "cannot: it is over", "would be done"]
    assert table["generation"].tolist() == [f"task?id=g-{number}" for number in range(3)]
