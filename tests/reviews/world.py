"""A small desk for the tests: a database, people, reviews, and a settlement that keeps decisions."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from fairlead import reviews
from fairlead.audit import Trail
from fairlead.audit.tables import entry
from fairlead.checkpoints import parse_policy
from fairlead.checkpoints.tables import decision, ruling
from fairlead.errors import ConflictError, InputError
from fairlead.evidence import Labels
from fairlead.kit.actors import SYSTEM, Actor
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.reviews import Given, Review, ReviewDraft, Reviewer, Verb
from fairlead.testing.clock import FakeClock

LEASE = timedelta(minutes=10)
UNDO = timedelta(seconds=10)


def sha(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def person(name: str, *roles: str) -> Reviewer:
    """A reviewer; of sales when no role is given."""
    return Reviewer(f"per_{name.lower()}", frozenset(roles or ("sales",)), name)


ROUTE = parse_policy(
    """\
checkpoint: route
answer: {type: object, properties: {team: {type: string}}}
review: {role: sales, due: 4h}
""",
    "route.yaml",
)
ANN, BOB, CEM = person("Ann"), person("Bob"), person("Cem")


class Decisions:
    """Settles into the decision table, so that a second decision of a ruling cannot be stored."""

    def settle(
        self,
        uow: UnitOfWork,
        ruling_id: str,
        verdict: str,
        answer: Any,
        actor: Actor,
        reason: str,
        effective_at: datetime,
    ) -> None:
        """ConflictError when the ruling has its decision."""
        if uow.execute(select(decision.c.ruling_id).where(decision.c.ruling_id == ruling_id)).first():
            raise ConflictError("the ruling has its decision", ruling=ruling_id)
        uow.execute(
            insert(decision).values(
                ruling_id=ruling_id,
                verdict=verdict,
                answer=answer,
                decided_by=str(actor),
                reason=reason,
                decided_at=uow.now,
                effective_at=effective_at,
            )
        )

    def unsettle(self, uow: UnitOfWork, ruling_id: str) -> bool:
        """Only before it takes effect."""
        still = (decision.c.ruling_id == ruling_id, decision.c.effective_at > uow.now)
        return uow.execute(delete(decision).where(*still)).rowcount == 1


def checked(checkpoint: str, answer: Any) -> None:
    """The schema of every checkpoint here: an object with a team."""
    if not isinstance(answer, dict) or "team" not in answer:
        raise InputError("the answer needs a team", code="answer", checkpoint=checkpoint)


@dataclass
class Desk:
    """The verbs of the feature, each in a transaction of its own, as the edges use them."""

    database: Database
    clock: FakeClock
    _drawn: bool = False
    _ruled: str | None = None
    settlement: Decisions = field(default_factory=Decisions)
    labels: Labels = field(default_factory=lambda: Labels(lambda *_: ROUTE))

    @classmethod
    def at(cls, url: str, clock: FakeClock) -> Desk:
        """The desk on this database, audited."""
        return cls(Database(url, clock=clock, trail=Trail()), clock)

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        """For the verbs that have no short form here."""
        return self.database.transaction()

    def open(self, count: int = 1, **given: Any) -> list[str]:
        """Reviews that differ in their ruling only; `due_in` is a timedelta from now.

        `drawn` says that the rulings were drawn; `ruled` is their path, where it is not the review's.
        """
        due_in = given.pop("due_in", None)
        self._drawn, self._ruled = given.pop("drawn", False), given.pop("ruled", None)
        given.setdefault("path", "assist")
        given.setdefault("checkpoint", "route")
        given.setdefault("title", "Lead from Basel")
        if "needs" not in given:
            given.setdefault("role", "sales")
        with self.transaction() as uow:
            drafts = []
            for _ in range(count):
                ruling_id = new_id("rul")
                self._ruling(uow, ruling_id, given)
                due = None if due_in is None else uow.now + due_in
                drafts.append(
                    ReviewDraft(
                        ruling_id=ruling_id,
                        segment="other",
                        proposal_digest=sha("proposal"),
                        facts_digest=sha("facts"),
                        due_at=due,
                        **given,
                    )
                )
            uow.record(AuditEntry("ruling.made", "rulings", actor=SYSTEM))
            return reviews.open_many(uow, drafts)

    def _ruling(self, uow: UnitOfWork, ruling_id: str, given: dict[str, Any]) -> None:
        uow.execute(
            insert(ruling).values(
                id=ruling_id,
                checkpoint=given["checkpoint"],
                decision_key=ruling_id,
                path=self._ruled or given["path"],
                segment="other",
                producer="rules@1",
                policy_version="p1",
                digest=sha("proposal"),
                proposal={"answer": {"team": "a"}},
                facts={},
                record=[],
                lottery=self._drawn,
                lottery_p=0.25 if self._drawn else 0.0,
                created_at=uow.now,
            )
        )

    def get(self, review_id: str) -> Review:
        """As stored now."""
        with self.database.reading() as reader:
            return reviews.get(reader, review_id)

    def claim(self, review_id: str, who: Reviewer = ANN) -> reviews.Claim:
        """For ten minutes."""
        with self.transaction() as uow:
            return reviews.claim(uow, review_id, who, LEASE)

    def claim_next(self, who: Reviewer = ANN, **narrow: Any) -> reviews.Claim | None:
        """For ten minutes; `narrow` by role or checkpoint."""
        with self.transaction() as uow:
            return reviews.claim_next(uow, who, LEASE, **narrow)

    def decide(self, review_id: str, verdict: Verb, who: Reviewer = ANN, **given: Any) -> reviews.Decided:
        """The digest is the present one unless the test gives what the page showed."""
        given.setdefault("digest", self.get(review_id).digest)
        with self.transaction() as uow:
            return reviews.decide(
                uow,
                review_id,
                Given(verdict, **given),
                who,
                settlement=self.settlement,
                labels=self.labels,
                check_answer=checked,
                effective_after=UNDO,
            )

    def undo(self, review_id: str, who: Reviewer = ANN) -> Review:
        """Within ten seconds of the verdict."""
        with self.transaction() as uow:
            return reviews.undo(uow, review_id, who, LEASE, settlement=self.settlement)

    def expire(self, limit: int = 100) -> reviews.Expired:
        """The clocks alone."""
        with self.transaction() as uow:
            done = reviews.expire_due(uow, uow.now, limit, settlement=self.settlement)
            if not done.count:
                uow.record(AuditEntry("sweep.found_nothing", "reviews"))
            return done

    def sweep(self) -> int:
        """Everything that time does."""
        with self.transaction() as uow:
            uow.record(AuditEntry("sweep.done", "reviews"))
            return reviews.sweep(uow, 100, settlement=self.settlement)

    def decision(self, review_id: str) -> Any:
        """The decision of the review's ruling; None when there is none."""
        with self.database.reading() as reader:
            ruling_id = reviews.get(reader, review_id).ruling_id
            return reader.execute(select(decision).where(decision.c.ruling_id == ruling_id)).first()

    def audited(self, review_id: str) -> list[str]:
        """The verbs on record about a review, oldest first."""
        with self.database.reading() as reader:
            query = select(entry.c.verb).where(entry.c.subject == review_id).order_by(entry.c.id)
            return list(reader.execute(query).scalars())

    def page(self, wanted: reviews.QueueFilter | None = None, **how: Any) -> list[str]:
        """Ids of a page; the default one when nothing is wanted."""
        with self.database.reading() as reader:
            return [one.id for one in reviews.page(reader, wanted or reviews.QueueFilter(), **how).items]
