"""How a checkpoint rules: eight steps that only ever remove paths, and the record of what each one did.

Nothing here reads a clock, a database or a random number; the same inputs give the same ruling.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from fairlead.checkpoints.model import Grant, GrantKey, Level, Path
from fairlead.checkpoints.record import Enrolment, Reason, Ruling, Step, Trace
from fairlead.customers import is_delicate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from fairlead.checkpoints.draws import Draws
    from fairlead.checkpoints.model import Experiment, Price, Proposal, Stop
    from fairlead.checkpoints.policy import CheckpointPolicy
    from fairlead.checkpoints.rules import Judgement
    from fairlead.kit.expressions import Bound

_MAX_CACHED = 4_096
_MAX_TRACES = 64


class Left(NamedTuple):
    """The paths still open. It can only shrink: there is no way to add one, and human is never taken away."""

    paths: frozenset[Path]
    blocked: bool

    def at_most(self, loosest: Path) -> Left:
        """Without every path that is looser than `loosest`; blocked closes them all."""
        if loosest is Path.BLOCKED:
            return Left(self.paths, blocked=True)
        return Left(self.paths & _NO_LOOSER[loosest], self.blocked)

    @property
    def least_strict(self) -> Path:
        """The path to take."""
        return Path.BLOCKED if self.blocked else min(self.paths, key=_strictness)

    def open(self) -> tuple[Path, ...]:
        """What is left, least strict first; blocked alone when nothing else is."""
        return (Path.BLOCKED,) if self.blocked else tuple(sorted(self.paths, key=_strictness))


def _strictness(path: Path) -> int:
    return path.strictness


_NO_LOOSER = {
    Path.AUTO: frozenset({Path.AUTO, Path.ASSIST, Path.HUMAN}),
    Path.ASSIST: frozenset({Path.ASSIST, Path.HUMAN}),
    Path.HUMAN: frozenset({Path.HUMAN}),
}
EVERYTHING = Left(_NO_LOOSER[Path.AUTO], blocked=False)


class Standing(enum.Enum):
    """What the grant says about one case; the value is the loosest path that it leaves."""

    DETERMINISTIC = ("deterministic", Path.AUTO)
    NONE = ("no_grant", Path.HUMAN)
    EXPIRED = ("grant_expired", Path.HUMAN)
    SHADOW = ("shadow", Path.HUMAN)
    OTHER_POLICY = ("grant_policy_changed", Path.ASSIST)
    ASSIST = ("assist_only", Path.ASSIST)
    NO_SCORE = ("score_missing", Path.ASSIST)
    BELOW = ("score_below", Path.ASSIST)
    ENOUGH = ("score_enough", Path.AUTO)

    @property
    def code(self) -> str:
        """The reason's code in the record."""
        return self.value[0]

    @property
    def loosest(self) -> Path:
        """The loosest path left."""
        return self.value[1]

    @property
    def in_shadow(self) -> bool:
        """Whether no grant holds, so that every case is checked blind."""
        return self in {Standing.NONE, Standing.EXPIRED, Standing.SHADOW}


_Shared = tuple[Grant | None, Standing | None, dict[int, Trace]]


class Question(NamedTuple):
    """One case to rule on; `experiment` and `price` are None where there is none.

    The proposal has been checked when it came in (`policy.answer.check`, and `proposal.digest` without an
    error), and
    `facts` come from `policy.collect`; after that, ruling on it raises nothing.
    """

    proposal: Proposal
    facts: Bound
    draws: Draws
    experiment: Experiment | None = None
    price: Price | None = None


