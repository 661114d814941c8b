"""From the words of a note to a changed record: proposed, reviewed, written, told, taken back; on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from fairlead import customers, reviews, sales
from fairlead.api import labels_of
from fairlead.checkpoints import SETTLEMENT, Grant, Level, rulings_of_case, set_grant
from fairlead.customers import CustomerDraft
from fairlead.errors import ConflictError, InputError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import EventSource, read_case
from fairlead.reviews import Given, QueueFilter, Reviewer, Verb
from fairlead.sales.capture import tables as t
from fairlead.sales.tables import lead
from fairlead.testing.seed import run_ready

if TYPE_CHECKING:
    from fairlead.sales import NoteTaken
    from tests.sales.world import World

USER = Actor(ActorKind.USER, "usr_1")
ROSA = Reviewer("usr_rosa", frozenset({"reviewer"}), "Rosa")
NOTE = """Name: Ann Bell
Company: Bell Optics Ltd
E-mail: ann@bell.example
Title: Head of Sales
Budget: 12,000 EUR
Next step: Send a quote
Date: 12 March 2026
"""


def known(world: World, *, name: str = "Ann", company: str = "Bell", email: str = "ann@bell.example") -> str:
    """A customer who is known already."""
    draft = CustomerDraft(name, company, identities=(("email", email),), source="test")
    with world.database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        return customers.resolve_many(uow, [draft])[0].id


def grant(world: World, level: Level = Level.ASSIST) -> None:
    """Let the machine propose, or decide, everywhere at this checkpoint."""
    version = world.bundle.policies["record-change"].version
    until = world.database.clock.now() + timedelta(days=90)
    for segment in ("known-customer", "other"):
        given = Grant("", "record-change", segment, "note-rules@1", level, version, until, 0.0, 0.02)
        with world.database.transaction() as uow:
            set_grant(uow, SYSTEM, "manager", given, {"note": "test"})


def add(world: World, text: str = NOTE, **options: Any) -> NoteTaken:
    """Add a note and let its case go as far as it does."""
    letter = sales.read_letter(text, date(2026, 3, 2))
    found = sales.read_found(letter)
    with world.database.transaction() as uow:
        taken = sales.take_note(uow, USER, world.bundle, "record-changes", letter, found, **options)
    run_ready(world.engine)
    return taken


def decide(world: World, case_id: str, verb: Verb = Verb.APPROVE, answer: dict[str, Any] | None = None) -> Any:
    """Give a verdict as Rosa; the case as it then stands."""
    with world.database.reading() as reader:
        open_ones = reviews.page(reader, QueueFilter(checkpoint="record-change"), limit=50).items
        one = next(review for review in open_ones if review.case_id == case_id)
    for _ in range(2):  # a drawn one is answered blind first, then decided
        with world.database.transaction() as uow:
            claimed = reviews.claim(uow, one.id, ROSA, timedelta(minutes=15)).review
            blind = claimed.mode is reviews.Mode.BLIND
            given = Given(Verb.ANSWER if blind else verb, claimed.digest, {} if blind else answer, "read it", None)
            reviews.decide(
                uow, one.id, given, ROSA, settlement=SETTLEMENT, labels=labels_of(world.library),
                check_answer=lambda *_: None, effective_after=timedelta(0),
            )  # fmt: skip
        if not blind:
            break
    EventSource(world.engine).turn()
    run_ready(world.engine)
    with world.database.reading() as reader:
        return read_case(reader, case_id)


def record(world: World, customer_id: str) -> dict[str, Any]:
    """The record's values by field."""
    with world.database.reading() as reader:
        found = sales.record_of(reader, customer_id, world.database.clock.now(), "EUR")
    return {name: one.value for name, one in found.items()}


def lines(world: World, customer_id: str) -> list[str]:
    """The customer's timeline in words, newest first."""
    with world.database.reading() as reader:
        return [line.words for line in customers.timeline_of(reader, customer_id)]


def changes_of(world: World, case_id: str) -> dict[str, dict[str, Any]]:
    """What is proposed, by field."""
    with world.database.reading() as reader:
        return {one["field"]: one for one in read_case(reader, case_id).facts["record_changes"]}


