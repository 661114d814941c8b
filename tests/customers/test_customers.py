"""What is known, flagged and allowed, and its erasure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead import customers
from fairlead.audit import history
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, TimelineNote
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.events import since
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.customers import CustomerFacts
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

USER = Actor(ActorKind.USER, "usr_1")
ADDRESS = "ann@example.org"


@pytest.fixture
def ann(database: Database) -> str:
    """A customer with one e-mail address."""
    with database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        draft = CustomerDraft("Ann Ärger", "ACME", "DE", "de", 5, (("email", ADDRESS),), "form")
        return customers.resolve_many(uow, [draft])[0].id


def _facts(database: Database, one: str) -> CustomerFacts:
    with database.reading() as reader:
        return customers.facts_of(reader, [one], database.clock.now())[one]


def _flag(database: Database, one: str, value: object, expires_at: datetime | None = None) -> None:
    with database.transaction() as uow:
        customers.set_flag(uow, USER, one, "vip", value, source="crm", owner="sales", expires_at=expires_at)


def test_a_flag_counts_until_it_expires(database: Database, clock: FakeClock, ann: str) -> None:
    """The newest flag that has not expired counts, then the one before it, and none once taken back."""
    _flag(database, ann, "silver")
    clock.advance(timedelta(minutes=1))
    _flag(database, ann, {"level": "gold"}, clock.now() + timedelta(hours=1))
    assert _facts(database, ann)["flags"] == {"vip": {"level": "gold"}}
    clock.advance(timedelta(hours=1))
    assert _facts(database, ann)["flags"] == {"vip": "silver"}
    with database.transaction() as uow:
        customers.clear_flag(uow, USER, ann, "vip", source="desk")
    assert _facts(database, ann)["flags"] == {}


@pytest.mark.parametrize(("value", "hours"), [(None, None), (1, 0), (1, -1)])
def test_a_flag_that_says_nothing_is_refused(
    database: Database, clock: FakeClock, ann: str, value: object, hours: int | None
) -> None:
    """No value, or an end that has passed: refused, nothing stored."""
    expires_at = None if hours is None else clock.now() + timedelta(hours=hours)
    with pytest.raises(InputError):
        _flag(database, ann, value, expires_at)
    assert _facts(database, ann)["flags"] == {}


def test_the_newest_word_on_consent_counts(database: Database, clock: FakeClock, ann: str) -> None:
    """Consent is per purpose and channel; a withdrawal stands beside other channels' consent."""
    for channel, state in (("email", "given"), ("sms", "given"), ("email", "withdrawn")):
        with database.transaction() as uow:
            consent = ConsentRecord("marketing", channel, ConsentState(state), "web_form", "site", {"ip": "x"})
            customers.record_consent(uow, USER, ann, consent)
        clock.advance(timedelta(seconds=1))
    assert _facts(database, ann)["consents"] == {"marketing": {"email": "withdrawn", "sms": "given"}}


def test_a_suppression_belongs_to_the_address(database: Database, clock: FakeClock, ann: str) -> None:
    """Suppressed before anybody had the address, seen by whoever gets it, lifted again."""
    with database.transaction() as uow:
        customers.suppress(uow, USER, "sms", "+49301", reason="stop", source="reply")
        customers.add_identity(uow, USER, ann, "phone", "+49301", source="call")
        customers.suppress(uow, USER, "email", ADDRESS, reason="bounce", source="smtp")
    assert _facts(database, ann)["suppressed"] == ["email", "sms"]
    clock.advance(timedelta(seconds=1))
    with database.transaction() as uow:
        customers.lift_suppression(uow, USER, "email", ADDRESS, reason="asked", source="mail")
    assert _facts(database, ann)["suppressed"] == ["sms"]


def test_identities_are_added_once_and_verified(database: Database, ann: str) -> None:
    """Adding twice changes nothing; somebody else's identity and an unknown one are refused."""
    with database.transaction() as uow:
        assert customers.add_identity(uow, USER, ann, "phone", "+1", source="call")
        assert not customers.add_identity(uow, USER, ann, "phone", "+1", source="call")
        customers.verify_identity(uow, USER, ann, "email", ADDRESS)
        other = customers.resolve_many(uow, [CustomerDraft("Bob")])[0].id
        with pytest.raises(ConflictError):
            customers.add_identity(uow, USER, other, "email", ADDRESS, source="call")
        with pytest.raises(NotFoundError):
            customers.verify_identity(uow, USER, other, "email", ADDRESS)
    assert _facts(database, ann)["verified"] == ["email"]


