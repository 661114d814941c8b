"""Foreign hosts, cross-site requests, and the headers of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api_base.conftest import HTML, SAME_ORIGIN

if TYPE_CHECKING:
    from tests.api_base.conftest import Site


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8000"}, 403),
        ({"Origin": "http://localhost:8000"}, 303),
        ({"Origin": "http://localhost:9000"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:8000.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "ftp://localhost:8000"}, 403),
        ({}, 403),
    ],
)
def test_cross_site_requests_do_nothing(site: Site, headers: dict[str, str], status: int) -> None:
    """A signed-in browser's POST counts only when the desk itself sent it; a refused one does nothing."""
    client = site.signed_in()
    del client.headers["Sec-Fetch-Site"]
    assert client.post("/sign-out", headers=headers).status_code == status
    still = client.get("/v1/me").status_code
    assert still == (200 if status == 403 else 401)


def test_nobody_is_signed_in_by_another_site(site: Site) -> None:
    """A foreign page cannot sign its visitor in as somebody else, and the link is not used up."""
    link = site.link()
    assert site.client().post(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert site.client().post(link, headers=SAME_ORIGIN).status_code == 303


def test_links_from_mail_open(site: Site) -> None:
    """Following a link from another site is fine; only unsafe methods are refused."""
    assert site.client().get(site.link(), headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_programs_without_cookies_pass(site: Site) -> None:
    """A key makes the browser's headers irrelevant, and a client without cookies is no browser."""
    _, text = site.key("decisions:ask")
    headers = {"Authorization": f"Bearer {text}", "Sec-Fetch-Site": "cross-site"}
    assert site.client().post("/v1/echo", json=1, headers=headers).status_code == 200
    assert site.client().post("/v1/echo", json=1).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:9", "[::1]:8000", "desk.example.com"])
def test_own_names_are_answered(https_site: Site, host: str) -> None:
    """Loopback names and the public address are this server, on any port."""
    assert https_site.client().get("/sign-in", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "localhost@evil.example", "", "localhost:8000, evil.example",
     "desk.example.com.", "localhost:99999999", "[::1", "evil.example#localhost", "192.168.0.1"],
)  # fmt: skip
def test_foreign_names_are_not_answered(https_site: Site, host: str) -> None:
    """A name that is not ours is refused on every route, so a rebound name reads nothing."""
    for path in ("/sign-in", "/v1/me", "/nowhere"):
        answer = https_site.client().get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "unknown_host"


def test_probes_come_by_address(site: Site) -> None:
    """Health checks are asked by address, so they answer under any name."""
    for path in ("/healthz", "/readyz"):
        assert site.client().get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/healthz", "/sign-in", "/v1/me", "/nowhere", "/v1/fail/crash", "/fail/crash", "/v1/fail/away"]
)
@pytest.mark.parametrize("accept", [{}, HTML])
def test_every_answer_carries_the_policy(site: Site, path: str, accept: dict[str, str]) -> None:
    """Pages, data, refusals and crashes all carry the strict policy and an id, and are never stored."""
    headers = site.client().get(path, headers=accept).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert len(headers["x-request-id"]) == 16
    assert "strict-transport-security" not in headers


def test_https_is_kept(https_site: Site) -> None:
    """Behind https browsers are told never to come back in the clear."""
    answer = https_site.client(base_url="https://desk.example.com").get("/healthz")
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_our_pages_need_nothing_inline(site: Site) -> None:
    """The pages hold no script, style or handler that the policy would block."""
    for path in ("/sign-in", site.link(), "/nowhere"):
        text = site.client().get(path, headers=HTML).text
        assert "<html" in text
        assert not [word for word in ("<script", "<style", " style=", " onclick=", "javascript:") if word in text]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc-1.2_X", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("a b", False),
        ("<x>", False),
        ("", False),
        ("é", False),
    ],
)
def test_request_ids_are_taken_over_when_harmless(site: Site, given: str, kept: bool) -> None:
    """A proxy's id is kept; one that could do harm in a log or a header is replaced."""
    answer = site.client().get("/healthz", headers={"X-Request-Id": given.encode("latin-1")})
    assert (answer.headers["x-request-id"] == given) is kept
