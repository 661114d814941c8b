"""A desk that checks who is in touch, on each database, and what it sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fairlead.actions import Action, ActionFilter, actions_page
from fairlead.audit import Trail
from fairlead.customers import Checked, CustomerDraft, checked, facts_of, resolve_many
from fairlead.identity import Asked, Tried, ask_code, confirm_code
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.sealing import unseal
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

SECRET = b"s" * 32
USER = Actor(ActorKind.USER, "usr_1")
BOT = Actor(ActorKind.API_KEY, "key_1")
ADA = "ada@nordwind.example"


@dataclass
class CheckDesk:
    """Everything through the room's door; each call is a transaction of its own."""

    database: Database

    def customer(self, *emails: str, language: str | None = None) -> str:
        """A customer with these addresses."""
        draft = CustomerDraft(
            name="Ada", language=language, identities=tuple(("email", one) for one in emails), source="test"
        )
        with self.database.transaction() as uow:
            made = resolve_many(uow, [draft])[0].id
            uow.record(AuditEntry("customer.created", made, customer_id=made))
            return made

    def ask(self, customer: str, address: str = ADA, actor: Actor = USER) -> Asked:
        """Ask for a code."""
        with self.database.transaction() as uow:
            return ask_code(uow, actor, customer, "email", address, SECRET)

    def messages(self) -> list[Action]:
        """Everything that was queued, newest first."""
        with self.database.reading() as reader:
            return actions_page(reader, ActionFilter(), None, 100)

    def code(self) -> str:
        """The code of the newest message, as its recipient reads it."""
        newest = self.messages()[0]
        return unseal(SECRET, newest.idempotency_key, newest.body["sealed"]["code"])

    def wrong(self) -> str:
        """Six digits that are not the code of the newest message."""
        return f"{(int(self.code()) + 1) % 10**6:06d}"

    def name(self, customer: str, code: str) -> Tried:
        """Name a code."""
        with self.database.transaction() as uow:
            return confirm_code(uow, USER, customer, code, SECRET)

    def checked(self, customer: str) -> Checked | None:
        """Whether account facts may be spoken of now; policies are told the same."""
        with self.database.reading() as reader:
            found = checked(reader, customer, self.database.clock.now())
            facts = facts_of(reader, [customer], self.database.clock.now())
        assert facts[customer]["identity_checked"] == (found is not None)
        return found


@pytest.fixture
def desk(database_url: str, clock: FakeClock) -> Iterator[CheckDesk]:
    """On both databases."""
    database = Database(database_url, clock=clock, trail=Trail())
    yield CheckDesk(database)
    database.close()


@pytest.fixture
def light_desk(sqlite_url: str, clock: FakeClock) -> Iterator[CheckDesk]:
    """On SQLite alone, for what does not hang on storage."""
    database = Database(sqlite_url, clock=clock, trail=Trail())
    yield CheckDesk(database)
    database.close()
