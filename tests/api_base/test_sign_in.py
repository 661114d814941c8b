"""Signing in and out over HTTP, and who a request speaks for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.people import disable_person, revoke_api_key
from tests.api_base.conftest import HTML, SAME_ORIGIN

if TYPE_CHECKING:
    from tests.api_base.conftest import Site

COOKIE = "fairlead_session"


def test_a_link_signs_in_with_one_button(stored_site: Site) -> None:
    """The link shows a page whose form opens the session; then the API knows the person."""
    client, link = stored_site.client(), stored_site.link()
    page = client.get(link, headers=HTML)
    assert page.status_code == 200
    assert f'<form method="post" action="{link}">' in page.text
    assert COOKIE not in client.cookies
    answer = client.post(link, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = client.get("/v1/me").json()
    assert (me["kind"], me["id"], me["roles"]) == ("person", stored_site.admin.id, ["admin"])
    assert client.get("/sign-in").headers["location"] == "/"


def test_scanners_consume_nothing(stored_site: Site) -> None:
    """A mail scanner may GET, HEAD and OPTIONS a link as often as it likes: it still works for the person."""
    link, scanner = stored_site.link(), stored_site.client()
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        answer = scanner.request(method, link)
        assert answer.status_code in {200, 405}
        assert "set-cookie" not in answer.headers
    assert stored_site.client().post(link, headers=SAME_ORIGIN).status_code == 303


@pytest.mark.parametrize("kind", ["used", "expired", "foreign", "void", "disabled"])
def test_links_that_do_not_work(stored_site: Site, kind: str) -> None:
    """Used, expired, made up, replaced or of a disabled person: always the same 401, never a cookie."""
    person = stored_site.person("viewer")
    link = stored_site.link(person)
    if kind == "used":
        assert stored_site.client().post(link, headers=SAME_ORIGIN).status_code == 303
    elif kind == "expired":
        stored_site.clock.advance(timedelta(minutes=15))
    elif kind == "foreign":
        link = "/sign-in/" + "a" * 43
    elif kind == "void":
        stored_site.link(person)
    else:
        with stored_site.database.transaction() as uow:
            disable_person(uow, stored_site.admin.principal().actor, person.id)
    answer = stored_site.client().post(link, headers=SAME_ORIGIN)
    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "code": "link_not_valid",
        "message": "This sign-in link was used before or has expired.",
    }
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", ["x", "a" * 5000, "<script>alert(1)</script>", "%0d%0aSet-Cookie:%20a=b", "a%22b"])
def test_the_page_shows_no_foreign_markup(site: Site, token: str) -> None:
    """What has no token's form gets a 404 that repeats nothing of it."""
    answer = site.client().get(f"/sign-in/{token}", headers=HTML)
    assert answer.status_code == 404
    assert "script>" not in answer.text
    assert "set-cookie" not in answer.headers


def test_the_cookie_is_locked_down(site: Site) -> None:
    """Scripts never see it, and other sites never send it."""
    cookie = site.client().post(site.link(), headers=SAME_ORIGIN).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


