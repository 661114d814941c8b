"""One shape for every refusal, pages for browsers, and nothing told that should not be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api import Services, install
from fairlead.kit.database import Database
from fairlead.settings import Settings
from fairlead.testing.clock import FakeClock
from tests.api_base.conftest import HTML, SAME_ORIGIN

if TYPE_CHECKING:
    import io
    from pathlib import Path

    from tests.api_base.conftest import Site

REFUSALS = [
    ("GET", "/v1/nowhere", 404, "not_found"),
    ("DELETE", "/v1/me", 405, "method_not_allowed"),
    ("GET", "/v1/me", 401, "not_signed_in"),
    ("GET", "/v1/conflict", 409, "conflict"),
    ("POST", "/v1/orders/x", 422, "input"),
    ("GET", "/v1/fail/crash", 500, "internal"),
    ("GET", "/v1/fail/fault", 500, "fault"),
    ("GET", "/v1/fail/away", 503, "unavailable"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), REFUSALS)
def test_one_shape(site: Site, method: str, path: str, status: int, code: str) -> None:
    """Whatever refuses (framework, route, rule or crash), the body has the same form."""
    answer = site.client().request(method, path, headers=HTML)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert error["code"] == code
    assert {"code", "message"} <= set(error) <= {"code", "message", "fields"}
    assert isinstance(error["message"], str)


def test_every_wrong_field_is_named_and_none_repeated(site: Site) -> None:
    """A body off its schema gets each field's place and reason; the values sent do not come back."""
    body = {"amount": "my-secret-value", "extra": 1}
    answer = site.client().post("/v1/orders/nine", json=body)
    assert answer.status_code == 422
    assert set(answer.json()["error"]["fields"]) == {"path.number", "body.amount", "body.note"}
    assert "my-secret-value" not in answer.text


def test_known_refusals_keep_their_fields(site: Site) -> None:
    """What the error names reaches the program that asked; 405 says what would be allowed."""
    assert site.client().get("/v1/conflict").json()["error"] == {
        "code": "conflict",
        "message": "Somebody else was first.",
        "fields": {"review": "rev_1"},
    }
    assert site.client().delete("/v1/me").headers["allow"] == "GET"


@pytest.mark.parametrize("how", ["crash", "fault", "away"])
@pytest.mark.parametrize("page", [False, True])
def test_faults_tell_nothing(site: Site, how: str, page: bool) -> None:
    """The answer to our own faults holds the request's id and no word of the cause."""
    answer = site.client().get(f"{'' if page else '/v1'}/fail/{how}", headers=HTML)
    assert answer.status_code in {500, 503}
    assert answer.headers["x-request-id"] in answer.text
    assert not [word for word in ("hunter2", "secret_things", "db.internal", "Traceback") if word in answer.text]
    assert ("retry-after" in answer.headers) is (how == "away")
    assert ("<html" in answer.text) is page


def test_browsers_get_pages(site: Site) -> None:
    """Who prefers HTML gets a page with the same status; a link to sign in where that helps; all escaped."""
    answer = site.client().post("/sign-in/" + "a" * 43, headers={**HTML, **SAME_ORIGIN})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert 'href="/sign-in"' in answer.text
    assert site.client().get("/nowhere").headers["content-type"] == "application/json"
    assert site.client().get("/nowhere", headers=HTML).text.startswith("<!doctype html>")


def test_the_console_brings_its_own_pages(sqlite_url: str, tmp_path: Path) -> None:
    """Folders given to `install` go first, and so does its error page; a crash never depends on either."""
    (tmp_path / "layout.html").write_text("<html>MINE {% block content %}{% endblock %}</html>")
    database = Database(sqlite_url)
    clock = FakeClock()
    app = FastAPI()

    def page(_request: object, status: int, error: dict[str, object]) -> str:
        if status == 404:
            return f"<html>OURS {error['code']}"
        raise RuntimeError

    services = Services(database, Settings(workspace=tmp_path), clock)
    install(app, services, templates=[tmp_path], error_page=page)
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False, headers=HTML)
    assert client.get("/sign-in").text.startswith("<html>MINE")
    assert client.get("/nowhere").text == "<html>OURS not_found"
    broken = client.delete("/sign-in")
    assert (broken.status_code, broken.headers["content-type"][:9]) == (500, "text/html")
    database.close()


def test_the_log_knows_what_the_answer_does_not(site: Site, log: io.StringIO) -> None:
    """A crash is logged with its traceback, under the id that the answer gave."""
    answer = site.client().get("/v1/fail/crash")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    crash = next(line for line in lines if line["event"] == "request_crashed")
    assert crash["request_id"] == answer.headers["x-request-id"]
    assert "RuntimeError" in crash["exception"]
    access = next(line for line in lines if line["event"] == "request")
    assert (access["status"], access["route"], access["method"]) == (500, "/v1/fail/{how}", "GET")


def test_the_access_log_holds_no_secrets(site: Site, log: io.StringIO) -> None:
    """Neither link, cookie, key nor query reach the log, though each request leaves a line with its actor."""
    link = site.link()
    client = site.client(headers=SAME_ORIGIN)
    client.get(link)
    client.post(link)
    client.get("/v1/me?password=hunter2")
    _, key = site.key("metrics:read")
    site.client(headers={"Authorization": f"Bearer {key}"}).get("/v1/me")
    client.get(f"/nowhere/{key}")
    text = log.getvalue()
    assert text.count("/sign-in/{token}") == 2
    assert f"user:{site.admin.id}" in text
    secrets = [link.rpartition("/")[2], client.cookies["fairlead_session"], key[-64:], "hunter2"]
    assert not [secret for secret in secrets if secret in text]


def test_health_readiness_and_figures(site: Site) -> None:
    """Health asks nothing; readiness needs the database; figures need the permission, even from loopback."""
    client = site.client()
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/metrics").status_code == 401
    assert site.signed_in(site.person("viewer")).get("/metrics").status_code == 403
    _, key = site.key("metrics:read")
    for number in range(5):
        client.get(f"/attack/{number}")
        client.request(f"ODD{number}", "/healthz")
    figures = client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).text
    assert 'fairlead_http_requests_total{method="GET",route="/readyz",status="200"} 1.0' in figures
    assert 'route="(no route)",status="404"} 5.0' in figures
    assert "attack" not in figures
    assert "ODD" not in figures


def test_readiness_fails_without_the_database(tmp_path: Path) -> None:
    """A Postgres that is not there is a 503 with no word of its address."""
    url = "postgresql+psycopg://nobody:pw@127.0.0.1:1/none"
    database = Database(url)
    app = FastAPI()
    install(app, Services(database, Settings(workspace=tmp_path, database_url=url), FakeClock()))
    answer = TestClient(app, base_url="http://localhost", raise_server_exceptions=False).get("/readyz")
    assert answer.status_code == 503
    assert "127.0.0.1" not in answer.text
    database.close()


def test_the_description_shows_the_shape(site: Site) -> None:
    """OpenAPI tells programs the error body of every documented route, 422 included."""
    described = site.app.openapi()
    answers = described["paths"]["/v1/me"]["get"]["responses"]
    for status in ("401", "403", "422", "429"):
        assert answers[status]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")
    assert "/sign-in/{token}" not in described["paths"]