def test_what_a_note_says_is_proposed_and_written_once_approved(world: World) -> None:
    """Old and new with its words; nothing is written before; afterwards the timeline says who, what and from where."""
    grant(world)
    customer = known(world)
    taken = add(world)
    assert (taken.customer_id, taken.known) == (customer, True)
    proposed = changes_of(world, taken.case_id)
    assert (proposed["company"]["old"], proposed["company"]["new"]) == ("Bell", "Bell Optics Ltd")
    assert "email" not in proposed
    assert record(world, customer)["company"] == "Bell"
    case = decide(world, taken.case_id)
    assert case.end == "written"
    after = record(world, customer)
    assert (after["company"], after["job_title"], after["value"]) == ("Bell Optics Ltd", "Head of Sales", 12_000)
    assert (after["next_step"], after["next_date"]) == ("Send a quote", "2026-03-12")
    assert any("Bell → Bell Optics Ltd" in line and "“Bell Optics Ltd”" in line for line in lines(world, customer))
    assert world.count(lead) == 0


def test_somebody_new_becomes_a_lead_with_its_own_case(world: World) -> None:
    """Customer, identities and lead are made on approval, and the lead's playbook goes on."""
    grant(world)
    taken = add(world)
    assert not taken.known
    with world.database.reading() as reader:
        assert customers.holder_of(reader, ("email", "ann@bell.example")) is None
    case = decide(world, taken.case_id)
    with world.database.reading() as reader:
        row = sales.read_lead(reader, case.subject_id)
        assert customers.holder_of(reader, ("email", "ann@bell.example")) == taken.customer_id == row.customer_id
        assert reader.execute(select(t.record_change.c.lead_id)).scalar() == row.id
    assert row.fields["job_title"] == "Head of Sales"
    assert row.value_minor == 1_200_000
    assert any(lead_case for lead_case in [case.facts["new_leads"]] if lead_case[0]["company"] == "Bell Optics Ltd")


def test_a_rejected_note_changes_nothing(world: World) -> None:
    """The record stays; the case ends as that."""
    grant(world)
    customer = known(world)
    before = record(world, customer)
    assert decide(world, add(world).case_id, Verb.REJECT).end == "left_as_it_was"
    assert record(world, customer) == before


def test_the_reviewer_may_change_and_leave_out(world: World) -> None:
    """What was edited is what is written; an emptied field stays as it was."""
    grant(world)
    customer = known(world)
    answer = {"company": "Bell Optics Limited", "next_step": "Send a quote"}
    decide(world, add(world).case_id, Verb.EDIT, answer)
    after = record(world, customer)
    assert after["company"] == "Bell Optics Limited"
    assert "job_title" not in after
    assert any("as the reviewer wrote it" in line for line in lines(world, customer))


def test_without_a_grant_a_person_answers_from_the_text_alone(world: World) -> None:
    """The proposal is withheld in shadow; what the person answers is what is written."""
    customer = known(world)
    taken = add(world)
    with world.database.reading() as reader:
        [ruling] = rulings_of_case(reader, taken.case_id)
    assert ruling.path == "human"
    decide(world, taken.case_id, Verb.ANSWER, {"company": "Bell & Co"})
    assert record(world, customer)["company"] == "Bell & Co"


def test_a_value_of_a_person_is_not_overwritten_unsaid(world: World) -> None:
    """The next note says so in words and goes to a person, even where the machine may decide alone."""
    grant(world)
    customer = known(world)
    decide(world, add(world).case_id)
    grant(world, Level.AUTO)
    taken = add(world, "E-mail: ann@bell.example\nCompany: Other Ltd\n")
    change = changes_of(world, taken.case_id)["company"]
    assert change["protected"]
    assert "a person set" in change["warning"]
    assert record(world, customer)["company"] == "Bell Optics Ltd"
    decide(world, taken.case_id)
    assert record(world, customer)["company"] == "Other Ltd"


def test_the_machine_alone_writes_only_what_nobody_guards(world: World) -> None:
    """Under a grant a plain addition is written without a review, and says that no person decided it."""
    grant(world, Level.AUTO)
    customer = known(world, company="")
    taken = add(world, "E-mail: ann@bell.example\nCompany: Bell Ltd\n")
    assert record(world, customer)["company"] == "Bell Ltd"
    with world.database.reading() as reader:
        change = sales.change_of_note(reader, taken.note_id)
    assert change is not None
    assert change.decided_by == str(SYSTEM)


