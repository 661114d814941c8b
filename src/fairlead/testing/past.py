"""The months before today, played through the real product on a clock that is set back: nothing is backdated.

Every step happens at its own moment, in order, so the audit record and every figure are those of a company that has
worked like that. A step can be played again: what it stored is found and not stored twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fairlead import reviews
from fairlead.actions import OutboxSource
from fairlead.checkpoints import SETTLEMENT, rulings_of_case
from fairlead.errors import ConflictError, NotFoundError
from fairlead.evidence import OutcomeReport, report_outcome
from fairlead.jobs import WorkLane
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_id
from fairlead.people import Person, Role, add_person, find_person_by_email
from fairlead.playbooks import CaseSource, CaseState, CaseVerb, EventSource, TimerSource, cases_page, steer
from fairlead.reviews import Given, Mode, QueueFilter, Review, Reviewer, Verb
from fairlead.sales import (
    TouchKind,
    Wait,
    batches,
    begin_import,
    checked_rows,
    finish_import,
    finished_import_of,
    first_touch,
    import_batch,
    imports_page,
    leads_page,
    log_touch,
    open_lead_file,
)
from fairlead.testing.company import HEADER, Company, MadeRep, write_rows
from fairlead.testing.company_words import CALLS, REPLIES

if TYPE_CHECKING:
    from fairlead.actions import Connector
    from fairlead.jobs import WorkSource
    from fairlead.kit.unit_of_work import Reader, UnitOfWork
    from fairlead.playbooks import Bundle, Engine
    from fairlead.reviews import Labelling
    from fairlead.testing.clock import FakeClock

PLAYBOOK, NURTURE = "lead-qualification", "lead-nurture"
LEADS_A_STEP = 12
STEP = timedelta(days=7)
LIST_NAMES = ("trade-fair", "webinar", "website", "partner-list")
STAFF = {
    "milan.horvat@demo.example": ("Milan Horvat", Role.MANAGER, Role.REVIEWER),
    "rosa.vidal@demo.example": ("Rosa Vidal", Role.REVIEWER),
    "nora.weiss@demo.example": ("Nora Weiss", Role.REVIEWER),
}
_WEEKEND = 5
_DAY_BEGINS, _DAY_ENDS = 7, 16
_UNDO = timedelta(seconds=10)
_CLAIM = timedelta(minutes=10)
_CHUNK, _LEASE_S = 500, 60.0
_LEFT, _EDITED, _REJECTED = 0.06, 0.12, 0.14
_NEVER_CALLED, _REPLIES = 0.12, 0.3
_OUTCOME_AFTER = 2
_BROKEN = 3


@dataclass(frozen=True)
class Stage:
    """Where the past is played: an engine over a database that was opened with the clock."""

    engine: Engine
    clock: FakeClock
    connectors: Mapping[str, Connector]
    bundle: Bundle
    company: Company
    labels: Labelling


class Past:
    """Plays the steps from a moment on, `steps` in all; the clock stands at the end of the last one afterwards."""

    def __init__(self, stage: Stage, start: datetime, steps: int) -> None:
        """`start` is when the company began to use Fairlead."""
        self._stage, self._start, self._steps = stage, start, steps
        self._database = stage.engine.database
        outbox = OutboxSource(self._database, stage.connectors, now=stage.clock.now)
        cases = [CaseSource(stage.engine, lane) for lane in WorkLane]
        self._sources: list[WorkSource] = [EventSource(stage.engine), TimerSource(stage.engine), *cases, outbox]
        self._reps = {one.name: one for one in stage.company.reps}
        self._staff: dict[str, Reviewer] = {}

    def play(self, done: int, mark: Callable[[int], None]) -> None:
        """Every step from number `done` on; `mark` is told after each how many there are now."""
        self._staff = self._people()
        for number in range(done, self._steps):
            self._to(self.moment(number))
            self._step(number)
            mark(number + 1)

    def moment(self, number: int) -> datetime:
        """When a step is played; never at a weekend, and not always at the same hour."""
        at = self._start + STEP * number + timedelta(hours=number * 3 % 7)
        while at.weekday() >= _WEEKEND:
            at -= timedelta(days=1)
        return at

    def _to(self, moment: datetime) -> None:
        """Set the clock on, never back: what is written later is not of an earlier moment."""
        self._stage.clock.advance(max(moment - self._stage.clock.now(), timedelta()))

    def _step(self, number: int) -> None:
        rng = random.Random(f"{self._stage.company.options.seed}/past/{number}")
        self._contacts(rng)
        self._take_in(number)
        self._settle()
        if number < self._steps - 1:  # what came last is overdue by now
            self._decide(rng)
        self._step_in(number)
        if number >= _OUTCOME_AFTER:
            self._outcomes(number - _OUTCOME_AFTER)
        if number == self._steps - 1:
            self._break()
        self._answers(rng)
        self._stage.clock.advance(_UNDO * 2)
        self._settle()

    def _settle(self) -> None:
        """Let the engine and the outbox do what is due."""
        while sum(self._drained(source) for source in self._sources):
            pass

    def _drained(self, source: WorkSource) -> int:
        chunks = 0
        while source.lease(_CHUNK, _LEASE_S, token := new_id("lease")):
            source.run(token)
            chunks += 1
        return chunks

    def _people(self) -> dict[str, Reviewer]:
        found: list[Person] = []
        with self._database.transaction() as uow:
            for email, (name, *roles) in STAFF.items():
                known = find_person_by_email(uow, email)
                found.append(known or add_person(uow, SYSTEM, name=name, email=email, roles=roles))
        return {one.id: Reviewer(one.id, frozenset(one.roles), one.name) for one in found}

    def _file(self, number: int) -> tuple[tuple[str, ...], ...]:
        return tuple(lead.row for lead in self._stage.company.leads(LEADS_A_STEP, start=number * LEADS_A_STEP))

    def _take_in(self, number: int) -> None:
        """A file of leads, once."""
        bundle = self._stage.bundle
        with TemporaryDirectory() as scratch:
            name = f"{LIST_NAMES[number % len(LIST_NAMES)]}-{self.moment(number):%Y-%m-%d}.csv"
            path = Path(scratch) / name
            write_rows(path, HEADER, iter(self._file(number)))
            leads = open_lead_file(path, [], bundle.currency)
            with leads.reader, self._database.transaction() as uow:
                if finished_import_of(uow, leads.digest, PLAYBOOK) is not None:
                    return
                import_id = begin_import(uow, SYSTEM, bundle, leads, PLAYBOOK)
                for batch in batches(checked_rows(leads, lambda _bytes: None), lambda: LEADS_A_STEP):
                    import_batch(uow, SYSTEM, bundle, import_id, PLAYBOOK, batch, bundle.currency)
                finish_import(uow, SYSTEM, import_id, LEADS_A_STEP)

    def _decide(self, rng: random.Random) -> None:
        """People clear their queue, but for what they overlook."""
        with self._database.reading() as reader:
            waiting = reviews.page(reader, QueueFilter(), limit=200).items
        mine = [one for one in waiting if rng.random() > _LEFT]
        with self._database.transaction() as uow:
            for one in mine:
                self._decide_one(uow, one, rng)

    def _decide_one(self, uow: UnitOfWork, one: Review, rng: random.Random) -> None:
        able = [who for who in self._staff.values() if one.role in who.roles]
        if not able:
            return
        who = rng.choice(able)
        shown = reviews.claim(uow, one.id, who, _CLAIM).review
        with suppress(ConflictError):
            self._say(uow, shown, who, rng)
            again = reviews.get(uow, one.id)
            if again.is_open and again.mode is Mode.ASSIST and again.claimed_by == who.id:
                self._say(uow, again, who, rng)

    def _say(self, uow: UnitOfWork, one: Review, who: Reviewer, rng: random.Random) -> None:
        given = _verdict(one, self._proposed(uow, one), rng)
        policies = self._stage.bundle.policies
        reviews.decide(
            uow, one.id, given, who, settlement=SETTLEMENT, labels=self._stage.labels,
            check_answer=lambda checkpoint, answer: policies[checkpoint].answer.check(answer), effective_after=_UNDO,
        )  # fmt: skip

    def _proposed(self, reader: Reader, one: Review) -> dict[str, Any]:
        rulings = rulings_of_case(reader, one.case_id) if one.case_id else []
        return next((dict(row.proposal["answer"]) for row in rulings if row.id == one.ruling_id), {})

    def _contacts(self, rng: random.Random) -> None:
        """What the reps did since the last step: each calls after a while of their own, some never."""
        now = self._stage.clock.now()
        with self._database.reading() as reader:
            report = first_touch(reader, now, max(self._start, now - timedelta(days=60)) - timedelta(seconds=1))
        with self._database.transaction() as uow:
            for one in report.waits:
                rep = self._reps.get(report.names.get(one.person_id or "", ""))
                at = _called_at(one, rep, self._stage.company.options.seed) if one.runs and rep else None
                if at is not None and at <= now and one.person_id:
                    log_touch(
                        uow, Actor(ActorKind.USER, one.person_id), one.lead, at=at, note=rng.choice(CALLS),
                        kind=rng.choice((TouchKind.CALL, TouchKind.CALL, TouchKind.EMAIL, TouchKind.MEETING)),
                    )  # fmt: skip

    def _answers(self, rng: random.Random) -> None:
        """Some of those in nurture answer, each once."""
        with self._database.reading() as reader:
            rows = cases_page(reader, state=CaseState.WAITING.value, playbook=NURTURE, before=None, limit=40)
        with self._database.transaction() as uow:
            for row in rows:
                if row.customer_id and rng.random() < _REPLIES:
                    found = {"found": {"reply": rng.choice(REPLIES)}}
                    publish(uow, Event("replied", row.customer_id, found, id=f"demo-reply/{row.id}"))

    def _step_in(self, number: int) -> None:
        """Now and then a person takes a case off its road."""
        verb, reason = (
            (CaseVerb.SKIP, "Agreed on the telephone already."),
            (CaseVerb.TAKE_OVER, "An old acquaintance; I look after it myself."),
            (CaseVerb.CANCEL, "A test of the web form."),
        )[number % 3]
        boss = next(one for one in self._staff.values() if Role.MANAGER in one.roles)
        with self._database.reading() as reader:
            rows = cases_page(reader, state=CaseState.WAITING.value, playbook=PLAYBOOK, before=None, limit=60)
        waiting = [row for row in rows if row.stage == "assign"]
        if waiting and number % 2 == 0:
            with self._database.transaction() as uow, suppress(ConflictError):
                actor = Actor(ActorKind.USER, boss.id)
                steer(uow, self._stage.engine.library, actor, waiting[-1].id, verb, reason=reason)

    def _outcomes(self, number: int) -> None:
        """What became of a file's leads, as they are in truth."""
        converts = [lead.converts for lead in self._stage.company.leads(LEADS_A_STEP, start=number * LEADS_A_STEP)]
        name = f"{LIST_NAMES[number % len(LIST_NAMES)]}-{self.moment(number):%Y-%m-%d}.csv"
        crm = Actor(ActorKind.SYSTEM, "crm")
        with self._database.transaction() as uow:
            for row in _leads_of(uow, name):
                ruling = next(iter(rulings_of_case(uow, row.case_id)), None)
                if ruling is not None and ruling.verdict in {"auto", "approve", "edit", "answer"}:
                    won = converts[(row.row_no - 2) % len(converts)]
                    report = OutcomeReport(ruling.id, "converted", won, uow.now, f"demo/{row.id}")
                    with suppress(NotFoundError):
                        report_outcome(uow, crm, report)

    def _break(self) -> None:
        """Cases that somebody sent on before they knew enough: they stand among the exceptions."""
        boss = next(one for one in self._staff.values() if Role.MANAGER in one.roles)
        actor, reason = Actor(ActorKind.USER, boss.id), "Was agreed by telephone; please hand it over."
        with self._database.reading() as reader:
            rows = cases_page(reader, state=CaseState.WAITING.value, playbook=PLAYBOOK, before=None, limit=60)
            broken = len(cases_page(reader, state=CaseState.EXCEPTION.value, playbook=None, before=None, limit=_BROKEN))
        with self._database.transaction() as uow:
            for row in [row for row in rows if row.stage == "assign"][: _BROKEN - broken]:
                steer(
                    uow, self._stage.engine.library, actor, row.id, CaseVerb.REDIRECT, reason=reason, stage="given-out"
                )


