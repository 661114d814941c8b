"""An application with the layers of every Fairlead application and a few routes to try them on."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import structlog
from fastapi import Body, Depends, FastAPI, Form
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.testclient import TestClient

from fairlead.api import Services, install, require
from fairlead.audit import Trail
from fairlead.errors import ConflictError, FaultError, UnavailableError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.logs import configure_logs
from fairlead.people import Permission, Person, Principal, add_person, create_api_key, issue_sign_in_link
from fairlead.settings import Settings
from fairlead.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY_LIMIT = 2048
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HTML = {"Accept": "text/html,application/xhtml+xml"}


class Order(BaseModel):
    """A body with rules."""

    amount: int = Field(ge=1)
    note: str


@dataclass
class Site:
    """A running application, with what tests need to play its users."""

    app: FastAPI
    database: Database
    clock: FakeClock
    admin: Person

    def client(self, **options: Any) -> TestClient:
        """A fresh browser or program, with its own cookies; answers to crashes instead of raising them."""
        options = {"base_url": "http://localhost:8000", "raise_server_exceptions": False, **options}
        return TestClient(self.app, follow_redirects=False, **options)

    def link(self, person: Person | None = None) -> str:
        """The path of a fresh sign-in link."""
        with self.database.transaction() as uow:
            return issue_sign_in_link(uow, SYSTEM, (person or self.admin).id).path

    def signed_in(self, person: Person | None = None) -> TestClient:
        """A browser that has a session."""
        client = self.client(headers=SAME_ORIGIN)
        assert client.post(self.link(person)).status_code == 303
        return client

    def person(self, *roles: str) -> Person:
        """Somebody with these roles."""
        with self.database.transaction() as uow:
            return add_person(uow, SYSTEM, name="Rita", email=f"{roles[0]}@example.com", roles=roles)

    def key(self, *scopes: str) -> tuple[str, str]:
        """Id and text of a new API key."""
        with self.database.transaction() as uow:
            new = create_api_key(uow, SYSTEM, name="bot", scopes=scopes, checkpoints=[], max_value_minor=0, flags=[])
        return new.key.id, new.text


def add_routes(app: FastAPI) -> None:
    """Routes that do what real ones do, and some that fail."""

    @app.post("/v1/echo")
    def echo(value: Annotated[Any, Body()]) -> Any:
        return {"echo": value}

    @app.post("/v1/orders/{number}")
    def order(number: int, body: Order) -> dict[str, int]:
        return {"number": number, "amount": body.amount}

    @app.post("/form")
    def form(word: Annotated[str, Form()]) -> dict[str, str]:
        return {"word": word}

    @app.post("/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.get("/v1/grants")
    def grants(who: Annotated[Principal, Depends(require(Permission.GRANTS_SIGN))]) -> dict[str, str]:
        return {"who": who.id}

    @app.get("/v1/conflict")
    def conflict() -> None:
        raise ConflictError("Somebody else was first.", review="rev_1")

    failures: dict[str, Callable[[], Exception]] = {
        "crash": lambda: RuntimeError("password=hunter2 in the message"),
        "fault": lambda: FaultError("table secret_things is broken"),
        "away": lambda: UnavailableError("connection to db.internal refused"),
    }

    @app.get("/v1/fail/{how}")
    @app.get("/fail/{how}")
    def fail(how: str) -> None:
        failure = failures[how]()
        raise failure


def make_site(database_url: str, folder: Path, **settings: Any) -> Iterator[Site]:
    """A site on this database; closes it afterwards."""
    clock = FakeClock()
    database = Database(database_url, clock=clock, trail=Trail())
    with database.transaction() as uow:
        admin = add_person(uow, SYSTEM, name="Ada", email="ada@example.com", roles=["admin"])
    app = FastAPI(docs_url=None, redoc_url=None)
    options = {"api_body_limit_bytes": BODY_LIMIT, "public_url": "https://desk.example.com", **settings}
    install(app, Services(database, Settings(workspace=folder, **options), clock))
    add_routes(app)
    yield Site(app, database, clock, admin)
    database.close()


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """What this test wrote to the log, as JSON lines; everything is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(level="debug", as_json=True, stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """Plain http on this machine, on SQLite; where storage matters, ask for `stored_site`."""
    yield from make_site(sqlite_url, tmp_path, public_url="http://localhost:8000")


@pytest.fixture
def stored_site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """As `site`, on both databases."""
    yield from make_site(database_url, tmp_path, public_url="http://localhost:8000")


@pytest.fixture
def https_site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """Reached as https://desk.example.com."""
    yield from make_site(sqlite_url, tmp_path)