def test_every_verb_is_audited_under_the_customers_key(database: Database, ann: str) -> None:
    """One entry per verb, by the actor, committed with the customer's key."""
    with database.transaction() as uow:
        customers.set_owner(uow, USER, ann, "usr_9")
    with database.transaction() as uow:
        customers.note(uow, USER, TimelineNote(ann, "call", "asked for terms"))
    with database.reading() as reader:
        entries = history(reader, [ann])
    assert [(one.verb, one.actor, one.scope) for one in entries] == [
        ("customer.owner_set", "user:usr_1", ann),
        ("customer.noted", "user:usr_1", ann),
    ]
    assert _facts(database, ann)["owner"] == "usr_9"


def test_the_timeline_is_read_in_pages(database: Database, clock: FakeClock, ann: str) -> None:
    """Newest first; each page starts after the last line of the one before, also within one moment."""
    for n in range(4):
        with database.transaction() as uow:
            notes = [TimelineNote(ann, "note", f"{n}.{m}") for m in range(3)]
            customers.note_many(uow, notes)
            uow.record(AuditEntry("case.moved", "case_1"))
        clock.advance(timedelta(seconds=1))
    words: list[str] = []
    before = None
    with database.reading() as reader:
        while page := customers.timeline_of(reader, ann, 5, before=before):
            words += [line.words for line in page]
            before = (page[-1].at, page[-1].id)
    assert words == [f"{n}.{m}" for n in (3, 2, 1, 0) for m in (2, 1, 0)]


def test_an_erased_customer_is_gone(database: Database, ann: str) -> None:
    """Nothing personal is left but the suppression by address; others are told; nothing new is taken."""
    _flag(database, ann, 1)
    with database.transaction() as uow:
        customers.note(uow, USER, TimelineNote(ann, "call", "secret words"))
        customers.suppress(uow, USER, "email", ADDRESS, reason="stop", source="reply")
        consent = ConsentRecord("marketing", "email", ConsentState.WITHDRAWN, "reply", "mail", {"text": "secret"})
        customers.record_consent(uow, USER, ann, consent)
    start = database.clock.now()
    with database.transaction() as uow:
        customers.erase_customer(uow, USER, ann, reason="asked")
    with database.reading() as reader:
        page = customers.profile(reader, ann, start)
        assert (page.name, page.company, page.identities, page.erased_at) == ("", "", (), start)
        assert page.facts["flags"] == {}
        assert page.facts["erased"]
        assert page.facts["consents"] == {"marketing": {"email": "withdrawn"}}
        assert [line.words for line in customers.timeline_of(reader, ann)] == [""]
        assert customers.search(reader, "ann") == []
        assert since(reader, "customer.erased", ann, start) is not None
        assert not any("secret" in (one.body or "") or ADDRESS in (one.body or "") for one in history(reader, [ann]))
    with pytest.raises(ConflictError), database.transaction() as uow:
        customers.set_owner(uow, USER, ann, "usr_9")
    with database.transaction() as uow:
        again = customers.resolve_many(uow, [CustomerDraft("Ann", identities=(("email", ADDRESS),))])[0]
        uow.record(AuditEntry("case.opened", "case_2"))
    assert again.is_new
    assert _facts(database, again.id)["suppressed"] == ["email"]


def test_unknown_customers_are_not_found(database: Database) -> None:
    """Every verb and page says so instead of writing rows that belong to nobody."""
    with pytest.raises(NotFoundError), database.reading() as reader:
        customers.profile(reader, "cus_0", database.clock.now())
    with pytest.raises(NotFoundError), database.transaction() as uow:
        customers.erase_customer(uow, USER, "cus_0", reason="asked")
    with pytest.raises(NotFoundError):
        _flag(database, "cus_0", 1)
