"""The whole way of a message: queued, let through by the gate, sent to a real server, unsubscribed from, bounced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from fairlead.actions import ActionDraft, queue_many
from fairlead.app import create_app
from fairlead.connectors import SmtpConnector
from fairlead.customers import CustomerDraft, consents_of, resolve_many, suppressions_of
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.people import create_api_key
from fairlead.playbooks import deploy, read_workspace
from fairlead.settings import Settings
from fairlead.worker import Runtime, open_runtime
from tests.connectors.mail_world import Letterbox, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

ADA = "ada@nordwind.example"


@dataclass
class Office:
    """An installation that sends mail, and one customer."""

    runtime: Runtime
    box: Letterbox
    customer: str

    def send(self, key: str = "k", *, stranger: bool = False, **body: Any) -> dict[str, Any]:
        """Queue a follow-up to the customer, let the outbox work; what the action came to."""
        whole = {
            "channel": "email", "purpose": "sales", "sender": "agent", "automatic": False,
            "template": "first-follow-up", "fields": {"name": "Ada Keller"},
        } | body  # fmt: skip
        draft = ActionDraft(key, "message", "nurture.first-follow-up", whole,
                            customer_id=None if stranger else self.customer)  # fmt: skip
        with self.runtime.database.transaction() as uow:
            (action,) = queue_many(uow, [draft])
            uow.record(AuditEntry("test.queued", action))
        outbox = self.runtime.dispatcher._sources["outbox"]
        if outbox.lease(10, 60.0, f"t{key}"):
            outbox.run(f"t{key}")
        with self.runtime.database.reading() as reader:
            row = reader.fetch("SELECT state, result FROM action WHERE id = ?", action)[0]
        return {"state": row[0], "result": row[1]}


@pytest.fixture
def office(prepared: Settings, clock: FakeClock) -> Iterator[Office]:
    """Over a real mail server, on a clock that stands at noon."""
    box = Letterbox()
    with serving(box) as port:
        settings = prepared.model_copy(update={
            "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "sales@example.com",
            "smtp_from_name": "Example company", "secret_key": SecretStr("s" * 40),
        })  # fmt: skip
        with open_runtime(settings, durable=False, clock=clock) as runtime:
            with runtime.database.transaction() as uow:
                deploy(uow, runtime.library, SYSTEM, read_workspace(settings.workspace))
                draft = CustomerDraft("Ada Keller", language="de", identities=(("email", ADA),), source="test")
                customer = resolve_many(uow, [draft])[0].id
                uow.record(AuditEntry("test.made", customer))
            yield Office(runtime, box, customer)


def test_a_message_goes_the_whole_way_and_its_link_stops_the_next(office: Office) -> None:
    """Template in the customer's language, from the deployed bundle; one click, and the gate refuses the next one."""
    assert office.send("1")["state"] == "sent"
    letter = office.box.last()
    assert letter["to"].addresses[0].addr_spec == ADA
    assert "Guten Tag Ada Keller" in letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    link = re.match(r"<([^>]+)>", letter["list-unsubscribe"])
    assert link is not None

    client = TestClient(create_app(office.runtime, background=False), base_url="http://127.0.0.1")
    path = "/u/" + link[1].rpartition("/u/")[2]
    assert client.get(path).status_code == 200
    assert office.runtime.database.clock.now() is not None
    answer = client.post(path, content="List-Unsubscribe=One-Click",
                         headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert answer.status_code == 200
    refused = office.send("2")
    assert refused["state"] == "refused"
    assert len(office.box.letters) == 1


def test_the_mail_of_the_same_header_does_as_much(office: Office) -> None:
    """Its subject is sent to the address of the header and taken in over HTTP."""
    office.send("1")
    mailto = re.search(r"<mailto:([^?>]+)\?subject=([^>]+)>", office.box.last()["list-unsubscribe"])
    assert mailto is not None
    assert mailto[1] == "sales@example.com"
    subject = mailto[2].replace("%20", " ")
    with office.runtime.database.transaction() as uow:
        key = create_api_key(uow, SYSTEM, name="mail", scopes=("events:send",), checkpoints=[], max_value_minor=None,
                             flags=())  # fmt: skip
    client = TestClient(create_app(office.runtime, background=False), base_url="http://127.0.0.1")
    answer = client.post(
        "/v1/mail", content=f"From: {ADA}\nTo: {mailto[1]}\nSubject: {subject}\n\n".encode(),
        headers={"Authorization": f"Bearer {key.text}", "Content-Type": "message/rfc822"},
    )  # fmt: skip
    assert answer.json()["kind"] == "unsubscribe"
    with office.runtime.database.reading() as reader:
        now = office.runtime.database.clock.now()
        assert consents_of(reader, [office.customer], now)[office.customer]["sales", "email"].state == "withdrawn"


def test_a_refusal_of_the_mailbox_suppresses_and_is_the_actions_end(office: Office) -> None:
    """The server's words stand with the action; the next message does not reach the server any more."""
    office.box.answers["RCPT"] = ["550 5.1.1 no such user"]
    first = office.send("1")
    assert first["state"] == "refused"
    assert "no such user" in first["result"]
    with office.runtime.database.reading() as reader:
        assert suppressions_of(reader, [("email", ADA)])["email", ADA].scope == "all"
    assert office.send("2", purpose="service")["state"] == "refused"
    assert office.box.letters == []


def test_nobody_is_promoted_to_without_a_way_out(office: Office) -> None:
    """An address of no customer can have no link of its own, so only what needs none goes there."""
    unknown = {"stranger": True, "to": "somebody@else.example", "fields": {"name": "Somebody"}}
    refused = office.send("1", **unknown)
    assert (refused["state"], office.box.letters) == ("refused", [])
    assert "needs a way out" in refused["result"]
    assert office.send("2", **unknown, purpose="service")["state"] == "sent"


def test_transactional_messages_have_no_way_out(office: Office) -> None:
    """About an order of theirs; nobody is taken off that by mistake."""
    assert office.send("1", purpose="service")["state"] == "sent"
    assert office.box.last()["list-unsubscribe"] is None


def test_without_a_mail_server_messages_are_written_down(prepared: Settings, clock: FakeClock) -> None:
    """The receipt says that it would have been sent, and the file is the whole message."""
    with open_runtime(prepared, durable=False, clock=clock) as runtime:
        with runtime.database.transaction() as uow:
            deploy(uow, runtime.library, SYSTEM, read_workspace(prepared.workspace))
            customer = resolve_many(uow, [CustomerDraft("Ada", identities=(("email", ADA),), source="test")])[0].id
            uow.record(AuditEntry("test.made", customer))
        found = Office(runtime, Letterbox(), customer).send()
    assert "would have been sent" in found["result"]
    (written,) = (prepared.data_dir / "unsent").iterdir()
    assert f"To: Ada <{ADA}>" in written.read_text(encoding="ascii")


def test_a_connector_of_other_settings_is_not_made(prepared: Settings) -> None:
    """Without a host there is none, so no setting of mail can stop an installation that sends none."""
    with open_runtime(prepared, durable=False) as runtime:
        assert "smtp" not in runtime.library.connectors
    assert SmtpConnector.reaches_customer


def test_a_template_finds_the_recipients_own_pages(office: Office) -> None:
    """The footer's link opens the recipient's preference page; without a case there is no why-link, and no hole."""
    assert office.send("1")["state"] == "sent"
    text = office.box.last().get_body(("plain",)).get_content()  # type: ignore[union-attr]
    found = re.search(r"http://127\.0\.0\.1(/p/[\w.-]+)", text)
    assert found is not None
    assert "/why/" not in text
    client = TestClient(create_app(office.runtime, background=False), base_url="http://127.0.0.1")
    page = client.get(found[1])
    assert page.status_code == 200
    assert "a…@n….example" in page.text


def test_a_program_that_sends_by_itself_gets_the_ways_out(office: Office) -> None:
    """Its link opens without a sign-in, and one click counts at the gate; what is unknown is refused."""
    with office.runtime.database.transaction() as uow:
        keys = [
            create_api_key(uow, SYSTEM, name=scope, scopes=(scope,), checkpoints=[], max_value_minor=None, flags=())
            for scope in ("customers:edit", "customers:read")
        ]
    client = TestClient(create_app(office.runtime, background=False), base_url="http://127.0.0.1")
    may, may_not = ({"Authorization": f"Bearer {key.text}"} for key in keys)
    path = f"/v1/customers/{office.customer}/links"
    assert client.get(path, params={"purpose": "sales"}, headers=may_not).status_code == 403
    for params in ({}, {"purpose": "spam"}, {"purpose": "sales", "channel": "pigeon"}, {"purpose": "x" * 65}):
        assert client.get(path, params=params, headers=may).status_code == 422, params
    assert client.get("/v1/customers/cus_nobody/links", params={"purpose": "sales"}, headers=may).status_code == 404
    assert client.get(path, params={"purpose": "service"}, headers=may).json()["way_out"] is None
    found = client.get(path, params={"purpose": "sales"}, headers=may).json()

    off, page = found["way_out"], "/p/" + found["preferences_url"].rpartition("/p/")[2]
    assert client.get(page).status_code == 200
    assert off["headers"]["List-Unsubscribe"] == f"<{off['unsubscribe_url']}>"
    link = "/u/" + off["unsubscribe_url"].rpartition("/u/")[2]
    assert client.get(link).status_code == 200
    assert office.send("1")["state"] == "sent"
    name, _, value = off["headers"]["List-Unsubscribe-Post"].partition("=")
    assert client.post(link, data={name: value}).status_code == 200
    assert office.send("2")["state"] == "refused"