class Ruler:
    """Rules on any number of cases of one checkpoint under the same policy, grants, stop switch and time.

    `grants` holds every grant of the checkpoint. `deterministic_signed` says that the policy's
    `deterministic: true` was signed for this version; without the signature it counts for nothing.
    """

    def __init__(
        self,
        policy: CheckpointPolicy,
        grants: Mapping[GrantKey, Grant],
        *,
        now: datetime,
        stop: Stop | None = None,
        deterministic_signed: bool = False,
    ) -> None:
        """Cheap: one may be made per decision, or one per chunk."""
        self._policy = policy
        self._delicate = tuple(fact.name for fact in policy.facts if is_delicate(fact.field))
        self._grants = grants
        self._now = now
        self._stop = None if policy.never_stopped and deterministic_signed else stop
        self._deterministic = policy.deterministic and deterministic_signed
        self._shared: dict[tuple[Judgement, str], _Shared] = {}

    def rule(self, question: Question) -> Ruling:
        """The ruling on one case, by DESIGN's steps 0 to 8."""
        proposal, facts, draws, experiment, price = question
        policy = self._policy
        judgement = policy.judge(facts)
        missing = policy.missing(facts) if policy.required else ()
        producer = proposal.producer
        score = proposal.usable_score
        # Judgements are shared between like cases and compared by identity, so this finds what they share.
        shared = self._shared.get((judgement, producer))
        if shared is None:
            shared = self._share(judgement, producer)
        grant, standing, traces = shared
        if standing is None:
            standing = _by_score(grant, score)
        enrolment: Enrolment | None = None
        if experiment is None and price is None and not missing:
            trace = traces.get(id(standing))
            if trace is None:
                trace = self._trace(question, judgement, standing, grant)
                traces[id(standing)] = trace
        else:
            trace, enrolment = self._walk(question, judgement, missing, standing, grant)
        return Ruling(
            trace.path,
            trace,
            proposal.digest,
            producer,
            facts,
            score,
            draws.lottery,
            enrolment,
            0.0 if policy.review.priority is None else policy.priority(facts),
        )

    def _trace(self, question: Question, judgement: Judgement, standing: Standing, grant: Grant | None) -> Trace:
        """The trace of a case without price, experiment or missing facts; kept with the policy."""
        key = (standing, grant, self._stop)
        trace = judgement.traces.get(key)
        if trace is None:
            trace, _ = self._walk(question, judgement, (), standing, grant)
            if len(judgement.traces) >= _MAX_TRACES:
                judgement.traces.clear()
            judgement.traces[key] = trace
        return trace

    def _share(self, judgement: Judgement, producer: str) -> _Shared:
        grant = self._grants.get(GrantKey(judgement.segment, producer))
        if len(self._shared) >= _MAX_CACHED:
            self._shared.clear()
        shared: _Shared = (grant, self._standing(grant, judgement.segment, producer), {})
        self._shared[judgement, producer] = shared
        return shared

    def _standing(self, grant: Grant | None, segment: str, producer: str) -> Standing | None:
        """How the case stands whatever its score is; None where that depends on the score."""
        here = (self._policy.checkpoint, segment, producer)
        if self._deterministic:
            return Standing.DETERMINISTIC
        if grant is None or (grant.checkpoint, grant.segment, grant.producer) != here:
            return Standing.NONE
        if grant.expires_at <= self._now:
            return Standing.EXPIRED
        if grant.level is Level.SHADOW:
            return Standing.SHADOW
        if grant.policy_version != self._policy.version:
            return Standing.OTHER_POLICY
        return Standing.ASSIST if grant.level is Level.ASSIST else None

    def _walk(
        self,
        question: Question,
        judgement: Judgement,
        missing: tuple[tuple[str, str], ...],
        standing: Standing,
        grant: Grant | None,
    ) -> tuple[Trace, Enrolment | None]:
        steps: list[Step] = []
        left = EVERYTHING
        for number, name, reasons in (
            (1, "stop", self._stop_reasons()),
            (2, "body", [_missing_reason(name, why) for name, why in missing]),
            (3, "policy", self._policy_reasons(judgement)),
        ):
            left = _take(steps, left, number, name, reasons)
        in_population = Path.AUTO in left.paths and not left.blocked
        left = _take(steps, left, 4, "grant", [_grant_reason(standing, grant)])
        enrolment, reasons = _enrol(question.experiment, left, question.draws.experiment)
        left = _take(steps, left, 5, "experiment", reasons)
        left = _take(steps, left, 6, "price", _price_reasons(question, left, enrolment))
        path = left.least_strict
        steps.append(Step(7, "path", left.open(), (Reason("least_strict", path),)))
        rules = self._policy.rules
        rate = self._policy.lottery_rate
        if grant is not None and grant.lottery_rate is not None:
            rate = grant.lottery_rate
        trace = Trace(
            checkpoint=self._policy.checkpoint,
            policy_version=self._policy.version,
            segment=judgement.segment,
            path=path,
            steps=tuple(steps),
            rules=tuple(rules[index].id for index in judgement.hits),
            needs=self._needs(judgement) if path in {Path.ASSIST, Path.HUMAN} else (),
            needs_information=missing,
            grant_id=None if grant is None else grant.id,
            in_population=in_population,
            lottery_probability=0.0 if path is Path.BLOCKED else 1.0 if standing.in_shadow else rate,
            delicate=self._delicate,
        )
        return trace, enrolment

    def _stop_reasons(self) -> list[Reason]:
        stop = self._stop
        return [] if stop is None else [Reason("stopped", Path.HUMAN, words=stop.words, detail=stop.scope)]

    def _policy_reasons(self, judgement: Judgement) -> list[Reason]:
        rules = self._policy.rules
        found = [
            Reason("rule", rule.path, rule.id, rule.words, rule.customer, rule.when.reads)
            for rule in (rules[index] for index in judgement.hits)
        ]
        for index, why in judgement.failed:
            rule = rules[index]
            found.append(Reason("rule_failed", Path.HUMAN, rule.id, reads=rule.when.reads, detail=why.reason))
        if judgement.segment_problem is not None:
            found.append(Reason("segment_failed", Path.HUMAN, detail=judgement.segment_problem.reason))
        return found

    def _needs(self, judgement: Judgement) -> tuple[tuple[str, int], ...]:
        """Roles and quorums of all matching rules, united; the policy's reviewer where no rule names a
        role.
        """
        needs: dict[str, int] = {}
        plain = 1
        for index in judgement.hits:
            rule = self._policy.rules[index]
            if rule.role is None:
                plain = max(plain, rule.quorum)
            else:
                needs[rule.role] = max(needs.get(rule.role, 1), rule.quorum)
        if not needs or plain > 1:
            role = self._policy.review.role
            needs[role] = max(needs.get(role, 1), plain)
        return tuple(sorted(needs.items()))


