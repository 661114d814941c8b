"""From a posted form to one lead: once, with its consent, with suspicion where it is due; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from fairlead import customers, sales
from fairlead.audit.tables import entry
from fairlead.checkpoints import rulings_of_case
from fairlead.customers.tables import consent
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import read_case
from fairlead.sales.capture import tables as t
from fairlead.sales.tables import lead
from fairlead.testing.seed import run_ready

if TYPE_CHECKING:
    from fairlead.sales import Submitted
    from fairlead.testing.clock import FakeClock
    from tests.sales.world import World

LINKS = sales.ConfirmLinks(b"s" * 32, "https://desk.example")
GOOD = {"name": "Ann Bell", "email": "ann@firm.example", "note": "Please call me about thirty seats."}


def send(world: World, token: str = "one", **typed: str) -> Submitted:
    """Post the example's form, under a token that is good."""
    form = sales.forms_of(world.bundle)["contact"]
    answers = sales.read_answers(form, {**GOOD, **typed})
    assert answers.errors == {}
    with world.database.transaction() as uow:
        return sales.submit(uow, world.bundle, form, answers, token, links=LINKS)


def rows(world: World, table: Any) -> list[Any]:
    """Every row of a table."""
    with world.database.reading() as reader:
        return list(reader.execute(select(table)))


def facts_of(world: World, lead_id: str) -> dict[str, Any]:
    """The facts of the lead's case."""
    with world.database.reading() as reader:
        return dict(read_case(reader, sales.read_lead(reader, lead_id).case_id).facts)


def test_a_post_becomes_one_lead_with_its_case_and_customer(world: World) -> None:
    """Checked as a file's row is, audited, and on the customer's timeline."""
    done = send(world, phone="+44 20 7946 0123", employees="51-200", country="GB")
    assert done.outcome is sales.Outcome.TAKEN
    with world.database.reading() as reader:
        row = sales.read_lead(reader, done.lead_id)
        lines = customers.timeline_of(reader, row.customer_id)
    assert row.fields["phone"] == "+442079460123"
    assert row.attributes["form"] == "contact"
    assert [line.kind for line in lines] == ["form"]
    facts = facts_of(world, done.lead_id)
    assert facts["reachable_at"] == "ann@firm.example"
    assert "suspected_spam" not in facts


def test_a_double_click_adds_one_lead(world: World) -> None:
    """The same post twice is one; the second says the same to its sender."""
    first, second = send(world), send(world)
    assert second.outcome is sales.Outcome.REPEATED
    assert second.lead_id == first.lead_id
    assert world.count(lead) == world.count(t.form_submission) == 1


def test_a_used_token_takes_nothing_else_in(world: World) -> None:
    """Another content under it is refused, and nothing of it is kept."""
    send(world)
    again = send(world, name="Somebody Else", email="else@firm.example")
    assert again.outcome is sales.Outcome.REPLAYED
    assert world.count(lead) == 1
    assert "else@firm.example" not in str(rows(world, t.form_submission)) + str(rows(world, entry))


def test_the_same_words_on_another_day_are_a_new_lead(world: World, clock: FakeClock) -> None:
    """Within a day they add nothing; next month the person means it again."""
    first = send(world, "one")
    assert send(world, "two").outcome is sales.Outcome.KNOWN
    clock.advance(timedelta(days=30))
    later = send(world, "three")
    assert later.outcome is sales.Outcome.TAKEN
    assert later.lead_id != first.lead_id
    with world.database.reading() as reader:
        assert {sales.read_lead(reader, one.lead_id).customer_id for one in (first, later)} == {
            sales.read_lead(reader, first.lead_id).customer_id
        }


def test_consent_is_kept_with_exactly_what_was_shown(world: World) -> None:
    """Ticked: a question by web form with notice, version and digest. Not ticked: no row at all."""
    send(world, "one")
    assert world.count(consent) == 0
    send(world, "two", consent="yes", email="bea@firm.example")
    [row] = rows(world, consent)
    shown = sales.forms_of(world.bundle)["contact"].consent
    assert shown is not None
    assert (row.purpose, row.channel, row.state, row.mechanism) == ("newsletter", "email", "pending", "web_form")
    assert row.proof["notice"] == shown.notice
    assert row.proof["notice_digest"] == shown.digest == rows(world, t.form_submission)[-1].notice_digest


