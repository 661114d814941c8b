"""The step `experiment@1` in a playbook: the arm decides the way, and what came of it is compared."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.experiments import experiment_named, stop_experiment
from fairlead.insight import State, report_of
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import CaseState, StepRegistry, check_files
from fairlead.trials import STEPS, check_experiments
from tests.experiments.plans import PLAN
from tests.playbooks.world import playbook

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.playbooks.world import World

WON = PLAN.replace("{event: replied, within: 14d}", "{ended: won, within: 30d}")
STAGES = """\
  draw: {step: experiment@1, with: {name: first-mail, into: variant, when: price > 10.0}, next: which}
  which:
    branch: [{when: variant == "short", next: brief}]
    otherwise: lost
  brief: {wait: time, for: 1d, next: {timeout: won}}
  won: {end: won}
  lost: {end: lost}
"""
TYPES = "facts: {country: string, price: double, variant: string}\n"


def flow(stages: str = STAGES, facts: str = TYPES) -> str:
    """A playbook that goes by the arm."""
    return playbook(stages).replace("stages:", f"{facts}stages:", 1)


@pytest.fixture
def trial(make_world: Callable[..., World]) -> World:
    """With the step, the playbook and the experiment."""
    made = make_world()
    made.deploy(flow(), **{"experiments.yaml": WON})
    return made


def opened(world: World, many: int, **facts: object) -> dict[str, str]:
    """That many cases of customers of their own; customer by case."""
    people = [world.customer() for _ in range(many)]
    return {world.open({"country": "DE", "price": 20.0, **facts}, customer=one): one for one in people}


def test_the_arm_decides_the_way_and_is_judged_by_the_end(trial: World) -> None:
    """Each case goes as drawn, says so in its facts, and at the planned number the difference is told."""
    cases = opened(trial, 70)
    trial.run()
    trial.later(days=40)
    rows = [trial.case(one) for one in cases]
    arms = Counter(row.facts["variant"] for row in rows)
    assert {(row.facts["variant"], row.end, row.facts["variant_why"]) for row in rows} == {
        ("short", "won", "drawn"), ("long", "lost", "drawn"),
    }  # fmt: skip
    with trial.database.reading() as reader:
        found = report_of(reader, "first-mail", trial.clock.now())
    assert {one.name: one.n for one in found.figures.arms} == arms
    assert found.comparison is not None
    assert found.comparison.state is State.READ
    assert [(one.name, one.rate) for one in found.comparison.arms] == [("long", 0.0), ("short", 1.0)]
    assert found.comparison.differences[0].clear


def test_only_where_the_arm_matters_anybody_counts(trial: World) -> None:
    """A cheap case goes on with the other arm and is not written down; what cannot be told is an exception."""
    [cheap] = opened(trial, 1, price=5.0)
    odd = trial.open({"country": "DE"}, customer=trial.customer())
    trial.run()
    assert trial.case(cheap).facts["variant_why"] == "the arm does not matter here"
    assert trial.case(cheap).end == "lost"
    assert trial.where(odd) == (CaseState.EXCEPTION, "draw")
    with trial.database.reading() as reader:
        assert report_of(reader, "first-mail", trial.clock.now()).figures.n == 0


def test_after_the_stop_new_cases_go_the_winners_way(trial: World) -> None:
    """Also those where the arm did not matter, and those of nobody; none of them counts."""
    with trial.database.transaction() as uow:
        stop_experiment(uow, SYSTEM, "first-mail", "short")
    cases = [*opened(trial, 3), *opened(trial, 1, price=5.0), trial.open({"country": "DE", "price": 20.0})]
    trial.run()
    trial.later(days=2)
    assert {trial.case(one).end for one in cases} == {"won"}
    with trial.database.reading() as reader:
        found = report_of(reader, "first-mail", trial.clock.now())
    assert (found.figures.n, found.comparison and found.comparison.state) == (0, State.OVER)


def test_events_count_within_their_time_and_for_the_whole_family(make_world: Callable[..., World]) -> None:
    """A reply before the draw or after the time is none; each customer hits once."""
    world = make_world()
    world.deploy(flow(), **{"experiments.yaml": PLAN})
    cases = opened(world, 44)
    people = list(cases.values())
    world.happens("replied", people[0])
    world.clock.advance(timedelta(minutes=1))
    world.run()
    world.later(days=1)
    for one in people[1:9]:
        world.happens("replied", one)
        world.happens("replied", one)
    world.happens("clicked", people[10])
    world.later(days=14)
    world.happens("replied", people[11])
    with world.database.reading() as reader:
        found = report_of(reader, "first-mail", world.clock.now()).comparison
        assert experiment_named(reader, "first-mail").n == 44
    assert found is not None
    assert found.open == 0
    counted = sum(one.hits for one in found.arms)
    assert counted == 8 if found.later == 0 else counted <= 8


@pytest.mark.parametrize(
    ("stages", "facts", "file", "words"),
    [
        (STAGES.replace("name: first-mail", "name: first-mial"), TYPES, PLAN, "Did you mean 'first-mail'?"),
        (STAGES, TYPES, None, "declares no experiment"),
        (STAGES, TYPES.replace("country: string", "country: double"), PLAN, "as string, and playbook"),
        (STAGES, TYPES, WON.replace("won", "wom"), "ends as none of wom"),
        (STAGES.replace("into: variant", "to: variant"), TYPES, PLAN, "Unknown key 'to'"),
        (STAGES.replace("price > 10.0", "prize > 10.0"), TYPES, PLAN, "Did you mean 'price'?"),
        (
            STAGES.replace(", with: {name: first-mail, into: variant, when: price > 10.0}", ""),
            TYPES,
            PLAN,
            "with: {name",
        ),
        (STAGES, TYPES, PLAN.replace("per_arm", "per"), "Did you mean"),
    ],
)
def test_check_says_what_does_not_fit(stages: str, facts: str, file: str | None, words: str) -> None:
    """Experiment and playbook against one another, before anything is deployed."""
    files = {"playbooks/a.yaml": flow(stages, facts)} | ({"experiments.yaml": file} if file else {})
    bundle, errors = check_files(files, StepRegistry(STEPS, (check_experiments,)), frozenset())
    assert bundle is None
    assert any(words in f"{one.message} {one.suggestion}" for one in errors), [one.as_dict() for one in errors]


def test_check_is_content_with_what_fits() -> None:
    """No mistake."""
    files = {"playbooks/a.yaml": flow(), "experiments.yaml": WON}
    assert check_files(files, StepRegistry(STEPS, (check_experiments,)), frozenset())[1] == []
