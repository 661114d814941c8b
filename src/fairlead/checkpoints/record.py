"""The record of a ruling: compact while ruling, data and JSON when asked."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from fairlead.checkpoints.model import Path
from fairlead.kit import jsons

if TYPE_CHECKING:
    from fairlead.kit.facts import Bound


class LabelWay(enum.Enum):
    """How a drawn case gets its blind label."""

    NONE = "none"
    AFTERWARDS = "afterwards"
    BLIND_FIRST = "blind_first"
    ANSWER = "answer"


_LABEL_WAYS = {
    Path.AUTO: LabelWay.AFTERWARDS,
    Path.ASSIST: LabelWay.BLIND_FIRST,
    Path.HUMAN: LabelWay.ANSWER,
    Path.BLOCKED: LabelWay.NONE,
}


class Reason(NamedTuple):
    """One thing that a step found. `path` is the loosest path it leaves; auto means that it took nothing
    away.

    `rule` and `grant` are ids, `words` and `customer` the sentences of the rule, `reads` the facts it
    looked at (their values stand once in the ruling), `detail` completes the sentence of some codes.
    """

    code: str
    path: Path
    rule: str | None = None
    words: str = ""
    customer: str = ""
    reads: tuple[str, ...] = ()
    detail: str = ""
    grant: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Without the parts that are empty."""
        parts = self._asdict() | {"path": self.path.value, "reads": list(self.reads)}
        return {name: part for name, part in parts.items() if part}


class Step(NamedTuple):
    """What was left after a step, least strict first, and why; no reasons means that it took nothing away."""

    number: int
    name: str
    left: tuple[Path, ...]
    reasons: tuple[Reason, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "step": self.number,
            "name": self.name,
            "left": [path.value for path in self.left],
            "reasons": [reason.as_dict() for reason in self.reasons],
        }


@dataclass(frozen=True)
class Trace:
    """The part of a ruling that cases which came out alike share.

    `needs` are the roles that must decide and how many of each; empty on auto and blocked. `in_population`
    says that auto was still open when the grant was asked: such cases are what a certificate speaks about.
    """

    checkpoint: str
    policy_version: str
    segment: str
    path: Path
    steps: tuple[Step, ...]
    rules: tuple[str, ...]
    needs: tuple[tuple[str, int], ...]
    needs_information: tuple[tuple[str, str], ...]
    grant_id: str | None
    in_population: bool
    lottery_probability: float
    delicate: tuple[str, ...] = ()
    """Facts of the policy that say what only some may know of a customer, whatever the policy calls them."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready data."""
        delicate = {"delicate": list(self.delicate)} if self.delicate else {}
        return delicate | {
            "checkpoint": self.checkpoint,
            "policy_version": self.policy_version,
            "segment": self.segment,
            "path": self.path.value,
            "steps": [step.as_dict() for step in self.steps],
            "rules": list(self.rules),
            "needs": dict(self.needs),
            "needs_information": [{"fact": name, "why": why} for name, why in self.needs_information],
            "grant": self.grant_id,
            "in_population": self.in_population,
            "lottery_probability": self.lottery_probability,
            "label_if_drawn": _LABEL_WAYS[self.path].value,
        }

    @cached_property
    def json_tail(self) -> str:
        """`as_dict` as the end of a JSON object that has begun; made once for all the cases that share it."""
        return "," + jsons.dumps(self.as_dict())[1:]


class Lottery(NamedTuple):
    """Whether a case was drawn to be checked blind, the probability (0 when blocked) and the number drawn."""

    drawn: bool
    probability: float
    draw: float


class Enrolment(NamedTuple):
    """A case's part in a route experiment; `arm` is None for eligible cases outside every arm and for the
    others.

    `probability` is that of what was drawn, 0 for a case that was not eligible.
    """

    experiment: str
    eligible: bool
    arm: str | None
    probability: float
    draw: float


class Ruling(NamedTuple):
    """The path chosen for one proposal, and why. Immutable; one per proposal.

    `lottery_draw` is the number drawn; `facts` are all facts as the rules read them.
    """

    path: Path
    trace: Trace
    proposal_digest: str
    producer: str
    facts: Bound
    score: float | None
    lottery_draw: float
    enrolment: Enrolment | None
    priority: float

    @property
    def checkpoint(self) -> str:
        """Where it was ruled."""
        return self.trace.checkpoint

    @property
    def policy_version(self) -> str:
        """Digest of the policy it was ruled under."""
        return self.trace.policy_version

    @property
    def segment(self) -> str:
        """The segment the case was in, stored because later facts must not move it."""
        return self.trace.segment

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was left after each of the steps 1 to 7, and why."""
        return self.trace.steps

    @property
    def needs(self) -> dict[str, int]:
        """Roles that must decide, with the number of deciders of each; empty on auto and blocked."""
        return dict(self.trace.needs)

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that matched, in the policy's order."""
        return self.trace.rules

    @property
    def needs_information(self) -> tuple[str, ...]:
        """Required facts that had no usable value."""
        return tuple(name for name, _ in self.trace.needs_information)

    @property
    def withheld(self) -> bool:
        """Whether the person who decides must not see the proposal."""
        return self.path is Path.HUMAN

    @property
    def lottery(self) -> Lottery:
        """Whether the case is to be checked blind, and the draw behind it."""
        probability = self.trace.lottery_probability
        return Lottery(self.lottery_draw < probability, probability, self.lottery_draw)

    @property
    def label_way(self) -> LabelWay:
        """How the case gets its blind label; NONE when it was not drawn."""
        return _LABEL_WAYS[self.path] if self.lottery.drawn else LabelWay.NONE

    def as_dict(self) -> dict[str, Any]:
        """The whole explanation as JSON-ready data; `values` are the facts as the rules read them."""
        data: dict[str, Any] = jsons.loads(self.as_json())
        return data

    def as_json(self) -> str:
        """The whole explanation as JSON text; what like cases share is written once, so this is fast over
        many.
        """
        own: dict[str, Any] = {
            "proposal": self.proposal_digest,
            "producer": self.producer,
            "score": self.score,
            "values": self.facts.values,
            "lottery_draw": self.lottery_draw,
            "lottery_drawn": self.lottery_draw < self.trace.lottery_probability,
            "priority": self.priority,
        }
        if self.facts.problems:
            own["problems"] = self.facts.problems
        if self.enrolment is not None:
            own["experiment"] = self.enrolment._asdict()
        return jsons.dumps(own)[:-1] + self.trace.json_tail