def rule(
    policy: CheckpointPolicy,
    question: Question,
    grants: Mapping[GrantKey, Grant],
    *,
    now: datetime,
    stop: Stop | None = None,
    deterministic_signed: bool = False,
) -> Ruling:
    """The ruling on one case; pure. See `Ruler` for the arguments."""
    return Ruler(policy, grants, now=now, stop=stop, deterministic_signed=deterministic_signed).rule(question)


def rule_many(
    policy: CheckpointPolicy,
    questions: Iterable[Question],
    grants: Mapping[GrantKey, Grant],
    *,
    now: datetime,
    stop: Stop | None = None,
    deterministic_signed: bool = False,
) -> list[Ruling]:
    """The rulings on a chunk of cases of one policy, in order; cases that came out alike share their
    record.
    """
    ruler = Ruler(policy, grants, now=now, stop=stop, deterministic_signed=deterministic_signed)
    return [ruler.rule(question) for question in questions]


def _by_score(grant: Grant | None, score: float | None) -> Standing:
    if score is None:
        return Standing.NO_SCORE
    # A threshold that is missing or NaN compares false, so it never lets anything through.
    if grant is not None and grant.threshold is not None and score >= grant.threshold:
        return Standing.ENOUGH
    return Standing.BELOW


def _take(steps: list[Step], left: Left, number: int, name: str, reasons: list[Reason]) -> Left:
    for reason in reasons:
        left = left.at_most(reason.path)
    steps.append(Step(number, name, left.open(), tuple(reasons)))
    return left


def _missing_reason(name: str, why: str) -> Reason:
    return Reason("fact_missing", Path.HUMAN, reads=(name,), detail=f"{name} {why}")


def _grant_reason(standing: Standing, grant: Grant | None) -> Reason:
    if grant is None:
        return Reason(standing.code, standing.loosest)
    threshold = "" if grant.threshold is None else f"{grant.threshold:g}"
    return Reason(standing.code, standing.loosest, grant=grant.id, detail=threshold)


def _enrol(experiment: Experiment | None, left: Left, drawn: float) -> tuple[Enrolment | None, list[Reason]]:
    if experiment is None:
        return None, []
    eligible = not left.blocked and all(arm.path in left.paths for arm in experiment.arms)
    if not eligible:
        return Enrolment(experiment.id, eligible=False, arm=None, probability=0.0, draw=drawn), []
    edge = 0.0
    for arm in experiment.arms:
        edge += arm.probability
        if drawn < edge:
            enrolment = Enrolment(experiment.id, eligible=True, arm=arm.name, probability=arm.probability, draw=drawn)
            return enrolment, [Reason("arm", arm.path, detail=f"{experiment.id}/{arm.name}")]
    return Enrolment(experiment.id, eligible=True, arm=None, probability=max(0.0, 1.0 - edge), draw=drawn), []


def _price_reasons(question: Question, left: Left, enrolment: Enrolment | None) -> list[Reason]:
    """Step 6: auto gives way where the mistakes a person would save are worth more than the person's time."""
    if enrolment is not None and enrolment.arm is not None:
        return [Reason("price_not_in_experiments", Path.AUTO)]
    price, value = question.price, question.proposal.value_minor
    if price is None or left.blocked or Path.AUTO not in left.paths:
        return [Reason("price_unknown", Path.AUTO, detail="no price is set")] if price is None else []
    inputs = {
        "price": price.per_minute_minor,
        "minutes": price.minutes,
        "p_wrong": price.p_wrong,
        "p_human_wrong": price.p_human_wrong,
        "value": value,
    }
    lacking = [name for name, number in inputs.items() if number is None or number != number]  # noqa: PLR0124 - NaN
    if lacking:
        return [Reason("price_unknown", Path.AUTO, detail="not known: " + ", ".join(lacking))]
    saved = inputs["value"] * (inputs["p_wrong"] - inputs["p_human_wrong"])  # type: ignore[operator]
    cost = inputs["price"] * inputs["minutes"]  # type: ignore[operator]
    compared = f"{saved:.6g} at stake, {cost:.6g} to review (minor units)"
    if saved > cost:
        return [Reason("price", Path.ASSIST, detail=compared)]
    return [Reason("price_not_reached", Path.AUTO, detail=compared)]
