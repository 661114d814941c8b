"""A case as the engine carries it through one chunk: what it knows, where it stands, what must be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fairlead.actions import ActionDraft
from fairlead.checkpoints import Ruled
from fairlead.kit.actors import SYSTEM, Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks.model import CaseState, StepInput, StepStage
from fairlead.playbooks.store import NEVER
from fairlead.reviews import ReviewDraft


@dataclass(slots=True)
class Problem:
    """Why a case is in the exceptions queue."""

    stage: str
    code: str
    words: str

    def as_dict(self) -> dict[str, str]:
        """As it is stored."""
        return {"stage": self.stage, "code": self.code, "words": self.words}


@dataclass(slots=True)
class LiveCase:
    """One leased case; `stopped` is True once it rests (waits, ended, exception) and may be written."""

    id: str
    playbook: str
    bundle: str
    stage: str
    customer_id: str | None
    serial_key: str | None
    parent_id: str | None
    subject_kind: str
    subject_id: str
    facts: dict[str, Any]
    signal: Mapping[str, Any] | None
    automatic: str | None
    attempt: int
    hops: int
    lane: str
    mark_at: datetime
    now: datetime
    state: CaseState = CaseState.READY
    due_at: datetime | None = None
    wait_type: str | None = None
    wait_key: str | None = None
    problem: Problem | None = None
    end: str | None = None
    stopped: bool = False
    written: bool = False
    entries: list[AuditEntry] = field(default_factory=list)
    ruled: list[Ruled] = field(default_factory=list)
    reviews: list[tuple[Ruled, ReviewDraft]] = field(default_factory=list)
    actions: list[tuple[ActionDraft, bool]] = field(default_factory=list)
    children: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    origin: tuple[str, Mapping[str, Any]] = ("", {})
    """Stage and facts when it was leased."""
    facts_text: str = ""
    recording: StepStage | None = None
    """The record step that it takes in the transaction that moves it."""

    def as_input(self) -> StepInput:
        """What a step is given of it."""
        return StepInput(
            self.id, self.facts, self.attempt, self.customer_id, self.subject_kind, self.subject_id, self.playbook,
            self.now,
        )  # fmt: skip

    def note(self, verb: str, payload: dict[str, Any], actor: Actor = SYSTEM) -> None:
        """Leave an audit entry about this case."""
        self.entries.append(AuditEntry(verb, self.id, payload, self.customer_id, actor))

    def go(self, outcome: str, target: str, found: Mapping[str, Any] | None = None) -> None:
        """Move on to the next stage, with what this one found."""
        payload: dict[str, Any] = {"from": self.stage, "outcome": outcome, "to": target}
        if found:
            self.facts.update(found)
            payload["found"] = dict(found)
        self.note("case.moved", payload)
        self.stage = target
        self.signal = None
        self.attempt = 1
        self.hops += 1

    def wait(self, wait_type: str, wait_key: str, until: datetime | None) -> None:
        """Rest until an event of this type and key, or until the timer; None = no timer."""
        self.state, self.stopped = CaseState.WAITING, True
        self.wait_type, self.wait_key = wait_type, wait_key
        self.due_at = until or NEVER

    def retry_at(self, moment: datetime) -> None:
        """Rest at this stage and try again later, as the next attempt."""
        self.stopped, self.due_at = True, moment
        self.attempt += 1

    def yield_turn(self) -> None:
        """Stop here, ready to go on with the next lease."""
        self.stopped = True

    def fail(self, code: str, words: str) -> None:
        """Into the exceptions queue, with its reason."""
        self.problem = Problem(self.stage, code, words[:2_000])
        self.state, self.stopped = CaseState.EXCEPTION, True
        self.due_at = NEVER
        self.note("case.excepted", self.problem.as_dict())

    def revert(self, code: str, words: str) -> None:
        """Into the exceptions queue as it was when it was leased; what it was about to do is forgotten."""
        stage, facts = self.origin
        self.stage, self.facts = stage, dict(facts)
        for pending in (self.entries, self.ruled, self.reviews, self.actions, self.children):
            pending.clear()
        self.wait_type = self.wait_key = self.end = self.recording = None
        self.fail(code, words)
        self.facts_text = dumps(self.facts)

    def hand_over_entries(self, uow: UnitOfWork) -> None:
        """Give the audit entries so far to the unit of work that moves the case."""
        uow.record_many(self.entries)
        self.entries.clear()

    def pass_event(self, at: datetime) -> None:
        """The event of this moment is used up; a later wait looks behind it."""
        self.mark_at = max(self.mark_at, at + timedelta(microseconds=1))

    def finish(self, end: str) -> None:
        """The case is over."""
        self.end, self.state, self.stopped = end, CaseState.ENDED, True
        self.note("case.ended", {"stage": self.stage, "end": end})

    def moved_row(self, now: int) -> tuple[Any, ...]:
        """The values of the store's move statement, in its order."""
        ended = now if self.state is CaseState.ENDED else None
        due = to_micros(self.due_at) if self.due_at else now
        problem = dumps(self.problem.as_dict()) if self.problem else None
        # Events since the last act are a later wait's; nothing of that act left before this commit.
        mark = now if self.actions and self.mark_at == self.now else to_micros(self.mark_at)
        return (
            self.stage, self.state.value, self.facts_text or dumps(self.facts), due, self.wait_type, self.wait_key,
            mark, self.attempt, self.hops, self.automatic, problem, self.end, now, ended, self.id,
        )  # fmt: skip
