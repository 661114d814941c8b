"""Scoring steps: by a trained model with rules to fall back on, and by rules for fit and engagement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fairlead.errors import InputError, Place, SourceError, UnavailableError
from fairlead.kit.clock import iso
from fairlead.kit.expressions import Condition, Environment, Unevaluable
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks import Step, StepFailure, StepInput, StepKind, StepResult, StepRun
from fairlead.understanding import Models, NoModels, require_name

MAX_RULES = 200
MAX_FRAMES = 20
RULES_PRODUCER = "lead-rules@1"
WANTED_FOR_MODEL = "a model needs 1,000 past leads with an outcome, 120 of them converted: `fairlead train lead-score`"
Configure = Callable[[Node | None, Environment], StepRun]
_FACT = r"[a-z][a-z0-9_]{0,63}"
_TOTAL = 100.0
_GOOD, _FAIR = 2 / 3, 1 / 3


def read_grades(node: Node) -> list[tuple[float, str]]:
    """(least points, grade), highest first, from `{A: 70, B: 45, C: 0}`."""
    named = node.mapping()
    if not named:
        node.fail("There is no grade.", suggestion="Write at least one, such as C: 0, or leave grades out.")
    return sorted(((least.number(least=0, most=100), str(name)) for name, least in named.items()), reverse=True)


def grade_of(grades: Sequence[tuple[float, str]], points: float) -> str:
    """The best grade whose least points are reached, else the lowest."""
    return next((name for least, name in grades if points >= least), grades[-1][1])


def given(config: Node | None, key: str) -> Node:
    """The step's `with:`; SourceError when it is absent, naming a key that it needs."""
    if config is None:
        message = f"the step needs `with: {{{key}: …}}`."
        raise SourceError(message, Place("playbook"), code="missing_key")
    return config


@dataclass(frozen=True, slots=True)
class _Rule:
    condition: Condition
    add: float
    words: str
    at: str | None


@dataclass(frozen=True, slots=True)
class _Decay:
    """How much of a rule's points is left at an age: by half-life, or by the first time frame that holds."""

    half_life: timedelta | None = None
    frames: tuple[tuple[timedelta, float], ...] = ()

    def keeps(self, age: timedelta) -> float:
        if self.half_life is not None:
            return float(0.5 ** (max(age, timedelta(0)) / self.half_life))
        return next((keep for within, keep in self.frames if age <= within), 0.0) if self.frames else 1.0


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    cap: float
    rules: tuple[_Rule, ...]
    decay: _Decay


def _score_by_groups(config: Node | None, environment: Environment) -> StepRun:
    """`with: {fit: {cap, rules}, engagement: {cap, half_life | frames, rules}, cap, grades}`.

    Each group is kept between 0 and its cap, the sum between 0 and `cap` (100). A rule with `at`, a fact that
    holds a moment, decays with that moment's age; without that fact it adds nothing. Finds `points`,
    `confidence` (points / 100), `grade`, `fit_points`, `engagement_points`, `cell` (A1 to C3: the letter is the
    third of fit's cap that is reached, the figure engagement's) and `score_reasons`, whose numbers add up to the
    points. Points and decayed parts are in tenths.
    """
    fields = given(config, "fit").mapping(allowed={"cap", "grades"}, required=("fit", "engagement"))
    groups = [_group(name, fields[name], environment) for name in ("fit", "engagement")]
    cap = fields["cap"].number(least=1, most=100) if "cap" in fields else _TOTAL
    grades = read_grades(fields["grades"]) if "grades" in fields else [(0.0, "none")]
    rules = [rule for group in groups for rule in group.rules]
    together = environment.together([rule.condition for rule in rules])

    def run(cases: Sequence[StepInput]) -> list[StepResult]:
        return [_score(case) for case in cases]

    def _score(case: StepInput) -> StepResult:
        results = together.evaluate(environment.bind(case.facts))
        for rule, result in zip(rules, results, strict=True):
            if isinstance(result, Unevaluable) and not result.missing:
                return StepFailure("score", f"`{rule.condition.source}` cannot be evaluated: {result.reason}")
        hits = iter(results)
        reasons: list[dict[str, Any]] = []
        tenths = [_group_tenths(group, [next(hits) is True for _ in group.rules], case, reasons) for group in groups]
        total = sum(tenths)
        kept = min(total, round(cap * 10))
        if kept != total:
            reasons.append({"words": f"at most {cap:g} in all", "add": (kept - total) / 10})
        points = kept / 10
        letter, figure = (_third(part, group.cap) for part, group in zip(tenths, groups, strict=True))
        return {
            "points": points, "confidence": points / 100, "grade": grade_of(grades, points),
            "fit_points": tenths[0] / 10, "engagement_points": tenths[1] / 10,
            "cell": f"{'ABC'[letter]}{figure + 1}", "score_reasons": reasons,
        }  # fmt: skip

    return run


def _third(tenths: int, cap: float) -> int:
    share = tenths / 10 / cap
    return 0 if share >= _GOOD else 1 if share >= _FAIR else 2


def _group_tenths(group: _Group, hits: Sequence[bool], case: StepInput, reasons: list[dict[str, Any]]) -> int:
    total = 0
    for rule, hit in zip(group.rules, hits, strict=True):
        part, words = _part(rule, group.decay, case) if hit else (0, "")
        if part:
            total += part
            reasons.append({"words": words, "add": part / 10, "group": group.name})
    kept = min(max(total, 0), round(group.cap * 10))
    if kept != total:
        words = f"{group.name} counts for at most {group.cap:g}" if total > kept else f"{group.name} is never below 0"
        reasons.append({"words": words, "add": (kept - total) / 10, "group": group.name})
    return kept


