"""A console over a seeded desk, with browsers that are signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead import api, console, reviews
from fairlead.audit import Signer, Trail
from fairlead.console import Console
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.people import Person, add_person, issue_sign_in_link
from fairlead.playbooks import Engine, EngineSettings
from fairlead.reviews import QueueFilter, Review
from fairlead.settings import Settings
from fairlead.testing.seed import SeededDesk, seed_desk

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.kit.clock import Clock

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
HIDDEN = re.compile(r'name="digest" value="([^"]+)"')


@dataclass
class Site:
    """The application, what is in it, and ways to play its users."""

    app: FastAPI
    console: Console
    database: Database
    clock: Clock
    desk: SeededDesk
    settings: Settings

    def client(self, **options: Any) -> TestClient:
        """A browser without a session."""
        options = {"base_url": "http://localhost:8000", "raise_server_exceptions": True, **options}
        return TestClient(self.app, follow_redirects=False, headers=SAME_ORIGIN, **options)

    def link(self, person: Person) -> str:
        """The path of a fresh sign-in link."""
        with self.database.transaction() as uow:
            return issue_sign_in_link(uow, SYSTEM, person.id).path

    def signed_in(self, role: str = "admin") -> TestClient:
        """The browser of the seeded person of this role."""
        client = self.client()
        assert client.post(self.link(self.desk.people[role])).status_code == 303
        return client

    def colleague(self, *roles: str) -> TestClient:
        """The browser of somebody new."""
        with self.database.transaction() as uow:
            number = len(self.desk.people)
            person = add_person(uow, SYSTEM, name="Nora Quist", email=f"n{number}@example.com", roles=roles)
        self.desk.people[f"colleague {number}"] = person
        return self.signed_in(f"colleague {number}")

    def open_reviews(self, **wanted: Any) -> list[Review]:
        """Open reviews in the queue's order."""
        with self.database.reading() as reader:
            return reviews.page(reader, QueueFilter(**wanted), limit=200).items

    def one(self, mode: str = "assist", role: str = "reviewer") -> Review:
        """The first open review of a mode (assist, human, blind) that needs this role."""
        found = [one for one in self.open_reviews() if one.mode.value == mode and one.role == role]
        return next(one for one in found if one.quorum == 1)

    def review(self, review_id: str) -> Review:
        """As it is stored now."""
        with self.database.reading() as reader:
            return reviews.get(reader, review_id)


def build(url: str, clock: Clock, folder: Path, *, leads: int = 60) -> Site:
    """A console on this database, seeded."""
    return opened(url, clock, folder, prepare(url, clock, leads=leads))


def prepare(url: str, clock: Clock, *, leads: int = 60) -> SeededDesk:
    """Seed this database and leave it; nobody is connected to it afterwards."""
    database = Database(url, clock=clock, trail=Trail())
    desk = seed_desk(database, leads=leads)
    database.close()
    return desk


def opened(url: str, clock: Clock, folder: Path, seeded: SeededDesk) -> Site:
    """A console on a database that was seeded, or on a copy of it."""
    key = folder / "audit.pem"
    Signer.load(key, create=True)
    settings = Settings(
        workspace=folder, data_dir=folder, database_url=url.replace("postgresql://", "postgresql+psycopg://"),
        audit_key_file=key, audit_heads_file=folder / "heads.jsonl", secret_key="s" * 40,
    )  # fmt: skip
    database = Database(url, clock=clock, trail=Trail())
    engine = Engine(database, seeded.library, EngineSettings(seed=bytes(32)))
    desk = replace(seeded, engine=engine, people=dict(seeded.people), cases=list(seeded.cases))
    app = FastAPI()
    services = api.Services(database, settings, clock)
    api.install(app, services)
    return Site(app, console.install(app, services, desk.library), database, clock, desk, settings)


def digest_on(page: str) -> str:
    """What the page says a verdict binds to."""
    found = HIDDEN.search(page)
    assert found, "there is no verdict form on this page"
    return found[1]