def _verdict(one: Review, proposed: dict[str, Any], rng: random.Random) -> Given:
    """Mostly what was proposed; teams are changed and leads put off now and then."""
    if one.mode is not Mode.ASSIST:
        return Given(Verb.ANSWER, one.digest, answer=proposed)
    draw = rng.random()
    if draw < _REJECTED:
        return Given(Verb.REJECT, one.digest, reason=rng.choice(("Not before spring.", "No budget this year.")))
    if draw < _REJECTED + _EDITED and proposed.get("team"):
        answer = {**proposed, "team": "inside-sales"}
        return Given(Verb.EDIT, one.digest, answer=answer, reason="Too small for the field team.")
    return Given(Verb.APPROVE, one.digest)


def _called_at(wait: Wait, rep: MadeRep, seed: int) -> datetime | None:
    """When the rep gets round to a lead; None for one that they forget."""
    rng = random.Random(f"{seed}/called/{wait.case_id}")
    if rng.random() < _NEVER_CALLED:
        return None
    at = wait.at + timedelta(hours=rep.delay_h * rng.lognormvariate(0, 1))
    while at.weekday() >= _WEEKEND or not _DAY_BEGINS <= at.hour < _DAY_ENDS:  # nobody calls at night
        at += timedelta(hours=1)
    return at


def _leads_of(reader: Reader, name: str) -> Sequence[Any]:
    found = next((one for one in imports_page(reader, None, 200) if one.name == name), None)
    return [] if found is None else [row for row in leads_page(reader, found.id, -1, LEADS_A_STEP) if row.case_id]