def _part(rule: _Rule, decay: _Decay, case: StepInput) -> tuple[int, str]:
    """Tenths that a rule which holds adds as of now, and its words."""
    if rule.at is None:
        return round(rule.add * 10), rule.words
    moment = _moment(case.facts.get(rule.at))
    if moment is None or case.now is None:
        return 0, ""
    age = max(case.now - moment, timedelta(0))
    part = round(rule.add * 10 * decay.keeps(age))
    faded = part != round(rule.add * 10)
    return part, f"{rule.words} ({age.days} days ago)" if faded else rule.words


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _group(name: str, node: Node, environment: Environment) -> _Group:
    fading = {"half_life", "frames"} if name == "engagement" else set()
    fields = node.mapping(allowed=fading, required=("cap", "rules"))
    rules = []
    for item in fields["rules"].items(least=1, most=MAX_RULES):
        rule = item.mapping(allowed={"at"} if fading else (), required=("when", "add", "words"))
        rules.append(
            _Rule(
                environment.condition(rule["when"]),
                rule["add"].number(least=-100, most=100),
                rule["words"].text(max_chars=200),
                rule["at"].text(max_chars=64, pattern=_FACT, what="a fact's name") if "at" in rule else None,
            )
        )
    return _Group(name, fields["cap"].number(least=1, most=100), tuple(rules), _decay(node, fields))


def _decay(node: Node, fields: Mapping[str, Node]) -> _Decay:
    if "half_life" in fields and "frames" in fields:
        node.fail("Write half_life or frames, not both.")
    if "half_life" in fields:
        return _Decay(half_life=fields["half_life"].duration(least=timedelta(minutes=1)))
    frames = []
    for item in fields["frames"].items(least=1, most=MAX_FRAMES) if "frames" in fields else ():
        frame = item.mapping(allowed=(), required=("within", "keep"))
        frames.append((frame["within"].duration(), frame["keep"].number(least=0, most=1)))
    if frames != sorted(frames, key=lambda one: one[0]):
        fields["frames"].fail("Frames go from the shortest to the longest.")
    return _Decay(frames=tuple(frames))


def model_step(models: Models, by_rules: Configure) -> Step:
    """`score-by-model@1`, which finds its models in `models`; `by_rules` reads `rules:` in the form of version 1."""

    def configure(config: Node | None, environment: Environment) -> StepRun:
        """`with: {model, grades, words: {fact: text with {value}}, rules: {…}, rules_producer}`."""
        fields = given(config, "model").mapping(
            allowed={"grades", "words", "rules", "rules_producer"}, required=("model",)
        )
        name = _model_name(fields["model"])
        grades = read_grades(fields["grades"]) if "grades" in fields else None
        templates = {
            str(fact): node.text(max_chars=200) for fact, node in fields["words"].mapping().items()
        } if "words" in fields else {}  # fmt: skip
        fallback = _fallback(fields.get("rules"), environment, by_rules)
        producer = fields["rules_producer"].text(max_chars=100) if "rules_producer" in fields else RULES_PRODUCER

        def run(cases: Sequence[StepInput]) -> Sequence[StepResult]:
            try:
                model = models.current(name)
            except UnavailableError as error:
                return [StepFailure("unavailable", error.message, retry=True) for _ in cases]
            except InputError as error:  # tampered with, or of another build: nobody is scored by it
                return [StepFailure(error.reason, error.message) for _ in cases]
            if model is None:
                return _by_rules(fallback, cases, name, producer)
            scores = model.score([case.facts for case in cases], templates)
            return [
                {
                    "points": one.points, "confidence": one.points / 100,
                    "grade": grade_of(grades, one.points) if grades else one.grade,
                    "score_reasons": one.reasons, "producer": model.label, "scored_at": _iso(case.now),
                }
                for case, one in zip(cases, scores, strict=True)
            ]  # fmt: skip

        return run

    return Step("score-by-model@1", StepKind.PURE, configure, plain=True)


def _model_name(node: Node) -> str:
    name = node.name()
    try:
        require_name(name)
    except InputError as error:
        node.fail(f"{error.message}.")
    return name


def _fallback(node: Node | None, environment: Environment, by_rules: Configure) -> StepRun | None:
    if node is None:
        return None
    form = _score_by_groups if "fit" in node.mapping() else by_rules
    return form(node, environment)


def _by_rules(fallback: StepRun | None, cases: Sequence[StepInput], name: str, producer: str) -> list[StepResult]:
    note = f"scored by rules: there is no model {name!r} yet; {WANTED_FOR_MODEL}"
    if fallback is None:
        words = f"there is no model {name!r}, and the stage names no rules to score by; {WANTED_FOR_MODEL}"
        return [StepFailure("no_model", words) for _ in cases]
    return [
        one if isinstance(one, StepFailure)
        else {**one, "producer": producer, "score_note": note, "scored_at": _iso(case.now)}
        for case, one in zip(cases, fallback(cases), strict=True)
    ]  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None


BY_GROUPS = Step("score-by-rules@2", StepKind.PURE, _score_by_groups, plain=True)
NO_MODELS: Models = NoModels()
