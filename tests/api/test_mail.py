"""POST /v1/mail: mail as a mail server hands it over, bounded, and never answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.api.world import ok

if TYPE_CHECKING:
    from tests.api.world import World

MAIL = b"From: Eve <eve@example.com>\r\nSubject: Re: x\r\n\r\nWho are you?\r\n"
HEADERS = {"Content-Type": "message/rfc822"}


def test_mail_is_taken_as_it_is(world: World) -> None:
    """202 with what it was and what was done; the same bytes again are not new. The engine is told."""
    client = world.program("events:send")
    before = len(world.woken)
    first = ok(client.post("/v1/mail", content=MAIL, headers=HEADERS), 202)
    again = ok(client.post("/v1/mail", content=MAIL, headers=HEADERS), 202)
    assert (first["kind"], first["customer_id"], first["is_new"]) == ("reply", None, True)
    assert again["id"] == first["id"]
    assert not again["is_new"]
    assert len(world.woken) > before
    assert world.audited(first["id"]) == ["mail.taken", "mail.taken_again"]


def test_mail_needs_the_permission_to_send_events(light_world: World) -> None:
    """Neither a stranger nor a program with other scopes may hand over mail."""
    assert light_world.client().post("/v1/mail", content=MAIL, headers=HEADERS).status_code == 401
    refused = light_world.program("cases:read").post("/v1/mail", content=MAIL, headers=HEADERS)
    assert refused.status_code == 403


def test_what_is_too_large_or_no_mail_is_refused(light_world: World) -> None:
    """413 past 25 MiB and for bombs, 422 for what has no headers; nothing of it is kept."""
    client = light_world.program("events:send")
    before = light_world.entries()
    large = client.post("/v1/mail", content=MAIL + b"x" * 26_214_400, headers=HEADERS)
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    bomb = b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * 9_000
    assert client.post("/v1/mail", content=bomb, headers=HEADERS).status_code == 413
    none = client.post("/v1/mail", content=b"\0\1\2", headers=HEADERS)
    assert (none.status_code, none.json()["error"]["code"]) == (422, "bad_message")
    assert client.post("/v1/mail", content=b"", headers=HEADERS).status_code == 422
    assert light_world.entries() == before


def test_mail_with_any_bytes_passes_the_body_guard(light_world: World) -> None:
    """NUL characters and old charsets are mail's to hold; they neither break the request nor the database."""
    client = light_world.program("events:send")
    raw = b"From: a@b.example\nContent-Type: text/plain; charset=x\n\n\0\xff\xfe\r\n"
    assert ok(client.post("/v1/mail", content=raw, headers=HEADERS), 202)["kind"] == "reply"
