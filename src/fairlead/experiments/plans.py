"""Experiments as a workspace declares them, and how such a declaration stands; pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from fairlead.errors import Place
from fairlead.experiments.model import Arm, Experiment
from fairlead.kit.expressions import Condition, Environment, Unevaluable
from fairlead.kit.jsons import dumps

_DIGEST_CHARS = 16


class GoalKind(StrEnum):
    """What an arm can be judged by: an event about the customer, or how the case ended that met the experiment."""

    EVENT = "event"
    ENDED = "ended"


class Goal(NamedTuple):
    """A hit is one of `names` happening no later than `within` after the draw."""

    kind: GoalKind
    names: tuple[str, ...]
    within: timedelta

    @property
    def words(self) -> str:
        """As the end of a sentence that begins with "judged by"."""
        what = "the event" if self.kind is GoalKind.EVENT else "the case ending as"
        return f"{what} {' or '.join(self.names)} within {_span(self.within)} of the draw"


@dataclass(frozen=True)
class Plan:
    """One experiment of `experiments.yaml`; the first arm is the one that the others are compared with.

    `begins` and `ends` None: from the deploy on, and for ever. `otherwise` is the arm for whoever is not in it.
    `per_arm` is how many customers each arm needs before the arms are compared. `frozen` digests everything that
    decides who is drawn and how it is judged: another such digest under the same `version` is refused.
    """

    name: str
    version: int
    arms: tuple[Arm, ...]
    otherwise: str
    goal: Goal
    per_arm: int
    frozen: str
    digest: str
    words: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    eligible: Condition | None = None
    environment: Environment = field(default_factory=lambda: Environment({}), compare=False)
    place: Place = field(default=Place("experiments.yaml"), compare=False)
    """Where its version stands, or its name where it states none."""

    @property
    def experiment(self) -> Experiment:
        """What is drawn from."""
        return Experiment(self.name, self.arms, edition=self.frozen)

    @property
    def condition(self) -> str:
        """Who is eligible, in one line; "" for everybody."""
        return " ".join(self.eligible.source.split()).replace(" )", ")") if self.eligible else ""

    def ineligible(self, facts: Mapping[str, Any]) -> str:
        """Why a customer with a case of these facts is not eligible, "" for one who is.

        What cannot be evaluated, as when a fact is missing, is no.
        """
        if self.eligible is None:
            return ""
        result = self.eligible.evaluate(self.environment.bind(facts))
        if isinstance(result, Unevaluable):
            return f"eligibility cannot be told: {result.reason}"
        return "" if result else f"{self.condition} does not hold"

    def facts_digest(self, seed: bytes, facts: Mapping[str, Any]) -> str:
        """A keyed digest of the facts that eligibility reads, so that nobody finds them by trying; "" for none."""
        if self.eligible is None:
            return ""
        read = {name: facts.get(name) for name in self.eligible.reads}
        return hmac.digest(seed, f"facts {dumps(read)}".encode(), hashlib.sha256).hex()[:_DIGEST_CHARS]


class PlanState(StrEnum):
    """`withdrawn`: it stands in the workspace's file no more."""

    RUNNING = "running"
    STOPPED = "stopped"
    WITHDRAWN = "withdrawn"


class Standing(NamedTuple):
    """A plan as it stands: since when, by whose word, and with which arm for everybody new if it was stopped."""

    plan: Plan
    state: PlanState
    winner: str | None
    reason: str
    by: str
    at: datetime

    def draws(self, now: datetime) -> bool:
        """Whether anybody is drawn at this moment."""
        plan = self.plan
        began = plan.begins is None or plan.begins <= now
        return self.state is PlanState.RUNNING and began and (plan.ends is None or now < plan.ends)

    def for_others(self, now: datetime) -> tuple[str, str]:
        """The arm for whoever is not drawn, and why, while nobody is."""
        plan = self.plan
        if self.winner is not None:
            return self.winner, "the experiment was stopped for this arm"
        if self.state is PlanState.WITHDRAWN:
            return plan.otherwise, "the experiment was taken out of the workspace"
        if plan.begins is not None and now < plan.begins:
            return plan.otherwise, "the experiment has not begun"
        return plan.otherwise, "the experiment is over"


def _span(span: timedelta) -> str:
    for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if span.total_seconds() % seconds == 0:
            return f"{span.total_seconds() / seconds:.0f} {unit}"
    return f"{span.total_seconds():.0f} s"
