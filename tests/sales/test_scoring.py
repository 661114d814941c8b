"""Scoring steps: fit and engagement in capped groups that fade, and a trained model with rules to fall back on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import InputError, SourceError, UnavailableError
from fairlead.playbooks import StepFailure, StepInput, StepRegistry, StepResult, check_files
from fairlead.sales import STEPS, with_models
from fairlead.understanding import NoModels
from tests.understanding.world import by_hand

if TYPE_CHECKING:
    from fairlead.understanding import Models
    from fairlead.understanding.predicting import LeadModel

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = """playbook: p
subject: lead
facts: {employees: int, seen: bool, country: string}
start: work
stages:
  work:
    step: %s
    with: %s
    next: done
  done: {end: done}
"""
GROUPS = """{fit: {cap: 50, rules: [
        {when: employees >= 50, add: 40, words: 50 people or more},
        {when: country == "DE", add: 30, words: in Germany},
        {when: country == "KP", add: -60, words: no business there}]},
      engagement: {cap: 40, half_life: 10d, rules: [
        {when: seen, add: 30, words: looked at the prices, at: seen_at},
        {when: seen, add: 5, words: knows us}]},
      grades: {A: 70, B: 30, C: 0}}"""
FRAMES = GROUPS.replace("half_life: 10d", "frames: [{within: 7d, keep: 1}, {within: 30d, keep: 0.5}]")
MODEL = """{model: lead-score, words: {visits: "visited {value} times"},
      rules: {base: 10, rules: [{when: employees >= 50, add: 30, words: 50 people or more}], grades: {A: 35, C: 0}}}"""


@dataclass
class Shelf:
    """Models as the step finds them; counts how often it is asked."""

    model: LeadModel | None = None
    error: Exception | None = None
    asked: int = 0

    def current(self, name: str) -> LeadModel | None:
        """What was put there."""
        assert name == "lead-score"
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.model


def run(step: str, config: str, *cases: dict[str, Any], models: Models | None = None) -> list[StepResult]:
    """What the step finds for these facts, compiled from a playbook as a workspace has it."""
    files = {"fairlead.toml": '[workspace]\nname = "T"\n', "playbooks/p.yaml": HEAD % (step, config)}
    registry = StepRegistry(with_models(STEPS, models or NoModels()))
    bundle, errors = check_files(files, registry, frozenset())
    if errors:
        raise errors[0]
    assert bundle is not None
    call: Any = bundle.playbooks["p"].runs["work"]
    return list(call([StepInput(f"case_{n}", facts, now=NOW) for n, facts in enumerate(cases)]))


def grouped(facts: dict[str, Any], config: str = GROUPS) -> dict[str, Any]:
    """What score-by-rules@2 finds for one case."""
    (found,) = run("score-by-rules@2", config, facts)
    assert isinstance(found, dict)
    return found


def ago(days: float) -> str:
    """A moment so many days before now."""
    return (NOW - timedelta(days=days)).isoformat()


def adds_up(found: dict[str, Any]) -> bool:
    """The reasons' numbers are the points, in tenths."""
    return round(sum(one["add"] for one in found["score_reasons"]) * 10) == round(found["points"] * 10)


def test_groups_are_capped_and_say_so() -> None:
    """Fit 70 counts for 50; engagement fresh counts in full; the cell tells both."""
    found = grouped({"employees": 80, "country": "DE", "seen": True, "seen_at": ago(0)})
    assert (found["fit_points"], found["engagement_points"], found["points"]) == (50, 35, 85)
    assert (found["grade"], found["cell"], found["confidence"]) == ("A", "A1", 0.85)
    assert {"words": "fit counts for at most 50", "add": -20, "group": "fit"} in found["score_reasons"]
    assert adds_up(found)


@pytest.mark.parametrize(
    ("config", "days", "points"),
    [(GROUPS, 0, 35), (GROUPS, 10, 20), (GROUPS, 20, 12.5), (GROUPS, -3, 35), (FRAMES, 7, 35), (FRAMES, 8, 20),
     (FRAMES, 31, 5)],
)  # fmt: skip
def test_engagement_fades_with_age(config: str, days: float, points: float) -> None:
    """By half-life or by time frame; what lies ahead is fresh, a rule without a moment does not fade."""
    found = grouped({"seen": True, "seen_at": ago(days)}, config)
    assert found["points"] == points
    assert adds_up(found)


def test_a_rule_without_its_moment_adds_nothing() -> None:
    """Neither does one whose moment cannot be read."""
    assert grouped({"seen": True})["points"] == 5
    assert grouped({"seen": True, "seen_at": "some day"})["points"] == 5
    assert grouped({"seen": True, "seen_at": 7})["points"] == 5


