"""What a checkpoint works on: proposals, paths, grants and the other inputs of a ruling. Nothing here reads
a clock.
"""

from __future__ import annotations

import enum
import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from fairlead.errors import InputError
from fairlead.kit import jsons

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_PROPOSAL_BYTES = 64_000


class Path(enum.Enum):
    """The ways a proposal can go, least strict first."""

    AUTO = "auto"
    ASSIST = "assist"
    HUMAN = "human"
    BLOCKED = "blocked"

    @property
    def strictness(self) -> int:
        """0 for auto up to 3 for blocked."""
        return _STRICTNESS[self]


_STRICTNESS = {path: rank for rank, path in enumerate(Path)}


class Level(enum.Enum):
    """How much autonomy a grant gives: none (the machine only answers along), under approval, on its own."""

    SHADOW = "shadow"
    ASSIST = "assist"
    AUTO = "auto"


@dataclass(frozen=True)
class Proposal:
    """What the machine would do at a checkpoint.

    `score` is any confidence, higher is surer; None or NaN counts as no score. `value_minor` is money at
    stake in minor units of the workspace currency, None where it is not known (for instance, no exchange
    rate).
    `producer` is `name@version` of the model, prompt or rule set that answered.
    """

    checkpoint: str
    answer: Mapping[str, Any]
    producer: str
    score: float | None = None
    value_minor: int | None = None
    signals: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over answer, score, value, signals, producer and checkpoint; a verdict or approval binds
        to it.
        """
        body = {
            "answer": self.answer,
            "checkpoint": self.checkpoint,
            "producer": self.producer,
            "score": self.usable_score,
            "signals": self.signals,
            "value_minor": self.value_minor,
        }
        try:
            text = jsons.canonical(body)
        except (TypeError, ValueError, RecursionError) as error:
            message = f"The proposal cannot be written as JSON: {error}"
            raise InputError(message, code="not_json") from error
        if len(text) > MAX_PROPOSAL_BYTES:
            message = f"A proposal may take at most {MAX_PROPOSAL_BYTES} bytes as JSON; this one takes {len(text)}."
            raise InputError(message, code="proposal_too_large", limit=MAX_PROPOSAL_BYTES, size=len(text))
        return hashlib.sha256(text).hexdigest()

    @property
    def usable_score(self) -> float | None:
        """The score where it is a finite number, else None."""
        score = self.score
        if type(score) is float:  # by far the most frequent case
            return score if -math.inf < score < math.inf else None
        if score is None or isinstance(score, bool) or not math.isfinite(score):
            return None
        return score


class GrantKey(NamedTuple):
    """Under what a grant is looked up, within one checkpoint."""

    segment: str
    producer: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Autonomy held by one producer in one segment of one checkpoint.

    `threshold` is the least score that may act alone, None at other levels than auto. `promised_error` is
    the share of wrong automatic decisions promised (0.02 = 2 %). `policy_version` is the policy under which
    it was given.
    `lottery_rate` replaces the policy's own rate when set.
    """

    id: str
    checkpoint: str
    segment: str
    producer: str
    level: Level
    policy_version: str
    expires_at: datetime
    threshold: float | None = None
    promised_error: float | None = None
    lottery_rate: float | None = None

    @property
    def key(self) -> GrantKey:
        """Where a ruling looks for this grant."""
        return GrantKey(self.segment, self.producer)


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop switch that is on; `scope` is workspace, playbook or checkpoint."""

    scope: str
    words: str = ""


class Arm(NamedTuple):
    """One arm of a route experiment: cases drawn into it go no looser than `path`."""

    name: str
    path: Path
    probability: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """A running route experiment; the probabilities of its arms add up to 1 at most, the rest is not
    enrolled.
    """

    id: str
    arms: tuple[Arm, ...]

    def __post_init__(self) -> None:
        """Refuse arms that cannot be drawn: blocked as an arm, a bad probability, a sum above 1."""
        total = math.fsum(arm.probability for arm in self.arms)
        bad = [a.name for a in self.arms if a.path is Path.BLOCKED or not 0.0 <= a.probability <= 1.0]
        if bad or not self.arms or not total <= 1.0 + 1e-9:
            message = f"Experiment {self.id!r} needs arms on auto, assist or human, with probabilities up to 1."
            raise InputError(message, code="experiment", arms=[a.name for a in self.arms], total=total)


@dataclass(frozen=True, slots=True)
class Price:
    """What a minute of review costs now, and the chances of being wrong; None = not known.

    `per_minute_minor` and the proposal's value are in minor units of the workspace currency.
    """

    per_minute_minor: float | None = None
    minutes: float | None = None
    p_wrong: float | None = None
    p_human_wrong: float | None = None