def test_a_verified_address_stays_and_others_ones_are_not_taken(world: World) -> None:
    """A second address is added beside; one that another customer has is shown and never written."""
    grant(world)
    customer = known(world)
    other = known(world, name="Bo", email="bo@bell.example")
    with world.database.transaction() as uow:
        customers.verify_identity(uow, SYSTEM, customer, "email", "ann@bell.example")
    taken = add(world, "Name: Ann Bell\nE-mail: bo@bell.example\n", customer_id=customer)
    assert changes_of(world, taken.case_id)["email"]["blocked"]
    decide(world, taken.case_id)
    assert record(world, customer)["email"] == ["ann@bell.example"]
    more = add(world, "Name: Ann Bell\nE-mail: ann.bell@bell.example\n", customer_id=customer)
    assert "verified" in changes_of(world, more.case_id)["email"]["warning"]
    decide(world, more.case_id)
    assert record(world, customer)["email"] == ["ann.bell@bell.example", "ann@bell.example"]
    assert record(world, other)["email"] == ["bo@bell.example"]


def test_what_changed_meanwhile_is_left_alone(world: World) -> None:
    """The reviewer approved another old value, so the newer one stays, and the case says so."""
    grant(world)
    customer = known(world)
    taken = add(world)
    with world.database.transaction() as uow:
        customers.change_profile(uow, USER, customer, {"company": "Bell Group"}, source="test")
    case = decide(world, taken.case_id)
    assert record(world, customer)["company"] == "Bell Group"
    assert any("changed meanwhile" in words for words in case.facts["skipped"])


def test_two_values_for_one_thing_are_both_shown(world: World) -> None:
    """And the policy sends it to a person."""
    grant(world, Level.AUTO)
    known(world)
    taken = add(world, "E-mail: ann@bell.example\nCompany: One Ltd\nCompany: Two GmbH\n")
    change = changes_of(world, taken.case_id)["company"]
    assert {change["new"], change["also"][0]["value"]} == {"One Ltd", "Two GmbH"}
    with world.database.reading() as reader:
        assert rulings_of_case(reader, taken.case_id)[0].path == "assist"


def test_a_change_is_taken_back_where_nobody_touched_it_since(world: World) -> None:
    """What stood there returns; what somebody changed afterwards stays; a second time is refused."""
    grant(world)
    customer = known(world)
    taken = add(world)
    decide(world, taken.case_id)
    with world.database.transaction() as uow:
        customers.change_profile(uow, USER, customer, {"name": "Ann B. Bell"}, source="test")
    with world.database.transaction() as uow:
        done = sales.undo_change(uow, USER, taken.note_id, "EUR")
    after = record(world, customer)
    assert done["kept"] == ["name"]
    assert (after["name"], after["company"]) == ("Ann B. Bell", "Bell")
    assert "job_title" not in after
    with pytest.raises(ConflictError, match="before"), world.database.transaction() as uow:
        sales.undo_change(uow, USER, taken.note_id, "EUR")


def test_a_lead_that_was_made_is_not_undone(world: World) -> None:
    """It has ways of its own to end; the refusal names them."""
    grant(world)
    taken = add(world)
    decide(world, taken.case_id)
    with pytest.raises(ConflictError, match="Cancel"), world.database.transaction() as uow:
        sales.undo_change(uow, USER, taken.note_id, "EUR")


def test_the_same_text_is_one_note(world: World) -> None:
    """Pasting it again shows the first."""
    first, second = add(world), add(world)
    assert second.note_id == first.note_id
    assert not second.is_new
    assert world.count(t.note) == 1


def test_a_text_that_says_nothing_is_refused(world: World) -> None:
    """Nothing is stored, and the cure says how to write it."""
    with pytest.raises(InputError, match="Nothing was found"):
        add(world, "Lovely weather today, is it not?")
    assert world.count(t.note) == 0


def test_erasing_the_customer_takes_the_words_away(world: World) -> None:
    """Text, findings, changes and details are gone; the rows that count stay."""
    grant(world)
    customer = known(world)
    decide(world, add(world).case_id)
    with world.database.transaction() as uow:
        customers.erase_customer(uow, USER, customer, reason="asked")
        sales.forget_customer(uow, customer)
    with world.database.reading() as reader:
        kept = [list(reader.execute(select(table))) for table in (t.note, t.record_change, t.customer_detail)]
    assert all(kept)
    assert "Bell" not in str(kept)
    assert "ann@" not in str(kept)
