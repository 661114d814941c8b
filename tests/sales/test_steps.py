"""The built-in steps: points with their reasons, and the first territory that fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from fairlead.errors import SourceError
from fairlead.playbooks import StepFailure, StepInput, StepResult, check_files
from fairlead.sales import STEPS
from fairlead.testing.seed import seeded_library

HEAD = """playbook: p
subject: lead
facts: {country: string, employees: int, value: double, vip: bool}
start: work
stages:
  work:
    step: %s
    with: %s
    next: done
  done: {end: done}
"""
SCORE = """{base: 20, grades: {A: 70, B: 45, C: 0}, rules: [
      {when: employees >= 50, add: 30, words: 50 people or more},
      {when: value >= 1000.0, add: 40.5, words: a large deal},
      {when: vip, add: 60, words: a VIP},
      {when: country == "KP", add: -100, words: no business there}]}"""
ROUTE = """{otherwise: rest, territories: [
      {team: dach, when: 'country in ["DE", "AT"]'},
      {team: europe, when: 'country in ["DE", "FR"]'},
      {team: big, when: employees >= 500}]}"""


def run(step: str, config: str, *cases: dict[str, Any]) -> list[StepResult]:
    """What the step finds for these facts, compiled from a playbook as a workspace has it."""
    library = seeded_library()
    files = {
        "fairlead.toml": '[workspace]\nname = "T"\ncurrency = "EUR"\n',
        "playbooks/p.yaml": HEAD % (step, config),
    }
    bundle, errors = check_files(files, library.registry, library.connectors)
    if errors:
        raise errors[0]
    assert bundle is not None
    call = bundle.playbooks["p"].runs["work"]
    inputs = [StepInput(f"case_{n}", facts) for n, facts in enumerate(cases)]
    return list(call(inputs))


def scored(facts: dict[str, Any], config: str = SCORE) -> dict[str, Any]:
    """What the score step finds for one case."""
    (found,) = run("score-by-rules@1", config, facts)
    assert isinstance(found, dict)
    return found


def routed(facts: dict[str, Any]) -> tuple[str, str]:
    """Team and reason for one case."""
    (found,) = run("route-by-territory@1", ROUTE, facts)
    assert isinstance(found, dict)
    return found["team"], found["territory_reason"]


def test_points_come_with_their_reasons() -> None:
    """Each rule that holds is named with what it added, the starting points first."""
    found = scored({"employees": 80, "value": 1000.0, "vip": False})

    assert found["points"] == 90.5
    assert found["confidence"] == 0.905
    assert found["grade"] == "A"
    assert found["score_reasons"] == [
        {"words": "starting points", "add": 20},
        {"words": "50 people or more", "add": 30},
        {"words": "a large deal", "add": 40.5},
    ]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "employees": st.integers(-(10**6), 10**6),
            "value": st.floats(0, 1e7),
            "vip": st.booleans(),
            "country": st.sampled_from(["DE", "KP", ""]),
            "other": st.text(max_size=5),
        },
    )
)
def test_reasons_add_up_to_the_points(facts: dict[str, Any]) -> None:
    """Whatever is known and whatever is missing: the sum is the score, from 0 to 100, with its grade."""
    found = scored(facts)

    assert sum(reason["add"] for reason in found["score_reasons"]) == pytest.approx(found["points"], abs=1e-9)
    assert 0 <= found["points"] <= 100
    assert found["confidence"] == pytest.approx(found["points"] / 100)
    assert found["grade"] == ("A" if found["points"] >= 70 else "B" if found["points"] >= 45 else "C")


@pytest.mark.parametrize(
    ("facts", "points", "kept"),
    [
        ({"employees": 80, "value": 5000.0, "vip": True}, 100.0, -50.5),
        ({"country": "KP"}, 0.0, 80.0),
    ],
    ids=["above", "below"],
)
def test_points_stay_between_0_and_100(facts: dict[str, Any], points: float, kept: float) -> None:
    """What was cut off stands among the reasons, so that they still add up."""
    found = scored(facts)

    assert found["points"] == points
    assert found["score_reasons"][-1] == {"words": "kept between 0 and 100", "add": kept}


def test_what_is_not_known_adds_nothing() -> None:
    """No rule guesses about a missing fact, nor about one of the wrong type."""
    assert scored({})["points"] == 20
    assert scored({"employees": "many", "value": float("nan")})["points"] == 20


def test_without_base_and_grades() -> None:
    """Points begin at 0, no reason stands for nothing, and the grade is `none`."""
    found = scored({}, "{rules: [{when: vip, add: 5, words: a VIP}]}")

    assert found == {"points": 0.0, "confidence": 0.0, "grade": "none", "score_reasons": []}


def test_below_the_lowest_grade_the_lowest_counts() -> None:
    """Grades need not reach down to 0."""
    config = "{rules: [{when: vip, add: 5, words: a VIP}], grades: {top: 90, fair: 50}}"

    assert scored({"vip": True}, config)["grade"] == "fair"


def test_a_rule_that_fails_is_an_exception_of_its_case_alone() -> None:
    """A division by zero is the policy author's to mend; the case beside it is scored."""
    config = "{rules: [{when: 100 / employees < 3, add: 5, words: large}]}"
    failed, fine, unknown = run("score-by-rules@1", config, {"employees": 0}, {"employees": 50}, {})

    assert isinstance(failed, StepFailure)
    assert failed.code == "score"
    assert "100 / employees < 3" in failed.words
    assert isinstance(fine, dict)
    assert fine["points"] == 5
    assert isinstance(unknown, dict)
    assert unknown["points"] == 0


