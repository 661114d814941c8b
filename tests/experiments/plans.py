"""An `experiments.yaml` for tests, and what deploys and meets it, each call in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from fairlead.customers import CustomerDraft, resolve_many
from fairlead.experiments import Given, Meeting, deploy_experiments, expose, stop_experiment
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.kit.database import Database

USER = Actor(ActorKind.USER, "usr_1")
PLAN = """\
experiments:
  first-mail:
    words: Does a short first mail bring more replies?
    facts: {country: string}
    eligible: country == "DE"
    arms: {long: 0.5, short: 0.5}
    outcome: {event: replied, within: 14d}
    per_arm: 20
"""
GERMAN = {"country": "DE"}


@dataclass
class Trial:
    """A database with an experiment in it."""

    database: Database
    numbers: count[int] = field(default_factory=lambda: count(1))

    def deploy(self, text: str | None = PLAN) -> list[str]:
        """Put a file into force."""
        with self.database.transaction() as uow:
            return deploy_experiments(uow, USER, text)

    def stop(self, arm: str, reason: str = "", name: str = "first-mail") -> bool:
        """For this arm."""
        with self.database.transaction() as uow:
            return stop_experiment(uow, USER, name, arm, reason)

    def customers(self, many: int) -> list[str]:
        """New ones."""
        drafts = [
            CustomerDraft(name="A", identities=(("email", f"t{next(self.numbers)}@example.test"),), source="test")
            for _ in range(many)
        ]
        with self.database.transaction() as uow:
            made = [one.id for one in resolve_many(uow, drafts)]
            uow.record(AuditEntry("test.imported", made[0]))
        return made

    def meet(self, *customers: str | None, facts: Mapping[str, Any] = GERMAN, name: str = "first-mail") -> list[Given]:
        """One case of each comes to the experiment."""
        meetings = [Meeting(one, f"case_{next(self.numbers)}", facts) for one in customers]
        with self.database.transaction() as uow:
            return expose(uow, name, meetings)
