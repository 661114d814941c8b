"""Customers who ask for their rights, and the people who decide about it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fairlead import customers, reviews, rights
from fairlead.api import labels_of
from fairlead.checkpoints import SETTLEMENT
from fairlead.customers import CustomerDraft
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import EventSource, TimerSource, read_case
from fairlead.reviews import Given, Reviewer, Verb
from fairlead.rights import Asked, Right
from fairlead.testing.seed import run_ready
from tests.sales.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.reviews import Review
    from fairlead.testing.clock import FakeClock

CEM = Reviewer("per_cem", frozenset({"compliance"}), "Cem")
DORA = Reviewer("per_dora", frozenset({"compliance"}), "Dora")
CLERK = Actor(ActorKind.USER, "per_clerk")
CALLED = "called back at the known number"


class Desk(World):
    """A `World` with verbs for rights."""

    def __init__(self, url: str, folder: Path, clock: FakeClock) -> None:
        """See `World`."""
        super().__init__(url, folder, clock)
        self.clock = clock

    def customer(self, name: str, *identities: tuple[str, str]) -> str:
        """A new customer."""
        draft = CustomerDraft(name=name, company="Example Ltd", country="DE", identities=identities, source="test")
        with self.database.transaction() as uow:
            uow.record(AuditEntry("case.opened", "case_1"))
            return customers.resolve_many(uow, [draft])[0].id

    def ask(self, customer: str, right: str, *, actor: Actor = CLERK, **changes: str) -> str:
        """Write a request down and bring its case to the checkpoint."""
        asked = Asked(Right(right), CALLED, "by letter", changes)
        with self.database.transaction() as uow:
            request = rights.open_request(uow, actor, self.bundle, customer, asked)
        run_ready(self.engine)
        return request

    def request(self, request: str) -> Any:
        """As it is stored."""
        with self.database.reading() as reader:
            return rights.read_request(reader, request)

    def waiting(self, request: str) -> Review:
        """The review in which it is decided."""
        with self.database.reading() as reader:
            found = [one for one in reviews.of_case(reader, self.request(request).case_id) if one.is_open]
        [one] = found
        return one

    def decide(self, request: str, *, carry_out: bool, who: Reviewer = CEM) -> Any:
        """Answer the review; the request afterwards."""
        one = self.waiting(request)
        with self.database.transaction() as uow:
            claimed = reviews.claim(uow, one.id, who, timedelta(minutes=15)).review
            given = Given(Verb.ANSWER, claimed.digest, {"carry_out": carry_out}, "looked at it", None)
            reviews.decide(
                uow, one.id, given, who, settlement=SETTLEMENT, labels=labels_of(self.library),
                check_answer=lambda *_: None, effective_after=timedelta(0),
            )  # fmt: skip
        EventSource(self.engine).turn()
        run_ready(self.engine)
        self.clock.advance(timedelta(minutes=1))  # what is asked again waits a second
        TimerSource(self.engine).turn()
        run_ready(self.engine)
        return self.request(request)

    def end_of(self, request: str) -> Any:
        """How the case ended, None while it is open."""
        with self.database.reading() as reader:
            return read_case(reader, self.request(request).case_id).end