def test_what_speaks_against_takes_no_more_than_there_is() -> None:
    """A group never falls below 0, and says so."""
    found = grouped({"employees": 80, "country": "KP", "seen": True})
    assert (found["fit_points"], found["points"], found["cell"]) == (0, 5, "C3")
    assert "fit is never below 0" in {one["words"] for one in found["score_reasons"]}
    assert adds_up(found)


@given(st.integers(0, 200), st.sampled_from(["DE", "KP", "FR"]), st.booleans(), st.floats(-50, 400))
@settings(max_examples=25)
def test_reasons_always_add_up(employees: int, country: str, seen: bool, days: float) -> None:
    """For any facts, with a cap on the whole, too."""
    facts = {"employees": employees, "country": country, "seen": seen, "seen_at": ago(days)}
    found = grouped(facts, GROUPS.replace("grades:", "cap: 60, grades:"))
    assert adds_up(found)
    assert 0 <= found["points"] <= 60


@pytest.mark.parametrize(
    "config",
    [
        "{fit: {cap: 50, rules: []}, engagement: {cap: 5, rules: []}}", "{fit: {cap: 50}}",
        GROUPS.replace("half_life: 10d", "half_life: 10d, frames: [{within: 7d, keep: 1}]"),
        GROUPS.replace("half_life: 10d", "frames: [{within: 9d, keep: 1}, {within: 7d, keep: 1}]"),
        GROUPS.replace("cap: 50", "cap: 500"), GROUPS.replace("words: in Germany", "words: in Germany, at: seen_at"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_refused_with_its_place(config: str) -> None:
    """Before anything is deployed."""
    with pytest.raises(SourceError) as refused:
        run("score-by-rules@2", config, {})
    assert refused.value.place.line > 0


def test_the_model_in_use_scores_and_is_the_producer() -> None:
    """Points, grade, reasons in the workspace's words, the version as producer; asked for once a batch."""
    shelf = Shelf(replace(by_hand(), label="lead-score@3"))
    found = run("score-by-model@1", MODEL, {"visits": 9, "source": "Web"}, {}, models=shelf)
    assert shelf.asked == 1
    first = found[0]
    assert isinstance(first, dict)
    assert first["producer"] == "lead-score@3"
    assert first["confidence"] == pytest.approx(first["points"] / 100)
    assert "visited 9 times" in {one["words"] for one in first["score_reasons"]}
    assert first["scored_at"].startswith("2026-03-01T00:00:00")
    assert all(isinstance(one, dict) and adds_up(one) for one in found)
    assert first["grade"] in {"A", "B", "C"}


def test_own_grades_win_over_the_models() -> None:
    """Least points by name, as with rules."""
    config = MODEL.replace("{model: lead-score,", "{model: lead-score, grades: {hot: 1, cold: 0},")
    (found,) = run("score-by-model@1", config, {"visits": 9}, models=Shelf(by_hand()))
    assert isinstance(found, dict)
    assert found["grade"] == "hot"


def test_without_a_model_the_rules_score_and_say_what_is_missing() -> None:
    """The rules are a producer of their own, and the note says what a model needs."""
    (found,) = run("score-by-model@1", MODEL, {"employees": 60}, models=Shelf())
    assert isinstance(found, dict)
    assert (found["points"], found["grade"], found["producer"]) == (40, "A", "lead-rules@1")
    assert "1,000 past leads" in found["score_note"]


def test_rules_in_groups_can_stand_in_too() -> None:
    """Either form of rules."""
    config = "{model: lead-score, rules_producer: house-rules@4, rules: " + GROUPS + "}"
    (found,) = run("score-by-model@1", config, {"employees": 60})
    assert isinstance(found, dict)
    assert (found["points"], found["producer"], found["cell"]) == (40, "house-rules@4", "A3")


@pytest.mark.parametrize(
    ("error", "code", "retry"),
    [(InputError("x", code="model_tampered"), "model_tampered", False), (UnavailableError("x"), "unavailable", True)],
)
def test_a_model_that_must_not_be_trusted_scores_nobody(error: Exception, code: str, retry: bool) -> None:
    """Not even by rules: somebody has to look. While the database is away it is tried again."""
    for one in run("score-by-model@1", MODEL, {"employees": 60}, {}, models=Shelf(error=error)):
        assert isinstance(one, StepFailure)
        assert (one.code, one.retry) == (code, retry)


def test_neither_model_nor_rules_is_an_exception() -> None:
    """With words that say what to do."""
    (found,) = run("score-by-model@1", "{model: lead-score}", {}, models=Shelf())
    assert isinstance(found, StepFailure)
    assert found.code == "no_model"
    assert "fairlead train lead-score" in found.words


@pytest.mark.parametrize(
    "config", ["{model: Lead Score}", "{rules: {}}", "{model: a, words: [x]}", "{model: a, rules: 7}"]
)
def test_a_wrong_model_stage_is_refused(config: str) -> None:
    """Before anything is deployed."""
    with pytest.raises(SourceError):
        run("score-by-model@1", config, {})
