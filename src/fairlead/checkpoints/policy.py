"""A checkpoint's policy, compiled: which facts it reads, which segment a case is in, which rules match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead.checkpoints.rules import Fact, Judgement, Rule, Segment
from fairlead.kit.expressions import Bound, Conditions, Environment, Type, Unevaluable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from fairlead.checkpoints.answers import Agreement, AnswerSchema
    from fairlead.checkpoints.model import Proposal
    from fairlead.kit.expressions import ValueExpression

OTHER = "other"
BUILT_IN = {"score": Type.DOUBLE, "value": Type.DOUBLE, "producer": Type.STRING}
SOURCES = ("signal", "answer", "customer", "subject")


@dataclass(frozen=True, slots=True)
class ReviewTerms:
    """How people decide: who, how soon after the ruling, in which order, and what happens when nobody did.

    `on_expiry`: keep (stays, overdue), expire (the case takes its `expired` way) or escalate (to
    `escalate_to`).
    `priority` gives a number, higher first; None = all equal.
    """

    role: str
    due: timedelta
    on_expiry: str = "keep"
    escalate_to: str | None = None
    priority: ValueExpression | None = None


@dataclass(frozen=True)
class CheckpointPolicy:
    """A parsed and compiled policy; made by `parse_policy`, safe to share between threads.

    `version` is a digest of its content: comments and layout do not change it. `segments_version` covers the
    segments alone. `lottery_rate` is the share of cases whose answer is checked blind while a grant holds.
    """

    checkpoint: str
    version: str
    segments_version: str
    description: str
    answer: AnswerSchema
    agreement: Agreement
    facts: tuple[Fact, ...]
    segments: tuple[Segment, ...]
    rules: tuple[Rule, ...]
    review: ReviewTerms
    lottery_rate: float
    deterministic: bool
    never_stopped: bool
    environment: Environment = field(repr=False)
    conditions: Conditions = field(repr=False)
    required: tuple[str, ...] = ()
    _judgements: dict[tuple[Any, ...], Judgement] = field(default_factory=dict, repr=False, compare=False)

    @property
    def segment_names(self) -> tuple[str, ...]:
        """All segments in order, `other` last."""
        return (*(segment.name for segment in self.segments), OTHER)

    def collect(
        self,
        proposal: Proposal,
        known: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        now: datetime | None = None,
        minor_digits: int = 2,
    ) -> Bound:
        """The facts of one case, checked against their types.

        `known` may hold `customer` and `subject`; `now` is what facts `from: now` read, missing when None.
        `minor_digits` turns minor units into whole ones (2: cents; 0: yen).
        """
        known = known or {}
        roots: dict[str, Mapping[str, Any]] = {
            "signal": proposal.signals,
            "answer": proposal.answer,
            "customer": known.get("customer") or {},
            "subject": known.get("subject") or {},
            "now": {"now": now},
        }
        raw: dict[str, Any] = {
            "score": proposal.usable_score,
            "value": None if proposal.value_minor is None else proposal.value_minor / 10**minor_digits,
            "producer": proposal.producer,
        }
        for fact in self.facts:
            value = roots[fact.source].get(fact.field)
            raw[fact.name] = fact.default if value is None else value
        return self.environment.bind(raw)

    def missing(self, facts: Bound) -> tuple[tuple[str, str], ...]:
        """The required facts that have no usable value, each with the reason."""
        values = facts.values
        return tuple((name, facts.problem(name)) for name in self.required if name not in values)

    def judge(self, facts: Bound) -> Judgement:
        """Evaluate every segment and every rule; one pass, and cases that came out alike share the result."""
        results = tuple(self.conditions.evaluate(facts))
        judgement = self._judgements.get(results)
        if judgement is None:
            judgement = self._read(results)
            if len(self._judgements) >= _MAX_CACHED:
                self._judgements.clear()
            self._judgements[results] = judgement
        return judgement

    def priority(self, facts: Bound) -> float:
        """The review's priority, higher first; 0 where none is declared or it cannot be evaluated."""
        if self.review.priority is None:
            return 0.0
        value = self.review.priority.evaluate(facts)
        return 0.0 if isinstance(value, Unevaluable) or value != value else float(value)  # noqa: PLR0124 - NaN

    def _read(self, results: tuple[bool | Unevaluable, ...]) -> Judgement:
        name, problem = OTHER, None
        for segment, result in zip(self.segments, results, strict=False):
            if isinstance(result, Unevaluable):
                problem = result
                break
            if result:
                name = segment.name
                break
        outcomes = results[len(self.segments) :]
        hits = tuple(index for index, outcome in enumerate(outcomes) if outcome is True)
        failed = tuple((i, outcome) for i, outcome in enumerate(outcomes) if isinstance(outcome, Unevaluable))
        return Judgement(name, problem, hits, failed)


_MAX_CACHED = 4_096


def segment_of(policy: CheckpointPolicy, facts: Bound) -> str:
    """The first segment whose conditions hold; `other` where none does or it cannot be told."""
    return policy.judge(facts).segment
