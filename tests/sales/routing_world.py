"""Teams and leads without playbooks: what routing alone does, on a database and as separate processes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from fairlead.audit import Trail
from fairlead.kit.actors import SYSTEM
from fairlead.kit.clock import Clock
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.people import Person, TeamRules, Terms, add_person, create_team, put_member
from fairlead.sales.routing import Given, assign_many, tables as t
from fairlead.sales.routing.model import Ask
from fairlead.testing.clock import FakeClock

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class Office:
    """An installation with teams; people are called by their first name."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        """On the Monday at ten, unless a clock is given."""
        self.clock = clock or FakeClock(MONDAY)
        self.database = Database(url, clock=self.clock, trail=Trail())
        self.people: dict[str, Person] = {}

    def person(self, name: str) -> str:
        """The id of somebody, made when first called."""
        if name not in self.people:
            with self.database.transaction() as uow:
                email = f"{name.lower()}@example.com"
                self.people[name] = add_person(uow, SYSTEM, name=name, email=email, roles=["reviewer"])
        return self.people[name].id

    def team(self, name: str, members: dict[str, Terms], **rules: Any) -> None:
        """A team with these people."""
        with self.database.transaction() as uow:
            create_team(uow, SYSTEM, name=name, rules=TeamRules(**rules))
        for one, terms in members.items():
            self.put(name, one, terms)

    def put(self, team: str, person: str, terms: Terms, **span: Any) -> None:
        """Put somebody into a team, or on other terms."""
        person_id = self.person(person)
        with self.database.transaction() as uow:
            put_member(uow, SYSTEM, team, person_id, terms, **span)

    def give(self, asks: Sequence[Ask]) -> list[Given]:
        """One chunk in one transaction."""
        with self.database.transaction(Lane.BULK) as uow:
            return assign_many(uow, asks)

    def names(self, given: Sequence[Given]) -> list[str]:
        """Who got them, in order."""
        return [one.name for one in given]

    def totals(self) -> Counter[str]:
        """Current assignments by person's name, "" for nobody's."""
        with self.database.reading() as reader:
            c = t.assignment.c
            rows = list(reader.execute(select(c.explanation, c.case_id).where(c.superseded_at.is_(None))))
        assert len({row.case_id for row in rows}) == len(rows), "a case has two assignments"
        return Counter((row.explanation["person"] or {}).get("name", "") for row in rows)

    def explained(self, given: Given) -> dict[str, Any]:
        """The stored explanation of an assignment."""
        with self.database.reading() as reader:
            query = select(t.assignment.c.explanation).where(t.assignment.c.id == given.assignment_id)
            found: dict[str, Any] = reader.execute(query).scalar_one()
            return found

    def bars(self, given: Given) -> dict[str, str]:
        """Who was passed over and by what."""
        return {one["name"]: one["why"] for one in self.explained(given)["passed_over"]}

    def later(self, **span: float) -> None:
        """Let time pass."""
        assert isinstance(self.clock, FakeClock)
        self.clock.advance(timedelta(**span))

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def asks(count: int, team: str = "dach", *, start: int = 0, **more: Any) -> list[Ask]:
    """So many leads for a team."""
    return [Ask(f"case_{n:05d}", f"lead_{n:05d}", None, team, **more) for n in range(start, start + count)]


def work(url: str, numbers: Sequence[int], size: int) -> None:
    """What a process of its own does: give these leads out, a few at a time."""
    office = Office(url)
    for start in range(0, len(numbers), size):
        office.give([asks(1, "dach" if n % 3 else "nordics", start=n)[0] for n in numbers[start : start + size]])
    office.close()


if __name__ == "__main__":
    work(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]))
