"""A ticked box of a purpose that is asked twice: form, one mail through the gate, and only its button says yes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from fairlead.app import create_app
from fairlead.customers import ConsentRecord, ConsentState, consents_of, record_consent, withdraw_all
from fairlead.kit.actors import SYSTEM
from fairlead.people import create_api_key
from fairlead.playbooks import deploy
from tests.app.test_mailing import ADA, Office, office  # noqa: F401  a fixture

if TYPE_CHECKING:
    from fairlead.testing.clock import FakeClock

NEWS = ("newsletter", "email")
GOOD = {"name": "Ada Keller", "email": ADA, "note": "Please tell me about your thirty seats."}


class Visitor:
    """A browser at the form, and what the mail server got of it."""

    def __init__(self, at: Office, clock: FakeClock) -> None:
        self.at, self.clock = at, clock
        self.client = TestClient(create_app(at.runtime, background=False), base_url="http://127.0.0.1")

    def send(self, **typed: str) -> None:
        """Fill the form in with the box ticked, and let the outbox work."""
        page = self.client.get("/forms/contact").text
        self.clock.advance(timedelta(seconds=10))
        hidden = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("form_token", "consent")}
        sent = GOOD | {name: found[1] for name, found in hidden.items() if found} | typed
        assert self.client.post("/forms/contact", data=sent).status_code == 200
        outbox = self.at.runtime.dispatcher._sources["outbox"]
        token = f"t{self.clock.now().timestamp()}"
        if outbox.lease(10, 60.0, token):
            outbox.run(token)

    def state(self) -> str | None:
        """What stands of Ada's newsletter."""
        with self.at.runtime.database.reading() as reader:
            standings = consents_of(reader, [self.at.customer], self.clock.now())[self.at.customer]
        return standings[NEWS].state if NEWS in standings else None

    def letters(self) -> list[Any]:
        """Every mail so far."""
        return self.at.box.letters


@pytest.fixture
def visitor(office: Office, clock: FakeClock) -> Visitor:  # noqa: F811
    """Somebody who types Ada's address."""
    return Visitor(office, clock)


def link_in(visitor: Visitor) -> str:
    """The path of the link in the last mail."""
    text = visitor.at.box.last().get_body(("plain",)).get_content()
    found = re.search(r"(/c/[\w.-]+)", text)
    assert found is not None
    return found[1]


def test_a_tick_asks_and_only_the_button_of_the_mail_gives(visitor: Visitor) -> None:
    """Pending after the form; a scanner that opens the link, with GET or HEAD, changes nothing; the button gives."""
    visitor.send()
    assert visitor.state() == "pending"
    letter = visitor.at.box.last()
    assert letter["to"].addresses[0].addr_spec == ADA
    assert letter["list-unsubscribe"] is None
    assert "News and offers" in letter["subject"]
    link = link_in(visitor)
    assert visitor.client.get(link).status_code == visitor.client.head(link).status_code == 200
    assert visitor.state() == "pending"
    assert visitor.client.post(link).status_code == 200
    assert visitor.state() == "given"
    visitor.send(note="And now about forty seats, please.")
    assert len(visitor.letters()) == 1, "who said yes by the link is not asked again"


def test_one_message_however_often_somebody_types_the_address(visitor: Visitor) -> None:
    """As long as the link holds there is one mail; after that the next tick may ask again."""
    visitor.send()
    visitor.send(note="Please tell me about sixty seats.")
    assert len(visitor.letters()) == 1
    visitor.clock.advance(timedelta(days=7, hours=1))
    visitor.send(note="Please tell me about seventy seats.")
    assert len(visitor.letters()) == 2
    assert visitor.state() == "pending"


def test_the_question_passes_the_gate(visitor: Visitor) -> None:
    """The gate's journal has it under a purpose about requests; who wants nothing at all is not even asked."""
    visitor.send()
    with visitor.at.runtime.database.reading() as reader:
        (row,) = reader.fetch("SELECT purpose, state, kind FROM contact_log")
    assert tuple(row) == ("service", "accepted", "consent.confirmation")


def test_who_stopped_everything_is_not_asked(visitor: Visitor) -> None:
    """A withdrawal of everything covers this purpose too: no line, no mail."""
    with visitor.at.runtime.database.transaction() as uow:
        withdraw_all(uow, SYSTEM, visitor.at.customer, source="test", mechanism="phone_call")
    visitor.send()
    assert visitor.letters() == []
    assert visitor.state() is None


def test_a_yes_that_was_never_confirmed_stays_and_is_asked_about(visitor: Visitor) -> None:
    """Imported with its proof: the question takes nothing back."""
    told = ConsentRecord(*NEWS, ConsentState.GIVEN, "import", "old list", {"row": 1})
    with visitor.at.runtime.database.transaction() as uow:
        record_consent(uow, SYSTEM, visitor.at.customer, told)
    visitor.send()
    assert len(visitor.letters()) == 1
    assert visitor.state() == "given"


def test_without_a_purpose_that_may_carry_it_nothing_is_asked(visitor: Visitor) -> None:
    """Rules of promotions alone: nothing is recorded as given, and the timeline says that nobody was asked."""
    runtime = visitor.at.runtime
    with runtime.database.transaction() as uow:
        files = dict(runtime.library.current(uow).files)
        files["contact.yaml"] = files["contact.yaml"].replace(
            "service:    {class: transactional", "service: {class: promotional, mechanism: opt_out"
        )
        deploy(uow, runtime.library, SYSTEM, files)
    visitor.send()
    assert visitor.letters() == []
    assert visitor.state() is None
    with runtime.database.reading() as reader:
        words = " ".join(row[0] for row in reader.fetch("SELECT words FROM timeline WHERE kind = ?", "consent"))
    assert "no message can carry one" in words


def test_a_lead_by_program_gives_no_consent(visitor: Visitor) -> None:
    """`consent: yes` among a lead's fields is a fact of the lead and no word in the ledger."""
    runtime = visitor.at.runtime
    with runtime.database.transaction() as uow:
        key = create_api_key(uow, SYSTEM, name="shop", scopes=("cases:start",), checkpoints=[], max_value_minor=None,
                             flags=())  # fmt: skip
    body = {"playbook": "lead-qualification", "fields": {"email": ADA, "consent": "yes"}}
    answer = visitor.client.post("/v1/leads", json=body, headers={"Authorization": f"Bearer {key.text}"})
    assert answer.status_code == 201
    assert visitor.state() is None
