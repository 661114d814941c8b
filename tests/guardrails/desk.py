"""A workspace with customers, rules in force, and a gate to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairlead import guardrails
from fairlead.customers import (
    ConsentRecord,
    ConsentState,
    CustomerDraft,
    record_consent,
    resolve_many,
    set_flag,
    suppress,
    withdraw_all,
)
from fairlead.guardrails import Attempt, GateAnswer
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.kit.database import Database

USER = Actor(ActorKind.USER, "usr_1")
RULES = """\
purposes:
  service: {class: transactional}
  alerts: {class: service_alert}
  sales: {class: promotional, mechanism: opt_out}
  news: {class: promotional, mechanism: opt_in, channels: [email]}
quiet_hours:
  - {name: nights, from: "21:00", to: "08:00"}
caps:
  - {name: one, most: 1, per: 7d}
human_only: {flags: [vulnerable]}
complaint: {off: [promotional]}
"""
DOUBLE = RULES.replace("opt_in,", "opt_in, double: true, expires: 30d,")


@dataclass
class Desk:
    """Everything through public functions; each call is a transaction of its own."""

    database: Database

    def deploy(self, text: str | None = RULES) -> bool:
        """Put rules into force."""
        with self.database.transaction() as uow:
            return guardrails.deploy_rules(uow, USER, text)

    def customer(self, email: str, **more: Any) -> str:
        """A customer with this address."""
        draft = CustomerDraft(name="Anna", identities=(("email", email),), source="test", **more)
        with self.database.transaction() as uow:
            made = resolve_many(uow, [draft])[0].id
            uow.record(AuditEntry("customer.created", made, customer_id=made))
            return made

    def ask(self, key: str, customer_id: str | None, purpose: str = "sales", **more: Any) -> GateAnswer:
        """Pass the gate."""
        values = {"channel": "email", "address": "", "sender": "campaign", **more}
        with self.database.transaction() as uow:
            return guardrails.pass_gate(uow, Attempt(key=key, customer_id=customer_id, purpose=purpose, **values))

    def would(
        self, customer_id: str | None, purpose: str = "sales", at: datetime | None = None, **more: Any
    ) -> GateAnswer:
        """The dry run, on a reader that cannot write."""
        values = {"channel": "email", "address": "", "sender": "campaign", **more}
        attempt = Attempt(key="dry", customer_id=customer_id, purpose=purpose, **values)
        with self.database.reading() as reader:
            return guardrails.would_pass(reader, attempt, at or self.database.clock.now())

    def settle(self, key: str, outcome: str) -> None:
        """Say what became of a message."""
        with self.database.transaction() as uow:
            guardrails.settle_contact(uow, key, outcome)

    def consent(
        self, customer_id: str, state: str, purpose: str = "news", mechanism: str = "web_form", **more: Any
    ) -> None:
        """Record what the customer said."""
        record = ConsentRecord(purpose, "email", ConsentState(state), mechanism, "test", **more)
        with self.database.transaction() as uow:
            record_consent(uow, USER, customer_id, record)

    def flag(self, customer_id: str, name: str) -> None:
        """Set a flag."""
        with self.database.transaction() as uow:
            set_flag(uow, USER, customer_id, name, value=True, source="test", owner="test")

    def suppress(self, address: str, scope: str = "all", channel: str = "email") -> None:
        """Suppress an address."""
        with self.database.transaction() as uow:
            suppress(uow, USER, channel, address, reason="bounced", source="test", scope=scope)

    def opt_out(self, customer_id: str) -> None:
        """Withdraw everything."""
        with self.database.transaction() as uow:
            withdraw_all(uow, USER, customer_id, source="test", mechanism="link")
