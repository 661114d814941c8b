"""A desk that can be reached over HTTP: people with sessions, programs with keys, a day's work in the queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient

from fairlead import api
from fairlead.api.routes import include_all
from fairlead.audit import Signer, Trail, seal_all
from fairlead.audit.tables import entry
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.people import KEY_SCOPES, Person, create_api_key, issue_sign_in_link
from fairlead.playbooks import (
    Bundle,
    BundleLibrary,
    CaseDraft,
    Engine,
    EngineSettings,
    EventSource,
    deploy,
    open_cases,
    read_workspace,
)
from fairlead.rights import erase
from fairlead.settings import Settings
from fairlead.testing.seed import EXAMPLE, SeededDesk, run_ready, seed_desk

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.testing.clock import FakeClock

SECRET = "s" * 40
HOST = "http://127.0.0.1"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
LEADS = 24


@dataclass
class World:
    """What the tests hold; `woken` counts how often the engine was told that there is something to do."""

    database: Database
    clock: FakeClock
    app: FastAPI
    desk: SeededDesk
    settings: Settings
    blind_case: str
    woken: list[None] = field(default_factory=list)
    _clients: dict[str, TestClient] = field(default_factory=dict)

    def client(self, **options: Any) -> TestClient:
        """Nobody yet; answers to crashes instead of raising them, so that tests see what a caller sees."""
        return TestClient(self.app, base_url=HOST, raise_server_exceptions=False, **options)

    def person(self, role: str) -> TestClient:
        """A browser in which the person of this role is signed in."""
        if role not in self._clients:
            client = self.client(headers=SAME_ORIGIN)
            with self.database.transaction() as uow:
                path = issue_sign_in_link(uow, SYSTEM, self.desk.people[role].id).path
            assert client.post(path, follow_redirects=False).status_code == 303
            self._clients[role] = client
        return self._clients[role]

    def program(self, *scopes: str, flags: tuple[str, ...] = ()) -> TestClient:
        """A program whose key holds these scopes."""
        with self.database.transaction() as uow:
            new = create_api_key(
                uow, SYSTEM, name="bot", scopes=scopes, checkpoints=["*"], max_value_minor=None, flags=flags
            )
        return self.client(headers={"Authorization": f"Bearer {new.text}"})

    def almighty(self) -> TestClient:
        """A program with every scope that a key may hold."""
        return self.program(*sorted(KEY_SCOPES), flags=("vip",))

    def run(self) -> None:
        """Let the engine do what there is to do."""
        run_ready(self.desk.engine)

    def settle(self) -> None:
        """Let a verdict take effect, and run what it made ready."""
        self.clock.advance(timedelta(seconds=self.settings.undo_s + 1))
        EventSource(self.desk.engine).run("events")
        self.run()

    def review(self, client: TestClient, mode: str = "assist", **query: Any) -> dict[str, Any]:
        """The first free review of this mode that the client sees."""
        items = ok(client.get("/v1/reviews", params={"limit": 200, **query}))["items"]
        return next(one for one in items if one["mode"] == mode and one["state"] == "waiting")

    def erase(self, customer: str) -> None:
        """As somebody decided it; how it comes to that is told by the tests about rights."""
        with self.database.transaction() as uow:
            erase(uow, SYSTEM, customer, reason="asked")

    def audited(self, subject: str) -> list[str]:
        """Verbs of the entries about it, oldest first."""
        with self.database.reading() as reader:
            query = select(entry.c.verb).where(entry.c.subject == subject).order_by(entry.c.id)
            return list(reader.execute(query).scalars())

    def entries(self) -> int:
        """How many entries the audit record has: a refused request leaves it alone."""
        with self.database.reading() as reader:
            return len(reader.execute(select(entry.c.id)).all())

    def seal(self) -> None:
        """Seal the audit record and publish its head."""
        assert self.settings.audit_key_file is not None
        signer = Signer.load(self.settings.audit_key_file, create=True)
        seal_all(self.database, signer, self.settings.audit_heads_file)


@dataclass(frozen=True)
class Template:
    """What a prepared database holds; library and bundle are shared by all tests, since compiling takes seconds."""

    library: BundleLibrary
    bundle: Bundle
    people: dict[str, Person]
    cases: list[str]
    blind: str


def prepare(url: str, clock: FakeClock) -> Template:
    """A day's work on an empty database: every mode of review is there, whatever the draws say."""
    database = Database(url, clock=clock, trail=Trail())
    desk = seed_desk(database, leads=LEADS)
    files = read_workspace(EXAMPLE)
    policy = "policies/lead-assignment.yaml"
    all_drawn = {**files, policy: files[policy].replace("rate: 0.05", "rate: 1.0")}
    blind = ""
    for wanted in (all_drawn, files):
        with database.transaction() as uow:
            bundle, _ = deploy(uow, desk.library, SYSTEM, wanted)
            version = bundle.policies["lead-assignment"].version
            expires = uow.now + timedelta(days=90)
            grant = Grant("", "lead-assignment", "medium", "lead-rules@1", Level.ASSIST, version, expires)
            set_grant(uow, SYSTEM, "manager", grant, {})
            if wanted is all_drawn:
                lead = {"name": "Ute", "country": "DE", "value": 9_000.0, "reachable_at": "x@y.example"}
                person = resolve_many(uow, [CustomerDraft("Ute", identities=(("external_id", "ute"),))])[0].id
                blind = open_cases(uow, [CaseDraft("lead-qualification", "lead", "lead_ute", lead, person)], bundle)[0]
        run_ready(desk.engine)
    database.close()
    return Template(desk.library, desk.bundle, desk.people, desk.cases, blind)


@contextmanager
def opened(url: str, clock: FakeClock, folder: Path, template: Template) -> Iterator[World]:
    """A world on a prepared database, closed afterwards."""
    database = Database(url, clock=clock, trail=Trail())
    settings = Settings(
        workspace=folder, database_url=url.replace("postgresql://", "postgresql+psycopg://"), secret_key=SECRET,
        public_url=HOST, audit_key_file=folder / "audit.pem",
    )  # fmt: skip
    engine = Engine(database, template.library, EngineSettings(seed=bytes(32)))
    desk = SeededDesk(template.library, template.bundle, engine, template.people, template.cases)
    app, woken = FastAPI(title="Fairlead", version="1", docs_url=None, redoc_url=None), list[None]()
    api.install(app, api.Services(database, settings, clock, lambda: woken.append(None)))
    include_all(app, desk.library)
    try:
        yield World(database, clock, app, desk, settings, template.blind, woken)
    finally:
        database.close()


def ok(answer: Any, status: int = 200) -> Any:
    """The answer's body, when its status is this one."""
    assert answer.status_code == status, answer.text
    return answer.json()


def refused(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """The error of a refused request in the one shape, when status and code are these."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "fields"}
    assert code in {None, body["error"]["code"]}, body
    error: dict[str, Any] = body["error"]
    return error