@pytest.mark.parametrize(
    ("facts", "team", "reason"),
    [
        ({"country": "DE", "employees": 900}, "dach", 'country in ["DE", "AT"]'),
        ({"country": "FR", "employees": 900}, "europe", 'country in ["DE", "FR"]'),
        ({"country": "US", "employees": 900}, "big", "employees >= 500"),
        ({"country": "US", "employees": 9}, "rest", "no territory fits"),
        ({"employees": 900}, "big", "employees >= 500"),
        ({"country": 7, "employees": 900}, "big", "employees >= 500"),
        ({}, "rest", "no territory fits"),
    ],
    ids=["first", "second", "third", "none", "country missing", "country no text", "nothing known"],
)
def test_the_first_territory_that_fits(facts: dict[str, Any], team: str, reason: str) -> None:
    """In the order of the playbook; what cannot be told because a fact is missing does not fit."""
    assert routed(facts) == (team, reason)


def test_a_territory_that_fails_is_an_exception() -> None:
    """It is not passed over: the lead might belong there."""
    config = "{otherwise: rest, territories: [{team: t, when: 100 / employees < 3}]}"
    (found,) = run("route-by-territory@1", config, {"employees": 0})

    assert isinstance(found, StepFailure)
    assert found.code == "territory"


@pytest.mark.parametrize(
    ("step", "config", "match"),
    [
        ("score-by-rules@1", "{base: 20}", "rules"),
        ("score-by-rules@1", "{rules: []}", "0 items"),
        ("score-by-rules@1", "{base: 101, rules: [{when: vip, add: 1, words: w}]}", "100"),
        ("score-by-rules@1", "{rules: [{when: vip, add: 101, words: w}]}", "100"),
        ("score-by-rules@1", "{rules: [{when: vipp, add: 1, words: w}]}", "vip"),
        ("score-by-rules@1", "{rules: [{when: employees, add: 1, words: w}]}", "true or false"),
        ("score-by-rules@1", "{rules: [{when: vip, add: 1, word: w}]}", "words"),
        ("score-by-rules@1", "{rules: [{when: vip, add: 1, words: w}], grades: {}}", "grade"),
        ("route-by-territory@1", "{territories: [{team: t, when: vip}]}", "otherwise"),
        ("route-by-territory@1", "{otherwise: rest}", "territories"),
        ("route-by-territory@1", "{otherwise: rest, territories: [{team: 'a b', when: vip}]}", "a b"),
    ],
)
def test_a_wrong_configuration_is_found_at_check(step: str, config: str, match: str) -> None:
    """With its place in the file, before anything is deployed."""
    with pytest.raises(SourceError, match=match) as raised:
        run(step, config)

    assert raised.value.place.file == "playbooks/p.yaml"
    assert raised.value.place.line >= 7


def test_the_steps_have_their_names() -> None:
    """Workspaces refer to them by name and major version."""
    assert {"score-by-rules@1", "route-by-territory@1", "assign-owner@1"} <= {step.name for step in STEPS}