def test_the_cookie_stays_encrypted(https_site: Site) -> None:
    """Behind https the cookie is Secure and bound to this one host; signing out clears that one."""
    client = https_site.client(base_url="https://desk.example.com", headers=SAME_ORIGIN)
    cookie = client.post(https_site.link()).headers["set-cookie"]
    assert cookie.startswith("__Host-fairlead=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()
    assert client.get("/v1/me").status_code == 200
    assert "Secure" in client.post("/sign-out").headers["set-cookie"]
    assert client.get("/v1/me").status_code == 401


def test_signing_out_is_final(stored_site: Site) -> None:
    """The session is gone on the server too: a copy of the cookie opens nothing."""
    client = stored_site.signed_in()
    copy = client.cookies[COOKIE]
    answer = client.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in client.cookies
    assert stored_site.client(cookies={COOKIE: copy}).get("/v1/me").status_code == 401
    assert client.post("/sign-out").status_code == 303
    assert "fairlead sign-in" in client.get("/sign-in", headers=HTML).text


def test_a_new_session_replaces_the_old_one(site: Site) -> None:
    """Signing in again in the same browser ends the session it had."""
    client = site.signed_in()
    before = client.cookies[COOKIE]
    client.post(site.link())
    assert client.get("/v1/me").status_code == 200
    assert site.client(cookies={COOKIE: before}).get("/v1/me").status_code == 401


def test_idle_sessions_end_and_busy_ones_stay(stored_site: Site) -> None:
    """Requests keep a session alive past 12 hours; 12 hours without one end it."""
    client = stored_site.signed_in()
    for _ in range(3):
        stored_site.clock.advance(timedelta(hours=11))
        assert client.get("/v1/me").status_code == 200
    stored_site.clock.advance(timedelta(hours=12))
    assert client.get("/v1/me").status_code == 401


def test_permissions_are_asked_of_people(site: Site) -> None:
    """Nobody 401, without the permission 403 that names it, with it 200."""
    nobody = site.client().get("/v1/grants")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    refused = site.signed_in(site.person("reviewer")).get("/v1/grants")
    assert refused.status_code == 403
    assert refused.json()["error"]["fields"] == {"permission": "grants:sign"}
    assert site.signed_in(site.person("manager")).get("/v1/grants").status_code == 200


def test_keys_speak_for_programs(stored_site: Site) -> None:
    """A Bearer key is known with its scopes until it is revoked."""
    key_id, text = stored_site.key("decisions:ask")
    client = stored_site.client(headers={"Authorization": f"Bearer {text}"})
    me = client.get("/v1/me").json()
    assert (me["kind"], me["id"], me["permissions"]) == ("api_key", key_id, ["decisions:ask"])
    assert client.get("/v1/grants").status_code == 403
    with stored_site.database.transaction() as uow:
        revoke_api_key(uow, stored_site.admin.principal().actor, key_id)
    assert client.get("/v1/me").json()["error"]["code"] == "key_not_valid"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOmFkYQ==",
        "Bearer fl_",
        "Bearer fl_" + "0" * 24 + "_" + "0" * 64,
        "Bearer é",
        "x" * 9000,
    ],
    ids=range(8),
)
def test_a_wrong_header_is_not_made_up_for_by_the_cookie(site: Site, header: str) -> None:
    """Whoever shows an Authorization header is judged by it alone."""
    client = site.signed_in()
    answer = client.get("/v1/me", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "a" * 43, "a" * 5000, "é", "%00"])
def test_foreign_cookies_are_nobody(site: Site, cookie: str) -> None:
    """Whatever stands in the cookie, only a live session's token is somebody."""
    headers = {"Cookie": f"{COOKIE}={cookie}".encode("latin-1")}
    assert site.client().get("/v1/me", headers=headers).status_code == 401


def test_guessing_is_slowed_down(site: Site) -> None:
    """After 20 wrong links within five minutes an address gets 429 and when to come back."""
    client, good = site.client(headers=SAME_ORIGIN), site.link()
    site.clock.advance(timedelta(minutes=1))
    wrong = [client.post("/sign-in/" + "a" * 43).status_code for _ in range(21)]
    assert wrong == [401] * 20 + [429]
    slowed = client.post(good)
    assert slowed.status_code == 429
    assert slowed.headers["retry-after"] == "240"
    assert slowed.json()["error"]["fields"] == {"retry_after_s": 240}
    site.clock.advance(timedelta(seconds=240))
    assert client.post(good).status_code == 303


def test_wrong_keys_are_slowed_down_by_key(site: Site) -> None:
    """Guessing at one key's secret leads to 429 for that key; another key of the same address still works."""
    (_, text), (_, other) = site.key("decisions:ask"), site.key("decisions:ask")
    wrong = site.client(headers={"Authorization": f"Bearer {text[:-1]}x"})
    assert [wrong.get("/v1/me").status_code for _ in range(21)] == [401] * 20 + [429]
    assert site.client(headers={"Authorization": f"Bearer {other}"}).get("/v1/me").status_code == 200
