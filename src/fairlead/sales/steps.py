"""The built-in steps for leads: a score by rules with its reasons, and a team by territory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.errors import Place, SourceError
from fairlead.kit.expressions import Condition, Environment, Unevaluable
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks import Step, StepFailure, StepInput, StepKind, StepResult, StepRun

MAX_RULES = 200


def _score_by_rules(config: Node | None, environment: Environment) -> StepRun:
    """`with: {base, rules: [{when, add, words}], grades: {A: 70, …}}`; points are kept between 0 and 100.

    Finds `points`, `confidence` (points / 100), `grade`, and `score_reasons`, whose numbers add up to the
    points. A rule that cannot be evaluated because its fact is missing adds nothing and is not among the
    reasons; one that fails on facts that are there, as a division by zero does, is an exception.
    """
    fields = _given(config, "rules").mapping(allowed={"base", "grades"}, required=("rules",))
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
    grades = _grades(fields["grades"]) if "grades" in fields else [(0.0, "none")]
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
        grade = next((name for least, name in grades if points >= least), grades[-1][1])
        return {"points": points, "confidence": points / 100.0, "grade": grade, "score_reasons": reasons}

    return run


def _grades(node: Node) -> list[tuple[float, str]]:
    """(least points, grade), highest first."""
    named = node.mapping()
    if not named:
        node.fail("There is no grade.", suggestion="Write at least one, such as C: 0, or leave grades out.")
    return sorted(((least.number(least=0, most=100), str(name)) for name, least in named.items()), reverse=True)


def _route_by_territory(config: Node | None, environment: Environment) -> StepRun:
    """`with: {territories: [{team, when}], otherwise: team}`; the first territory that fits.

    Finds `team` and `territory_reason`. A territory that cannot be told because a fact is missing
    does not fit; one that fails on facts that are there is an exception.
    """
    fields = _given(config, "territories").mapping(allowed=(), required=("territories", "otherwise"))
    arms: list[tuple[str, Condition]] = []
    for item in fields["territories"].items(least=1, most=MAX_RULES):
        arm = item.mapping(allowed=(), required=("team", "when"))
        arms.append((arm["team"].name(), environment.condition(arm["when"])))
    otherwise = fields["otherwise"].name()
    together = environment.together([condition for _, condition in arms])

    def run(cases: Sequence[StepInput]) -> list[StepResult]:
        return [_route(case) for case in cases]

    def _route(case: StepInput) -> StepResult:
        results = together.evaluate(environment.bind(case.facts))
        for (team, condition), result in zip(arms, results, strict=True):
            if result is True:
                return {"team": team, "territory_reason": condition.source}
            if isinstance(result, Unevaluable) and not result.missing:
                return StepFailure("territory", f"`{condition.source}` cannot be evaluated: {result.reason}")
        return {"team": otherwise, "territory_reason": "no territory fits"}

    return run


def _given(config: Node | None, key: str) -> Node:
    if config is None:
        message = f"the step needs `with: {{{key}: …}}`."
        raise SourceError(message, Place("playbook"), code="missing_key")
    return config


STEPS = (
    Step("score-by-rules@1", StepKind.PURE, _score_by_rules),
    Step("route-by-territory@1", StepKind.PURE, _route_by_territory),
)
