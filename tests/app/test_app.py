"""The application as it is served: API, desk and engine over one runtime."""

from __future__ import annotations

import socket
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from fairlead import app as app_module
from fairlead.app import create_app
from fairlead.kit.actors import SYSTEM
from fairlead.people import add_person, create_api_key, issue_sign_in_link
from fairlead.testing.running import UntilIdle
from fairlead.worker import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.testing.clock import FakeClock
    from fairlead.testing.connectors import RecordingConnector

HOST = "http://127.0.0.1"
ASK = {
    "checkpoint": "lead-assignment",
    "proposal": {"answer": {"team": "inside-sales"}},
    "producer": "bot@1",
    "idempotency_key": "k-1",
}


@pytest.fixture
def client(runtime: Runtime) -> TestClient:
    """A caller of the application; the engine is the test's own."""
    return TestClient(create_app(runtime, background=False), base_url=HOST, follow_redirects=False)


@pytest.fixture
def program(runtime: Runtime, client: TestClient) -> TestClient:
    """A program that may ask for decisions and read cases."""
    with runtime.database.transaction() as uow:
        scopes = ["decisions:ask", "decisions:read", "cases:read", "cases:start"]
        new = create_api_key(uow, SYSTEM, name="bot", scopes=scopes, checkpoints=["*"], max_value_minor=None, flags=[])
    client.headers["Authorization"] = f"Bearer {new.text}"
    return client


def signed_in(runtime: Runtime) -> TestClient:
    """The browser of an administrator."""
    browser = TestClient(
        create_app(runtime, background=False),
        base_url=HOST,
        follow_redirects=False,
        headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"},
    )
    with runtime.database.transaction() as uow:
        person = add_person(uow, SYSTEM, name="Ida", email="ida@example.com", roles=["admin", "manager", "reviewer"])
        path = issue_sign_in_link(uow, SYSTEM, person.id).path
    assert browser.post(path).status_code == 303
    return browser


def test_a_proposal_goes_from_the_gate_to_the_desk(runtime: Runtime, program: TestClient) -> None:
    """A program asks, nothing is granted, so a person is asked; the desk lists what the program was told of."""
    asked = program.post("/v1/decisions", json={**ASK, "title": "Call Helio Energy"})
    assert asked.status_code in {200, 201, 202}, asked.text
    assert asked.json()["state"] == "waiting", asked.text
    page = signed_in(runtime).get("/reviews?roles=all")
    assert page.status_code == 200
    assert "Call Helio Energy" in page.text


def test_the_same_key_is_the_same_decision(runtime: Runtime, program: TestClient) -> None:
    """Sent twice, as after a lost answer, it is asked once."""
    first, again = (program.post("/v1/decisions", json=ASK).json() for _ in range(2))
    assert first["id"] == again["id"]
    with runtime.database.raw() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM review").scalar_one() == 1


def test_a_case_is_started_and_moved(
    runtime: Runtime, program: TestClient, clock: FakeClock, out: RecordingConnector
) -> None:
    """Started over HTTP, run by the engine of the same runtime, and read back where it waits for a person."""
    body = {
        "playbook": "lead-qualification",
        "subject": "crm-17",
        "facts": {"name": "Ada", "country": "DE", "reachable_at": "a@b.example", "value": 9000.0},
        "idempotency_key": "c-1",
    }
    started = program.post("/v1/cases", json=body)
    assert started.status_code == 201, started.text
    case = started.json()["id"]
    UntilIdle(runtime.engine, clock, {"file": out, "log": out}).run()
    assert program.get(f"/v1/cases/{case}").json()["state"] == "waiting"
    assert out.calls == [], "nothing goes out before a person decided"


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/nowhere", "/v1/nowhere", "/static/../fairlead.toml", "/.git/config"]
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    """No documentation pages of the framework, no files, and the error has the house's shape."""
    answer = client.get(path)
    assert answer.status_code in {401, 404}
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("path", ["/reviews", "/cases", "/grants", "/audit", "/events"])
def test_the_desk_is_closed_to_strangers(client: TestClient, path: str) -> None:
    """Without a session no page is shown, whatever the program's key could do."""
    assert client.get(path).status_code == 401


def test_assets_are_cached_under_their_digest(client: TestClient) -> None:
    """With the right digest for good, with another or none never; what is not there is a 404."""
    site: Any = client.app
    assets = site.state.console.assets
    for name in assets.files:
        answer = client.get(assets.url(name))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.content == assets.files[name][0]
        assert client.get(f"/static/{name}?v=0123").headers["cache-control"] == "no-cache"
    assert client.get("/static/none.css").status_code == 404


@pytest.mark.parametrize(("background", "told"), [(True, ["start", "stop"]), (False, [])])
def test_the_engine_lives_as_long_as_the_server(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, background: bool, told: list[str]
) -> None:
    """Started with the first request's server and stopped in order with it; left alone when others run it."""
    seen: list[str] = []
    monkeypatch.setattr(Runtime, "start", lambda _self: seen.append("start"))
    monkeypatch.setattr(Runtime, "stop", lambda _self, _timeout_s: seen.append("stop"))
    with TestClient(create_app(runtime, background=background), base_url=HOST):
        assert seen == told[:1]
    assert seen == told


def test_serving_keeps_sign_in_links_out_of_the_log(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own access log, which prints whole addresses, is off; host and port are the settings'."""
    configs: list[Any] = []
    bound: list[Any] = []

    class Server:
        """Stands for uvicorn's."""

        def __init__(self, config: Any, _ready: Any) -> None:
            configs.append(config)

        def run(self, sockets: list[Any]) -> None:
            """Return at once, with what the port was bound by closed."""
            bound.extend(one.getsockname()[:2] for one in sockets)
            for one in sockets:
                one.close()

    quiet: Callable[..., None] = lambda **_how: None  # noqa: E731
    monkeypatch.setattr(app_module, "configure_logs", quiet)
    monkeypatch.setattr(app_module, "AnnouncingServer", Server)
    app_module.serve(runtime)
    [config] = configs
    assert config.access_log is False
    assert (config.host, config.port) == (runtime.settings.host, runtime.settings.port)
    assert config.server_header is False
    assert bound == [(runtime.settings.host, runtime.settings.port)]


class Enough(Exception):  # noqa: N818  not an error of anything
    """Ends a server that has shown what it should."""


def test_the_server_says_so_when_it_listens(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ready` is called once, when the very first attempt to connect is answered; its failure ends the server."""
    stopped: list[float] = []
    monkeypatch.setattr(app_module, "configure_logs", lambda **_how: None)
    monkeypatch.setattr(Runtime, "start", lambda _self: None)
    monkeypatch.setattr(Runtime, "stop", lambda _self, timeout_s: stopped.append(timeout_s))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    object.__setattr__(runtime.settings, "port", port)
    answers: list[int] = []

    def ready() -> None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", "/sign-in")
            answers.append(connection.getresponse().status)
        raise Enough

    with pytest.raises(Enough):
        app_module.serve(runtime, ready)
    assert answers == [200]
    assert stopped == [app_module.STOP_S]
