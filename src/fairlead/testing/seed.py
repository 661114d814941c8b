"""A desk with a day's work on it: the example workspace, people, leads run through the real engine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlead import rights, sales
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.customers import CustomerDraft, resolve_many, set_flag
from fairlead.jobs import WorkLane
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.people import Person, Role, add_person
from fairlead.playbooks import (
    Bundle,
    BundleLibrary,
    CaseDraft,
    CaseSource,
    Engine,
    EngineSettings,
    StepRegistry,
    deploy,
    open_cases,
    read_workspace,
)

if TYPE_CHECKING:
    from fairlead.kit.database import Database

EXAMPLE = Path(sales.__file__).parent / "example"
PLAYBOOK = "lead-qualification"
_CARER = Actor(ActorKind.USER, "per_seed")
_FIRST = ("Ada", "Bruno", "Chiara", "David", "Elif", "Farid", "Greta", "Hanna", "Ivo", "Jana", "Kofi", "Lena")
_LAST = ("Keller", "Rossi", "Novak", "Lindqvist", "Dubois", "Okafor", "Meyer", "Silva", "Larsen", "Kowalski")
_FIRMS = (
    "Nordwind Logistik",
    "Acme Tools",
    "Baltic Foods",
    "Helio Energy",
    "Quarz Optik",
    "Riva Mobili",
    "Sund Medtech",
)
_TITLES = (
    "Head of Operations",
    "Purchasing Manager",
    "CTO",
    "Office Manager",
    "Managing Director",
    "Engineer",
)
_COUNTRIES = ("DE", "AT", "CH", "SE", "NO", "GB", "ES", "IT", "FR", "NL", "US", "CA", "PL", "JP")
_SOURCES = ("webinar", "referral", "fair", "website", "partner demo")


@dataclass(frozen=True, slots=True)
class SeededDesk:
    """What was put into the database."""

    library: BundleLibrary
    bundle: Bundle
    engine: Engine
    people: dict[str, Person]
    cases: list[str]


def seeded_library() -> BundleLibrary:
    """A library that knows the built-in steps and the connectors of the example."""
    registry = StepRegistry((*sales.STEPS, *rights.STEPS), sales.FILE_CHECKS)
    return BundleLibrary(registry, frozenset({"file", "log", "message"}))


def seed_people(database: Database) -> dict[str, Person]:
    """By role: an admin, a manager, a reviewer, a viewer and a compliance officer."""
    names = {
        Role.ADMIN: ("Ida Brandt", Role.ADMIN, Role.MANAGER, Role.REVIEWER),
        Role.MANAGER: ("Milan Horvat", Role.MANAGER, Role.REVIEWER),
        Role.REVIEWER: ("Rosa Vidal", Role.REVIEWER),
        Role.VIEWER: ("Vera Lang", Role.VIEWER),
        Role.COMPLIANCE: ("Cem Demir", Role.COMPLIANCE),
    }
    with database.transaction() as uow:
        return {
            role.value: add_person(uow, SYSTEM, name=name, email=f"{role.value}@example.com", roles=roles)
            for role, (name, *roles) in names.items()
        }


def seed_desk(database: Database, *, leads: int = 300, seed: int = 7, grants: bool = True) -> SeededDesk:
    """Deploy the example, add people and run `leads` made-up leads to their checkpoint.

    With `grants`, medium deals are assisted and small ones automatic from 0.7 on, so that every path occurs;
    without, everything is in shadow.
    """
    library = seeded_library()
    people = seed_people(database)
    with database.transaction() as uow:
        bundle, _ = deploy(uow, library, SYSTEM, read_workspace(EXAMPLE))
    if grants:
        _grant(database, bundle, people[Role.ADMIN.value])
    engine = Engine(database, library, EngineSettings(seed=bytes(32)))
    cases = add_leads(database, bundle, leads, seed=seed)
    run_ready(engine)
    return SeededDesk(library, bundle, engine, people, cases)


def _grant(database: Database, bundle: Bundle, signer: Person) -> None:
    expires = database.clock.now() + timedelta(days=90)
    version = bundle.policies["lead-assignment"].version
    with database.transaction() as uow:
        # A third of the assisted ones is drawn for a blind answer, so that every kind of review is there to see.
        for segment, level, threshold, drawn in (("small", Level.AUTO, 0.7, 0.05), ("medium", Level.ASSIST, None, 0.3)):
            grant = Grant(
                "", "lead-assignment", segment, "lead-rules@1", level, version, expires, threshold, 0.02, drawn
            )
            set_grant(uow, Actor(ActorKind.USER, signer.id), "manager", grant, {"note": "seeded for a first look"})


def add_leads(database: Database, bundle: Bundle, count: int, *, seed: int = 7) -> list[str]:
    """Open a case per made-up lead, ready to run; ids in order."""
    rng = random.Random(seed)
    facts = [_lead(rng, number) for number in range(count)]
    drafts = [
        CustomerDraft(
            name=one["name"], company=one["company"], country=one["country"],
            identities=(("email", one["email"]),) if one.get("email") else (), source="seed",
        )
        for one in facts
    ]  # fmt: skip
    with database.transaction() as uow:
        customers = resolve_many(uow, drafts)
        opened = [
            CaseDraft(PLAYBOOK, "lead", new_id("lead"), one, customer.id)
            for one, customer in zip(facts, customers, strict=True)
        ]
        return open_cases(uow, opened, bundle)


def _lead(rng: random.Random, number: int) -> dict[str, Any]:
    first, last, firm = rng.choice(_FIRST), rng.choice(_LAST), rng.choice(_FIRMS)
    lead: dict[str, Any] = {
        "name": f"{first} {last}",
        "company": firm,
        "country": rng.choice(_COUNTRIES),
        "employees": rng.choice((3, 12, 60, 240, 900, 4_000)),
        "job_title": rng.choice(_TITLES),
        "source": rng.choice(_SOURCES),
        "value": float(round(rng.lognormvariate(9.2, 1.3), -2)),
    }
    if number % 17:
        lead["email"] = f"{first}.{last}{number // 3}@{firm.split()[0]}.example".lower()
        lead["reachable_at"] = lead["email"]
    if number % 3:
        lead["phone"] = f"+49301234{number:04d}"
    if number % 23 == 0:
        lead["problems"] = ["phone: has too few digits, left out"]
    return lead


def run_ready(engine: Engine) -> int:
    """Run every case that is ready until none is; how many chunks that took."""
    chunks = 0
    for lane in WorkLane:
        source = CaseSource(engine, lane)
        while True:
            token = new_id("lease")
            if not source.lease(500, 60.0, token):
                break
            source.run(token)
            chunks += 1
    return chunks


def flag_vulnerable(database: Database, customer_id: str) -> None:
    """Mark a customer as one that people always look after."""
    with database.transaction() as uow:
        set_flag(uow, _CARER, customer_id, "vulnerable", value=True, source="seed", owner="care team")
