"""The built-in steps for leads: a score by rules with its reasons, and a team by territory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.kit.expressions import Condition, Environment, Unevaluable
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks import Step, StepFailure, StepInput, StepKind, StepResult, StepRun
from fairlead.sales.routing import STEPS as ROUTING_STEPS
from fairlead.sales.scoring import BY_GROUPS, NO_MODELS, given, grade_of, model_step, read_grades
from fairlead.understanding import Models

MAX_RULES = 200
MAX_TOLD_CHARS = 120


def _score_by_rules(config: Node | None, environment: Environment) -> StepRun:
    """`with: {base, rules: [{when, add, words}], grades: {A: 70, …}}`; points are kept between 0 and 100.

    Finds `points`, `confidence` (points / 100), `grade`, and `score_reasons`, whose numbers add up to the
    points. A rule that cannot be evaluated because its fact is missing adds nothing and is not among the
    reasons; one that fails on facts that are there, as a division by zero does, is an exception.
    """
    fields = given(config, "rules").mapping(allowed={"base", "grades"}, required=("rules",))
    base = fields["base"].number(least=0, most=100) if "base" in fields else 0.0
    rules: list[tuple[Condition, float, str]] = []
    for item in fields["rules"].items(least=1, most=MAX_RULES):
        rule = item.mapping(allowed=(), required=("when", "add", "words"))
        rules.append(
            (
                environment.condition(rule["when"]),
                rule["add"].number(least=-100, most=100),
                rule["words"].text(max_chars=200),
            )
        )
    grades = read_grades(fields["grades"]) if "grades" in fields else [(0.0, "none")]
    together = environment.together([condition for condition, _, _ in rules])

    def run(cases: Sequence[StepInput]) -> list[StepResult]:
        return [_score(case.facts) for case in cases]

    def _score(facts: Mapping[str, Any]) -> StepResult:
        results = together.evaluate(environment.bind(facts))
        for (condition, _, _), result in zip(rules, results, strict=True):
            if isinstance(result, Unevaluable) and not result.missing:
                return StepFailure("score", f"`{condition.source}` cannot be evaluated: {result.reason}")
        reasons = [{"words": "starting points", "add": base}] if base else []
        reasons += [
            {"words": words, "add": add}
            for (_, add, words), hit in zip(rules, results, strict=True)
            if hit is True and add
        ]
        total = sum(reason["add"] for reason in reasons)  # type: ignore[misc]
        points = min(100.0, max(0.0, total))
        if points != total:
            reasons.append({"words": "kept between 0 and 100", "add": points - total})
        grade = grade_of(grades, points)
        return {"points": points, "confidence": points / 100.0, "grade": grade, "score_reasons": reasons}

    return run


def _route_by_territory(config: Node | None, environment: Environment) -> StepRun:
    """`with: {territories: [{team, when}], otherwise: team}`; the first territory that fits.

    Finds `team`, `territory_reason`, and `territory_found`: team, condition ("" where none fits) and the values
    that it read. A territory that cannot be told because a fact is missing does not fit; one that fails on facts
    that are there is an exception.
    """
    fields = given(config, "territories").mapping(allowed=(), required=("territories", "otherwise"))
    arms: list[tuple[str, Condition]] = []
    for item in fields["territories"].items(least=1, most=MAX_RULES):
        arm = item.mapping(allowed=(), required=("team", "when"))
        arms.append((arm["team"].name(), environment.condition(arm["when"])))
    otherwise = fields["otherwise"].name()
    together = environment.together([condition for _, condition in arms])

    def run(cases: Sequence[StepInput]) -> list[StepResult]:
        return [_route(case) for case in cases]

    def _route(case: StepInput) -> StepResult:
        bound = environment.bind(case.facts)
        results = together.evaluate(bound)
        for (team, condition), result in zip(arms, results, strict=True):
            if result is True:
                read = {name: _told(bound.values[name]) for name in condition.reads if name in bound.values}
                found = {"team": team, "condition": condition.source, "values": read}
                return {"team": team, "territory_reason": condition.source, "territory_found": found}
            if isinstance(result, Unevaluable) and not result.missing:
                return StepFailure("territory", f"`{condition.source}` cannot be evaluated: {result.reason}")
        found = {"team": otherwise, "condition": "", "values": {}}
        return {"team": otherwise, "territory_reason": "no territory fits", "territory_found": found}

    return run


def _told(value: Any) -> Any:
    """A value that a condition read, short and as plain JSON."""
    return value if isinstance(value, (bool, int, float)) else str(value)[:MAX_TOLD_CHARS]


STEPS = (
    *ROUTING_STEPS,
    Step("score-by-rules@1", StepKind.PURE, _score_by_rules, plain=True),
    BY_GROUPS,
    model_step(NO_MODELS, _score_by_rules),
    Step("route-by-territory@1", StepKind.PURE, _route_by_territory, plain=True),
)


def with_models(steps: Sequence[Step], models: Models) -> list[Step]:
    """The same steps, `score-by-model@1` looking for its models there; the one in `STEPS` knows none."""
    scoring = model_step(models, _score_by_rules)
    return [scoring if step.name == scoring.name else step for step in steps]
