"""An outbox whose connector reaches customers, with contact rules in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import actions, guardrails
from fairlead.actions import Action, ActionDraft, OutboxSource
from fairlead.customers import CustomerDraft, resolve_many, withdraw_all
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.connectors import RecordingConnector

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

USER = Actor(ActorKind.USER, "usr_1")
RULES = """\
time_zone: UTC
purposes:
  service: {class: transactional}
  sales: {class: promotional, mechanism: opt_out}
quiet_hours:
  - {name: nights, from: "21:00", to: "08:00"}
caps:
  - {name: two, most: 2, per: 7d}
"""


@dataclass
class Outbox:
    """One worker's outbox; each call is a transaction of its own."""

    database: Database
    clock: FakeClock
    out: RecordingConnector = field(default_factory=lambda: RecordingConnector("mail", reaches_customer=True))
    turns: int = 0

    def __post_init__(self) -> None:
        """Ten in the morning, rules in force."""
        now = self.clock.now()
        self.clock.advance(now.replace(hour=10, minute=0, second=0, microsecond=0) - now + timedelta(days=1))
        self.rules(RULES)

    def rules(self, text: str) -> None:
        """Put contact rules into force."""
        with self.database.transaction() as uow:
            guardrails.deploy_rules(uow, USER, text)

    def customer(self, email: str = "anna@a.example") -> str:
        """Somebody with this address."""
        with self.database.transaction() as uow:
            made = resolve_many(uow, [CustomerDraft(name="Anna", identities=(("email", email),), source="test")])[0].id
            uow.record(AuditEntry("test.made", made))
        return made

    def queue(self, key: str, customer_id: str | None, body: dict[str, Any] | None = None, **more: Any) -> str:
        """A sales message to the customer, unless the body says otherwise."""
        said = {"channel": "email", "purpose": "sales", "sender": "sales", **(body or {})}
        draft = ActionDraft(key, "mail", "note", said, customer_id=customer_id, **more)
        with self.database.transaction() as uow:
            uow.record(AuditEntry("case.moved", "case_1"))
            return actions.queue_many(uow, [draft])[0]

    def source(self, out: RecordingConnector | None = None, **more: Any) -> OutboxSource:
        """Another worker's."""
        return OutboxSource(self.database, {"mail": out or self.out}, now=self.clock.now, **more)

    def work(self, source: OutboxSource | None = None) -> None:
        """Lease and run until nothing is ready."""
        mine = source or self.source()
        for _ in range(60):
            self.turns += 1
            if not mine.lease(100, 60, f"turn{self.turns}"):
                return
            mine.run(f"turn{self.turns}")
        pytest.fail("the outbox never came to rest")

    def opt_out(self, customer_id: str) -> None:
        """The customer wants no more."""
        with self.database.transaction() as uow:
            withdraw_all(uow, USER, customer_id, source="test", mechanism="preference_centre")

    def action(self, action_id: str) -> Action:
        """As it stands."""
        with self.database.reading() as reader:
            return actions.action_of(reader, action_id)

    def state(self, action_id: str) -> tuple[str, str]:
        """(state, the gate's code or "")."""
        one = self.action(action_id)
        return one.state.value, one.gate.get("code", "")

    def places(self) -> dict[str, str]:
        """What became of each place under the caps, by key."""
        with self.database.reading() as reader:
            return dict(reader.fetch("SELECT key, state FROM contact_log"))
