"""Leads that were not ready: follow-ups go out through the gate, and replies that mean something bring a person in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fairlead import reviews, rights, sales
from fairlead.audit import Trail
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.connectors import MessageConnector, ReceiptState
from fairlead.connectors.ports import Delivery
from fairlead.customers import CustomerDraft, profile, resolve_many, withdraw_all
from fairlead.guardrails import deploy_rules
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.events import Event, publish
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import (
    BundleLibrary,
    CaseDraft,
    Engine,
    EngineSettings,
    StepRegistry,
    cases_page,
    deploy,
    open_cases,
    read_workspace,
)
from fairlead.reviews import Verb
from fairlead.sales.nurture import ReplyKind, read_reply
from fairlead.testing.connectors import RecordingConnector
from fairlead.testing.running import UntilIdle
from tests.playbooks.world import BOSS, UNDO, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

EXAMPLE = Path(sales.__file__).parent / "example"
LEAD = {
    "name": "Ada Keller", "company": "Nordwind", "email": "ada@nordwind.example",
    "reachable_at": "ada@nordwind.example", "country": "DE", "employees": 40, "value": 900.0,
    "team": "dach", "grade": "C",
}  # fmt: skip

REPLIES = [
    ("STOP", ReplyKind.OPT_OUT),
    ("Please take me off your list.", ReplyKind.OPT_OUT),
    ("I am on leave until May, and please unsubscribe me", ReplyKind.OPT_OUT),
    ("Bitte nicht mehr anschreiben", ReplyKind.OPT_OUT),
    ("Ne me contactez plus, merci", ReplyKind.OPT_OUT),
    ("Quiero darme de baja", ReplyKind.OPT_OUT),
    ("Auto-Submitted: auto-replied\n\nThank you for writing. Any questions? See our page.", ReplyKind.AUTO),
    ("I am out of the office until 3 May and have limited access to my e-mail.", ReplyKind.AUTO),
    ("Ich bin bis 3. Mai im Urlaub.", ReplyKind.AUTO),
    ("Thanks, received!", ReplyKind.COURTESY),
    ("Danke, alles klar", ReplyKind.COURTESY),
    ("No, thank you.", ReplyKind.DECLINED),
    ("Wir haben uns anderweitig entschieden", ReplyKind.DECLINED),
    ("No thanks. But what would five seats cost?", ReplyKind.MEANINGFUL),
    ("Können Sie uns ein Angebot machen", ReplyKind.MEANINGFUL),
    ("Sure, call me.\n\nOn Mon, 1 May 2026 at 10:00 Fairlead wrote:\n> to unsubscribe, STOP", ReplyKind.MEANINGFUL),
    ("J'aimerais un devis", ReplyKind.MEANINGFUL),
    ("Your last message arrived while our mother was in hospital and things are hard", ReplyKind.UNCLEAR),
    ("", ReplyKind.UNCLEAR),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), REPLIES)
def test_a_reply_is_told_by_its_newest_words(text: str, kind: ReplyKind) -> None:
    """A wish to be left alone goes first; what no rule understands is for a person."""
    assert read_reply(text).kind is kind


@given(st.text(max_size=400))
def test_no_reply_breaks_the_reading(text: str) -> None:
    """Whatever is written, there is a kind and a reason."""
    found = read_reply(text)
    assert found.kind in ReplyKind
    assert found.why


class Nurture(World):
    """The example workspace, its outbox and a desk."""

    messages: RecordingConnector

    def lead(self) -> tuple[str, str]:
        """(customer, case) of a lead that a person rejected for now."""
        assert self.bundle is not None
        with self.database.transaction() as uow:
            identities = (("email", str(LEAD["email"])), ("phone", "+493020000000"))
            customer = resolve_many(uow, [CustomerDraft(name="Ada", identities=identities, source="test")])[0].id
            uow.record(AuditEntry("test.imported", customer))
            draft = CaseDraft("lead-qualification", "lead", "lead_1", LEAD, customer)
            [case] = open_cases(uow, [draft], self.bundle)
        self.run()
        self.decide(case, Verb.REJECT, reason="not before spring")
        self.clock.advance(UNDO)
        self.run()
        return customer, case

    def open_review(self, case_id: str) -> reviews.Review:
        """The one that waits."""
        [one] = [each for each in self.reviews_of(case_id) if each.is_open]
        return one

    def nurtured(self) -> Any:
        """The case that stays in touch, as stored."""
        with self.database.reading() as reader:
            [row] = cases_page(reader, state=None, playbook="lead-nurture", before=None, limit=9)
        return self.case(row.id)

    def reply(self, customer: str, text: str) -> None:
        """The customer answers."""
        self.happens("replied", customer, found={"reply": text})
        self.run()


@pytest.fixture
def nurture(database_url: str, clock: FakeClock) -> Iterator[Nurture]:
    """With the example workspace deployed."""
    database = Database(database_url, clock=clock, trail=Trail())
    file, messages = RecordingConnector("file"), RecordingConnector("message", reaches_customer=True)
    connectors = {"file": file, "message": messages}
    library = BundleLibrary(
        StepRegistry((*sales.STEPS, *rights.STEPS), sales.FILE_CHECKS), frozenset({*connectors, "log"})
    )
    engine = Engine(database, library, EngineSettings(seed=bytes(32)))
    world = Nurture(database, clock, file, library, engine, UntilIdle(engine, clock, connectors))
    world.messages = messages
    with database.transaction() as uow:
        world.bundle, _ = deploy(uow, library, SYSTEM, read_workspace(EXAMPLE))
        version = world.bundle.policies["lead-assignment"].version
        expires = clock.now() + timedelta(days=365)
        assist = Grant("", "lead-assignment", "small", "lead-rules@1", Level.ASSIST, version, expires, None, None, 0.0)
        set_grant(uow, BOSS, "manager", assist, {})
    yield world
    database.close()


def test_follow_ups_go_out_by_day(nurture: Nurture) -> None:
    """A rejected lead gets its follow-ups in time, at an hour of the day; without an answer it ends."""
    nurture.clock.advance(timedelta(hours=13))
    customer, case = nurture.lead()
    child = nurture.nurtured()
    assert (child.stage, nurture.actions(child.id)) == ("pause", [])
    nurture.later(days=7)
    [first] = nurture.actions(child.id)
    assert (first.kind, first.state, first.gate["code"]) == ("nurture.first-follow-up", "held", "quiet_hours")
    assert nurture.nurtured().stage == "first-follow-up"
    assert not nurture.messages.calls
    nurture.later(hours=9)  # the night in Berlin is over
    [sent] = nurture.messages.calls
    assert (sent.customer_id, sent.body["to"]) == (customer, LEAD["email"])
    assert {"channel": "email", "purpose": "sales", "template": "first-follow-up"}.items() <= sent.body.items()
    assert sent.body["fields"] == {"name": "Ada Keller", "company": "Nordwind"}
    assert nurture.nurtured().stage == "longer-pause"
    nurture.later(days=60)
    nurture.later(days=60)
    assert [one.state for one in nurture.actions(child.id)] == ["sent", "sent"]
    assert nurture.nurtured().end == "no-answer"
    assert nurture.case(case).end == "nurtured"


def test_a_capped_follow_up_is_left_out(nurture: Nurture) -> None:
    """Where there is no place for it the message is dropped, and the sequence goes on to its end."""
    rules = (EXAMPLE / "contact.yaml").read_text(encoding="utf-8")
    cap = "caps:\n  - {name: one, most: 1, per: 30d, when_full: drop}\n"
    with nurture.database.transaction() as uow:
        deploy_rules(uow, SYSTEM, rules.replace("caps:\n", cap))
    nurture.lead()
    nurture.later(days=29)
    child = nurture.nurtured()
    first, last = nurture.actions(child.id)
    assert (first.state, last.state, last.gate["code"]) == ("sent", "refused", "cap")
    assert (child.stage, child.facts["refused_for"]) == ("last-pause", "cap")
    nurture.later(days=31)
    assert nurture.nurtured().end == "no-answer"


@pytest.mark.parametrize("wait", [{}, {"days": 7}, {"days": 8}, {"days": 30}])
@pytest.mark.parametrize("way", ["one-click", "stop"])
def test_an_opt_out_ends_it_at_any_stage(nurture: Nurture, wait: dict[str, float], way: str) -> None:
    """By the link in a message or by a reply: nothing more goes out, whatever the case was doing."""
    customer, _ = nurture.lead()
    if wait:
        nurture.later(**wait)
    before = len(nurture.messages.calls)
    if way == "stop":
        nurture.reply(customer, "STOP")
    else:
        with nurture.database.transaction() as uow:
            withdraw_all(uow, SYSTEM, customer, source="link", mechanism="one_click")
        nurture.run()
    assert nurture.nurtured().end == "stopped"
    nurture.later(days=90)
    assert len(nurture.messages.calls) == before
    assert {one.state for one in nurture.actions(nurture.nurtured().id)} <= {"sent", "withdrawn"}


def test_a_meaningful_reply_brings_a_person_in(nurture: Nurture) -> None:
    """Nothing more is written while a person looks; what the person says is done."""
    customer, case = nurture.lead()
    nurture.later(days=8)
    nurture.reply(customer, "What would five seats cost?")
    child = nurture.nurtured()
    assert (child.stage, child.facts["reply_kind"]) == ("answer", "meaningful")
    review = nurture.open_review(child.id)
    assert review.title == "Ada Keller · Nordwind answered"
    nurture.later(days=40)
    assert len(nurture.actions(child.id)) == 1
    nurture.decide(child.id, Verb.ANSWER, answer={"do": "assign"})
    nurture.clock.advance(UNDO)
    nurture.run()
    assert (nurture.nurtured().end, nurture.case(case).end) == ("revived", "nurtured")
    assert [one.kind for one in nurture.actions(child.id)][-1] == "lead.revived"


def test_a_reply_interrupts_even_a_review(nurture: Nurture) -> None:
    """The newest words count: the review of the older ones is withdrawn."""
    customer, _ = nurture.lead()
    nurture.reply(customer, "What would it cost?")
    first = nurture.open_review(nurture.nurtured().id)
    nurture.reply(customer, "Forget my question. Please unsubscribe me.")
    child = nurture.nurtured()
    assert [one.state for one in nurture.reviews_of(child.id)] == ["withdrawn"]
    assert first.id == nurture.reviews_of(child.id)[0].id
    assert child.end == "stopped"
    with nurture.database.reading() as reader:
        known = profile(reader, customer, nurture.clock.now())
    assert {"email", "phone"} <= set(known.facts["unsubscribed"])
    assert known.facts["consents"]["*"] == {"*": "withdrawn"}
    assert "customer.consent_recorded" in nurture.verbs(customer)


def test_a_machines_answer_changes_nothing(nurture: Nurture) -> None:
    """No person is asked; the sequence goes on after its pause."""
    customer, _ = nurture.lead()
    nurture.later(days=8)
    nurture.reply(customer, "I am out of the office until 3 May and have limited access to my e-mail.")
    child = nurture.nurtured()
    assert (child.stage, nurture.reviews_of(child.id)) == ("longer-pause", [])
    nurture.later(days=22)
    assert [one.kind for one in nurture.actions(child.id)][-1] == "nurture.last-follow-up"


def test_an_opt_out_takes_back_what_is_held(nurture: Nurture) -> None:
    """Said anywhere else, too: follow-ups in the outbox are withdrawn, and the case ends."""
    nurture.clock.advance(timedelta(hours=13))
    customer, _ = nurture.lead()
    nurture.later(days=7)
    with nurture.database.transaction() as uow:
        publish(uow, Event("opted_out", customer, {}))
        uow.record(AuditEntry("test.happened", customer))
    nurture.run()
    child = nurture.nurtured()
    assert (child.end, [one.state for one in nurture.actions(child.id)]) == ("stopped", ["withdrawn"])


def test_a_channel_that_is_not_set_up_lets_nothing_out() -> None:
    """Neither connector nor file for it: refused, and the address is not in the words."""
    receipt = MessageConnector().deliver(Delivery("k", "nurture.first-follow-up", {"email": "a@b.example"}))
    assert receipt.state is ReceiptState.REFUSED
    assert "a@b" not in receipt.detail
