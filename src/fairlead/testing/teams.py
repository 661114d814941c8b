"""Made-up teams for the demo and for tests: two or three people each, with hours, capacities and one absence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from fairlead.kit.actors import SYSTEM
from fairlead.people import (
    TeamRules,
    Terms,
    WorkingHours,
    absences_of,
    add_absence,
    add_person,
    create_team,
    list_people,
    list_teams,
    parse_week,
    put_member,
    set_hours,
)

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import UnitOfWork

OFFICE = "Mon-Fri 08:30-12:30, Mon-Fri 13:15-17:30"


class Rep(NamedTuple):
    """Somebody of the made-up teams; `capacity` None: any number of open leads."""

    name: str
    weight: float = 1.0
    capacity: int | None = None
    skills: tuple[str, ...] = ()


CAST: dict[str, tuple[str, str, tuple[Rep, ...]]] = {
    "dach": (
        "DACH", "Europe/Berlin",
        (Rep("Ada Keller", 1.5, 60, ("enterprise",)), Rep("Jonas Meyer", 1.0, 40), Rep("Lena Vogt", 0.5, 25)),
    ),
    "nordics": ("Nordics", "Europe/Stockholm", (Rep("Elin Lindqvist"), Rep("Mikkel Larsen", 1.0, 30))),
    "uk-ireland": ("UK and Ireland", "Europe/London", (Rep("Grace Hollis", 2.0), Rep("Sean Doyle", 1.0, 40))),
    "southern-europe": (
        "Southern Europe", "Europe/Madrid", (Rep("Chiara Rossi"), Rep("Pablo Sandoval", 1.0, None, ("enterprise",))),
    ),
    "western-europe": (
        "Western Europe", "Europe/Paris",
        (Rep("Claire Dubois", 1.0, None, ("french",)), Rep("Bram Jansma", 1.0, 30, ("french", "enterprise"))),
    ),
    "americas": ("Americas", "America/New_York", (Rep("Maya Okafor", 1.0, None, ("enterprise",)), Rep("Luis Silva"))),
    "inside-sales": ("Inside sales", "Europe/Berlin", (Rep("Petra Novak"), Rep("Tom Quist"))),
}  # fmt: skip
"""By name of the team: what people call it, its zone, who is in it."""
AWAY = "Lena Vogt"


def seed_teams(uow: UnitOfWork) -> bool:
    """A team for each that the example's policy names, with people; False, and nothing done, where teams are."""
    if list_teams(uow):
        return False
    for name in sorted(CAST, key=lambda one: one != "inside-sales"):  # the fallback of the others comes first
        title, zone, reps = CAST[name]
        fallback = "" if name == "inside-sales" else "inside-sales"
        create_team(uow, SYSTEM, name=name, title=title, rules=TeamRules(fallback=fallback))
        for rep in reps:
            address = f"{rep.name.lower().replace(' ', '.')}@reps.example"
            person = add_person(uow, SYSTEM, name=rep.name, email=address, roles=["reviewer"])
            terms = Terms(rep.weight, rep.capacity, None, frozenset(rep.skills))
            put_member(uow, SYSTEM, name, person.id, terms)
            set_hours(uow, SYSTEM, person.id, WorkingHours(zone, parse_week(OFFICE)))
            if rep.name == AWAY:
                add_absence(uow, SYSTEM, person.id, uow.now, uow.now + timedelta(days=12), reason="parental leave")
    return True


def plan_absence(uow: UnitOfWork) -> None:
    """Somebody of them is away from now on, unless they are away or going to be."""
    found = [one for one in list_people(uow) if one.name == AWAY]
    if found and not absences_of(uow, [found[0].id], uow.now):
        add_absence(uow, SYSTEM, found[0].id, uow.now, uow.now + timedelta(days=12), reason="parental leave")
