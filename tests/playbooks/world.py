"""A workspace, an engine and a desk over a database of the test's own, driven by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from fairlead import reviews
from fairlead.actions import Action, Connector, actions_of_case
from fairlead.api import labels_of
from fairlead.audit import Trail
from fairlead.audit.tables import entry
from fairlead.checkpoints import SETTLEMENT, Grant, Level, rulings_of_case, set_grant
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import (
    Bundle,
    BundleLibrary,
    CaseDraft,
    CaseVerb,
    Engine,
    EngineSettings,
    Step,
    StepInput,
    StepKind,
    StepRegistry,
    deploy,
    open_cases,
    plain_step,
    read_case,
    steer,
)
from fairlead.reviews import Given, Review, Reviewer, Verb
from fairlead.reviews.tables import review
from fairlead.testing.clock import FakeClock
from fairlead.testing.connectors import RecordingConnector
from fairlead.testing.running import UntilIdle
from fairlead.worker import STEPS

ANN = Reviewer("per_ann", frozenset({"reviewer", "manager"}), "Ann")
BOB = Reviewer("per_bob", frozenset({"reviewer", "legal"}), "Bob")
BOSS = Actor(ActorKind.USER, "per_boss")
LEASE = timedelta(minutes=10)
UNDO = timedelta(seconds=10)

POLICY = """
checkpoint: offer
answer:
  type: object
  required: [price]
  additionalProperties: false
  properties: {price: {type: number}, note: {type: string}}
facts:
  country: {type: string, from: subject.country, default: DE}
  flags: {type: list(string), from: customer.flags, default: []}
rules:
  - {id: big, when: value > 1000.0, path: assist, words: Larger offers are approved.}
  - {id: legal, when: 'country == "CH"', path: assist, role: legal, words: Abroad the lawyers look.}
  - {id: boss, when: 'country == "CH"', path: assist, role: manager, words: Abroad the boss looks.}
  - {id: strange, when: 'country == "XX"', path: human, words: A person answers.}
  - {id: embargo, when: 'country == "KP"', path: blocked, words: Not there.}
review: {role: reviewer, due: 1d, on_expiry: expire}
lottery: {rate: 0}
"""

OFFER = """
playbook: offer
subject: lead
facts: {country: string, price: double}
on: {opted_out: gone}
stages:
  ask:
    checkpoint: offer
    producer: rules@1
    answer: {price: price}
    score: confidence
    value: price
    next: {approved: send, rejected: lost, blocked: refused, expired: late}
  send:
    act: mail
    body: {price: price}
    next: {sent: won}
  won: {end: won}
  lost: {end: lost}
  refused: {end: refused}
  late: {end: late}
  gone: {end: gone}
"""


def playbook(stages: str, *, name: str = "test", head: str = "") -> str:
    """A playbook of these stages; `head` adds keys at the top."""
    return f"playbook: {name}\nsubject: lead\n{head}\nstages:\n{stages}"


def step(name: str, run: Callable[[StepInput], Any], kind: StepKind = StepKind.PURE) -> Step:
    """A step of the test's own."""
    return plain_step(name, run, kind)


def batch_step(name: str, run: Callable[[Sequence[StepInput]], Any], kind: StepKind = StepKind.PURE) -> Step:
    """A step that sees whole batches."""
    return Step(name, kind, lambda _config, _environment: run)