def test_a_tick_by_anybody_does_not_undo_a_withdrawal(world: World) -> None:
    """Whoever types the address of somebody who opted out cannot opt them in; a person is told."""
    send(world, "one", consent="yes")
    customer = rows(world, t.form_submission)[0].customer_id
    withdrawn = customers.ConsentRecord("newsletter", "email", customers.ConsentState.WITHDRAWN, "reply_stop", "test")
    with world.database.transaction() as uow:
        customers.record_consent(uow, SYSTEM, customer, withdrawn)
    send(world, "two", consent="yes", note="Something else entirely, please.")
    with world.database.reading() as reader:
        known = customers.facts_of(reader, [customer], world.database.clock.now())[customer]
        lines = [line.words for line in customers.timeline_of(reader, customer)]
    assert known["consents"] == {"newsletter": {"email": "withdrawn"}}
    assert any("stays withdrawn" in words for words in lines)


def test_what_looks_like_spam_is_a_lead_that_a_person_sees(world: World) -> None:
    """Never dropped: the fact is there, and the example's policy sends it to a person even under a grant."""
    world.grant("small")
    spam = send(world, note="http://a.example http://b.example http://c.example buy now")
    run_ready(world.engine)
    assert facts_of(world, spam.lead_id)["suspected_spam"] is True
    with world.database.reading() as reader:
        case_id = sales.read_lead(reader, spam.lead_id).case_id
        [ruling] = rulings_of_case(reader, case_id)
    assert ruling.path == "human"
    assert rows(world, t.form_submission)[0].signs


def test_one_text_from_many_addresses_is_noticed(world: World) -> None:
    """From the third on, whoever sends it; a day later it starts anew."""
    outcomes = [
        send(world, f"t{n}", email=f"p{n}@firm.example", note="We offer the best SEO in town!") for n in range(4)
    ]
    flagged = ["suspected_spam" in facts_of(world, one.lead_id) for one in outcomes]
    assert flagged == [False, False, True, True]


def test_markup_stays_text(world: World) -> None:
    """What a visitor types is stored as typed, for pages to escape."""
    done = send(world, name="<script>alert(1)</script>")
    with world.database.reading() as reader:
        assert sales.read_lead(reader, done.lead_id).fields["name"] == "<script>alert(1)</script>"


def test_refused_posts_are_counted_and_nothing_else(world: World) -> None:
    """A thousand in memory become a handful of writes; counts add up over time."""
    counter, now = sales.RefusalCounter(), world.database.clock.now()
    written = []
    for _ in range(1_000):
        counter.add("contact", "honeypot")
        if counts := counter.take(now):
            written.append(counts)
            with world.database.transaction() as uow:
                sales.add_refusals(uow, counts)
    assert len(written) == 1
    with world.database.transaction() as uow:
        sales.add_refusals(uow, counter.take(now + timedelta(seconds=11)))
    with world.database.reading() as reader:
        assert sales.refusals(reader) == {"contact": {"honeypot": 1_000}}
    assert counter.pending() == {}


def test_a_browser_that_asks_for_privacy_is_heard(world: World) -> None:
    """With the header as proof, once, and beside what was ticked; without it nothing is written."""
    form = sales.forms_of(world.bundle)["contact"]
    for token, private in (("one", False), ("two", True), ("three", True)):
        answers = sales.read_answers(form, {**GOOD, "consent": "yes", "note": f"Please call me about {token} seats."})
        with world.database.transaction() as uow:
            sales.submit(uow, world.bundle, form, answers, token, links=LINKS, private=private)
    signals = [row for row in rows(world, consent) if row.mechanism == "gpc"]
    assert [(row.purpose, row.channel, row.state) for row in signals] == [("sharing", "*", "withdrawn")]
    assert signals[0].proof == {"header": "Sec-GPC: 1", "where": "/forms/contact"}
    assert {row.notice_id is not None for row in rows(world, consent) if row.mechanism == "web_form"} == {True}


def test_a_form_without_a_box_gives_no_consent(world: World) -> None:
    """Even when the post says that one was ticked."""
    form = replace(sales.forms_of(world.bundle)["contact"], consent=None)
    answers = sales.read_answers(form, {**GOOD, "consent": "yes"})
    with world.database.transaction() as uow:
        sales.submit(uow, world.bundle, form, answers, "one", links=LINKS)
    assert world.count(consent) == 0
