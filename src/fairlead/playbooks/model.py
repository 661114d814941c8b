"""Playbooks and cases as plain data: stages, states, and what a person may do to a running case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from fairlead.errors import Place
from fairlead.kit.expressions import Condition, Environment
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks.objectives import Objective

MAX_HOPS = 1_000
"""How many stages a case may enter in its life; beyond it the case goes to the exceptions queue."""


class CaseState(StrEnum):
    """Where a case stands; a leased case is a ready one with a token."""

    READY = "ready"
    WAITING = "waiting"
    PAUSED = "paused"
    EXCEPTION = "exception"
    ENDED = "ended"


class StepKind(StrEnum):
    """`pure` computes and touches nothing; `io` asks another service and may be slow or fail; `record` changes
    Fairlead's own records in the transaction that moves the case.
    """

    PURE = "pure"
    IO = "io"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class StepInput:
    """What a step is given of a case; `attempt` counts from 1 and goes up after each failure."""

    case_id: str
    facts: Mapping[str, Any]
    attempt: int = 1
    customer_id: str | None = None
    subject_kind: str = ""
    subject_id: str = ""
    playbook: str = ""
    now: datetime | None = None
    """The moment of this run by the database's clock; None where a step is called without an engine."""


@dataclass(frozen=True, slots=True)
class StepFailure:
    """Why a step has no result for one case; with `retry` it is tried again after a growing pause."""

    code: str
    words: str
    retry: bool = False


StepResult = Mapping[str, Any] | StepFailure


@dataclass(frozen=True, slots=True)
class Stage:
    """Common to all stages; `next` maps an outcome to the stage that follows it."""

    name: str
    next: Mapping[str, str]
    place: Place = field(default=Place("playbook"), compare=False)
    """Where it names its step, checkpoint, connector or playbook."""


@dataclass(frozen=True, slots=True)
class StepStage(Stage):
    """Runs `step` (`name@major`) and adds what it finds to the case's facts.

    io steps: at most `concurrency` calls at once, `max_batch` cases a call, `timeout` a call, `retries`
    further attempts after a failure that may pass.
    """

    step: str = ""
    config: Node | None = None
    retries: int = 3
    timeout: timedelta = timedelta(seconds=30)
    concurrency: int = 4
    max_batch: int = 20


@dataclass(frozen=True, slots=True)
class CheckpointStage(Stage):
    """Proposes an answer, made of the named facts, at a checkpoint.

    Outcomes: approved, rejected, blocked, expired (where `next` does not name it: as rejected). Once approved,
    the answer's fields are facts of the case under their own names. The producer is `producer`, or what the fact
    `producer_fact` says where one is named.
    """

    checkpoint: str = ""
    producer: str = ""
    producer_fact: str | None = None
    answer: Mapping[str, str] = field(default_factory=dict)
    score: str | None = None
    value: str | None = None
    signals: Sequence[str] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class ActStage(Stage):
    """Queues an effect and waits for its result, unless `detach`.

    Outcomes: sent, held, refused, failed, expired, ambiguous; one that `next` does not name puts the case into the
    exceptions queue, but for `held`: the case goes on waiting then, until the action is sent or has another end.
    `words` go into the body as they are, `fields` (fact by name) as its `fields`. `value` is the fact that says what
    it is worth.
    """

    connector: str = ""
    kind: str = ""
    body: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    value: str | None = None
    detach: bool = False
    expires: timedelta | None = None


@dataclass(frozen=True, slots=True)
class WaitStage(Stage):
    """Waits for an event about the customer, or for time to pass; outcomes: the event's type, timeout."""

    event: str | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class BranchStage(Stage):
    """Goes where the first condition that holds says, else to `otherwise`."""

    arms: Sequence[tuple[Condition, str]] = ()
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class SpawnStage(Stage):
    """Starts one child case per item of the list fact `each` and waits for `all` or `any` of them to end."""

    playbook: str = ""
    each: str = ""
    until: str = "all"


@dataclass(frozen=True, slots=True)
class EndStage(Stage):
    """Ends the case under this name."""

    end: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """One version of a graph of stages; `interrupts` maps an event type to the stage that it sends the case to."""

    name: str
    description: str
    subject: str
    serial_key: str
    start: str
    stages: Mapping[str, Stage]
    interrupts: Mapping[str, str]
    environment: Environment
    objective: Objective | None = None


class CaseVerb(StrEnum):
    """What a person may do to a running case."""

    PAUSE = "pause"
    RESUME = "resume"
    REDIRECT = "redirect"
    SKIP = "skip"
    TAKE_OVER = "take_over"
    HAND_BACK = "hand_back"
    CANCEL = "cancel"
    RETRY = "retry"


_OPEN = frozenset({CaseState.READY, CaseState.WAITING, CaseState.PAUSED, CaseState.EXCEPTION})
ALLOWED: Mapping[CaseVerb, frozenset[CaseState]] = {
    CaseVerb.PAUSE: frozenset({CaseState.READY, CaseState.WAITING}),
    CaseVerb.RESUME: frozenset({CaseState.PAUSED}),
    CaseVerb.REDIRECT: _OPEN,
    CaseVerb.SKIP: _OPEN,
    CaseVerb.TAKE_OVER: _OPEN,
    CaseVerb.HAND_BACK: frozenset({CaseState.PAUSED}),
    CaseVerb.CANCEL: _OPEN,
    CaseVerb.RETRY: frozenset({CaseState.EXCEPTION}),
}
"""In which states each verb is allowed; everything else is refused."""


def main_road(stage: Stage) -> str | None:
    """Where a case goes that skips this stage: the outcome that an undisturbed case would have; None at an end."""
    for outcome in ("next", "approved", "sent", "done"):
        if outcome in stage.next:
            return stage.next[outcome]
    return next(iter(stage.next.values()), None)


def targets(stage: Stage) -> frozenset[str]:
    """Every stage that can follow this one."""
    return frozenset(stage.next.values())


def back_off(attempt: int) -> timedelta:
    """The pause before the next attempt of an io step: 5 s, 20 s, 80 s … at most an hour."""
    return timedelta(seconds=min(5 * 4 ** min(attempt - 1, 8), 3600))


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """`seed` keys the draws; `bulk_ms` bounds a write transaction; `lease_s` is how long a chunk is kept."""

    seed: bytes
    bulk_ms: float = 20.0
    lease_s: float = 60.0