@dataclass
class World:
    """What a test holds; it does everything through public functions, each in its own transaction."""

    database: Database
    clock: FakeClock
    mail: Connector
    library: BundleLibrary
    engine: Engine
    idle: UntilIdle
    bundle: Bundle | None = None
    customers: list[str] = field(default_factory=list)

    @classmethod
    def at(
        cls,
        url: str,
        clock: FakeClock,
        steps: Sequence[Step] = (),
        *,
        mail: Connector | None = None,
        chunk: int = 500,
        lease_s: float = 60.0,
    ) -> World:
        """With the built-in steps, those of the test, and one connector called mail."""
        database = Database(url, clock=clock, trail=Trail())
        mail = mail or RecordingConnector("mail")
        library = BundleLibrary(StepRegistry([*STEPS, *steps]), frozenset({"mail"}))
        engine = Engine(database, library, EngineSettings(seed=bytes(32), lease_s=lease_s))
        idle = UntilIdle(engine, clock, {"mail": mail}, chunk=chunk, lease_s=lease_s)
        return cls(database, clock, mail, library, engine, idle)

    def with_steps(self, *steps: Step) -> World:
        """Another process on the same database, with other steps in its build."""
        return World.at(self.database.url.render_as_string(hide_password=False), self.clock, steps)

    def deploy(self, *playbooks: str, policy: str = POLICY, **files: str) -> Bundle:
        """The playbooks, one policy and whatever other files."""
        paths = {f"playbooks/p{number}.yaml": text for number, text in enumerate(playbooks)}
        with self.database.transaction() as uow:
            everything = {**paths, "policies/offer.yaml": policy, **files}
            self.bundle, _ = deploy(uow, self.library, SYSTEM, everything)
        return self.bundle

    def customer(self) -> str:
        """A new one."""
        with self.database.transaction() as uow:
            draft = CustomerDraft(name="A", identities=(("email", f"{new_id('x')}@example.com"),), source="test")
            made: str = resolve_many(uow, [draft])[0].id
            uow.record(AuditEntry("test.imported", made))
        self.customers.append(made)
        return made

    def open(
        self, facts: Mapping[str, Any] | None = None, *, playbook: str = "test", customer: str | None = None
    ) -> str:
        """One case."""
        return self.open_many([facts or {}], playbook=playbook, customer=customer)[0]

    def open_many(
        self, facts: Sequence[Mapping[str, Any]], *, playbook: str = "test", customer: str | None = None
    ) -> list[str]:
        """Cases with these facts."""
        assert self.bundle is not None
        drafts = [CaseDraft(playbook, "lead", new_id("lead"), one, customer) for one in facts]
        with self.database.transaction() as uow:
            return open_cases(uow, drafts, self.bundle)

    def run(self) -> None:
        """All that is due now."""
        self.idle.run()

    def later(self, **span: float) -> None:
        """All that becomes due within this span."""
        self.idle.run_for(timedelta(**span))

    def case(self, case_id: str) -> Any:
        """As stored now."""
        with self.database.reading() as reader:
            return read_case(reader, case_id)

    def where(self, case_id: str) -> tuple[str, str]:
        """Its state and stage."""
        row = self.case(case_id)
        return row.state, row.stage

    def steer(self, case_id: str, verb: CaseVerb, **how: Any) -> str:
        """As the boss."""
        with self.database.transaction() as uow:
            return steer(uow, self.library, BOSS, case_id, verb, **how)

    def happens(self, event: str, customer: str, event_id: str = "", **payload: Any) -> bool:
        """An event about the customer, published as a feature would; False when its id was there already."""
        with self.database.transaction() as uow:
            uow.record(AuditEntry("test.happened", customer, {"event": event}))
            return publish(uow, Event(event, customer, payload, id=event_id))

    def reviews_of(self, case_id: str) -> list[Review]:
        """All of a case, oldest first."""
        with self.database.reading() as reader:
            ids = list(reader.execute(select(review.c.id).where(review.c.case_id == case_id)).scalars())
            found = reviews.find_many(reader, ids)
        return [found[one] for one in sorted(found)]

    def decide(self, case_id: str, verdict: Verb, who: Reviewer = ANN, **given: Any) -> reviews.Decided:
        """Claim the case's open review and decide it, on what is shown."""
        [one] = [each for each in self.reviews_of(case_id) if each.is_open]
        with self.database.transaction() as uow:
            shown = reviews.claim(uow, one.id, who, LEASE).review
            given.setdefault("digest", shown.digest)
            return reviews.decide(
                uow, one.id, Given(verdict, **given), who,
                settlement=SETTLEMENT, labels=labels_of(self.library), check_answer=self._check, effective_after=UNDO,
            )  # fmt: skip

    def _check(self, checkpoint: str, answer: Any) -> None:
        assert self.bundle is not None
        self.bundle.policies[checkpoint].answer.check(answer)

    def grant(self, level: Level = Level.AUTO, threshold: float | None = 0.5) -> None:
        """Autonomy for the producer of these tests."""
        assert self.bundle is not None
        version = self.bundle.policies["offer"].version
        expires = self.clock.now() + timedelta(days=90)
        if level is not Level.AUTO:
            threshold = None
        with self.database.transaction() as uow:
            set_grant(
                uow,
                BOSS,
                "manager",
                Grant("", "offer", "other", "rules@1", level, version, expires, threshold),
                {},
            )

    def actions(self, case_id: str) -> list[Action]:
        """All of a case, oldest first."""
        with self.database.reading() as reader:
            return actions_of_case(reader, case_id)

    def paths(self, case_id: str) -> list[str]:
        """The paths of its rulings."""
        with self.database.reading() as reader:
            return [row.path for row in rulings_of_case(reader, case_id)]

    def verbs(self, subject: str) -> list[str]:
        """The verbs on record about a subject, oldest first."""
        with self.database.reading() as reader:
            query = select(entry.c.verb).where(entry.c.subject == subject).order_by(entry.c.id)
            return list(reader.execute(query).scalars())
