"""The ledger of consents: which word counts, when it ends, how it is asked and confirmed, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import customers
from fairlead.audit import history
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, standing_for
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.events import since
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.customers import Standing
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

USER = Actor(ActorKind.USER, "per_1")
SECRET = b"a secret of thirty-two characters"
NEWS = ("newsletter", "email")


def somebody(database: Database, *identities: tuple[str, str], name: str = "Ann") -> str:
    """A customer with these identities."""
    with database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        return customers.resolve_many(uow, [CustomerDraft(name, identities=identities)])[0].id


def say(database: Database, clock: FakeClock, one: str, state: str, key: tuple[str, str] = NEWS, **more: Any) -> str:
    """Say something about a consent, then let a minute pass."""
    with database.transaction() as uow:
        record = ConsentRecord(*key, ConsentState(state), "web_form", "site", {"ip": "192.0.2.1"}, **more)
        row = customers.record_consent(uow, USER, one, record)
    clock.advance(timedelta(minutes=1))
    return row


def standing(database: Database, one: str, key: tuple[str, str] = NEWS) -> Standing | None:
    """What counts now."""
    with database.reading() as reader:
        return standing_for(customers.consents_of(reader, [one], database.clock.now())[one], *key)


def state(database: Database, one: str, key: tuple[str, str] = NEWS) -> str | None:
    """The state that counts now, None for never asked."""
    found = standing(database, one, key)
    return found.state if found else None


def test_a_consent_ends(database: Database, clock: FakeClock) -> None:
    """Given until its end, expired from that very moment on; policies see it, too."""
    one = somebody(database)
    say(database, clock, one, "given", expires_at=clock.now() + timedelta(hours=1))
    assert state(database, one) == "given"
    clock.advance(timedelta(minutes=59))
    assert state(database, one) == "expired"
    with database.reading() as reader:
        assert customers.facts_of(reader, [one], clock.now())[one]["consents"] == {"newsletter": {"email": "expired"}}
    say(database, clock, one, "given")
    assert state(database, one) == "given"


def test_stop_all_covers_what_was_given_and_what_never_was(database: Database, clock: FakeClock) -> None:
    """A withdrawal of `*` counts for every purpose and channel until something newer is given."""
    one = somebody(database)
    say(database, clock, one, "given")
    say(database, clock, one, "withdrawn", ("*", "sms"))
    assert (state(database, one), state(database, one, ("newsletter", "sms"))) == ("given", "withdrawn")
    say(database, clock, one, "withdrawn", ("*", "*"))
    assert state(database, one) == "withdrawn"
    assert state(database, one, ("never", "asked")) == "withdrawn"
    say(database, clock, one, "given")
    assert state(database, one) == "given"
    assert state(database, one, ("newsletter", "sms")) == "withdrawn"


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "*"}, {"channel": "*"}, {"purpose": ""}, {"mechanism": " "}, {"source": "x" * 600},
        {"proof": {"p": "x" * 20_000}}, {"notice": "ntc_none"}, {"state": ConsentState.PENDING},
    ],
)  # fmt: skip
def test_what_is_no_consent_is_refused(database: Database, clock: FakeClock, wrong: dict[str, Any]) -> None:
    """A consent to everything, without words, with an endless proof, under no notice: nothing is stored."""
    one = somebody(database)
    values = {
        "purpose": "newsletter",
        "channel": "email",
        "state": ConsentState.GIVEN,
        "mechanism": "form",
        "source": "s",
    }
    with pytest.raises((InputError, NotFoundError)), database.transaction() as uow:
        customers.record_consent(uow, USER, one, ConsentRecord(**{**values, **wrong}))
    late = ConsentRecord(**values, at=clock.now() + timedelta(seconds=1))
    with pytest.raises(InputError), database.transaction() as uow:
        customers.record_consent(uow, USER, one, late)
    with pytest.raises(InputError), database.transaction() as uow:
        customers.record_consent(uow, USER, one, ConsentRecord(**values, expires_at=clock.now()))
    with database.reading() as reader:
        assert customers.consent_history(reader, one) == []


def test_an_older_word_never_overrules_a_newer_one(database: Database, clock: FakeClock) -> None:
    """Dated back it is kept, and neither counts nor is told to anybody."""
    one = somebody(database)
    say(database, clock, one, "withdrawn")
    before = clock.now() - timedelta(days=900)
    say(database, clock, one, "given", at=before)
    assert state(database, one) == "withdrawn"
    with database.reading() as reader:
        assert [row.state for row in customers.consent_history(reader, one)] == ["given", "withdrawn"]
        assert since(reader, "opted_in", one, before) is None
        assert since(reader, "opted_out", one, before) is not None


def test_a_word_and_its_event_stand_or_fall_together(database: Database, clock: FakeClock) -> None:
    """Withdrawing publishes opted_out and giving opted_in in the same transaction, under every id of the customer."""
    one, other = somebody(database), somebody(database, name="Anna")
    with database.transaction() as uow:
        customers.merge(uow, USER, one, other, reason="same person")
    mark = clock.now()
    row = say(database, clock, other, "given")
    say(database, clock, one, "withdrawn")
    with database.reading() as reader:
        for who in (one, other):
            given, withdrawn = since(reader, "opted_in", who, mark), since(reader, "opted_out", who, mark)
            assert given is not None
            assert withdrawn is not None
            assert given.payload == {"purpose": "newsletter", "channel": "email", "consent": row}


def test_a_notice_that_changed_makes_consents_outdated(database: Database, clock: FakeClock) -> None:
    """The row keeps the version that was shown; line ends are no change; the old text again is the old notice."""
    one = somebody(database)
    with database.transaction() as uow:
        first = customers.publish_notice(uow, USER, "news", "en", "I want\nnews.")
        assert customers.publish_notice(uow, USER, "news", "en", "I want\r\nnews.\n") == first
        german = customers.publish_notice(uow, USER, "news", "de", "Ich will Post.")
    assert (first.version, german.version) == (1, 1)
    say(database, clock, one, "given", notice=first.id)
    found = standing(database, one)
    assert found is not None
    assert (found.notice, found.outdated) == (first, False)
    with database.transaction() as uow:
        second = customers.publish_notice(uow, USER, "news", "en", "I want news and offers.")
    assert second.version == 2
    assert (standing(database, one) or found).outdated
    with database.transaction() as uow:
        assert customers.publish_notice(uow, USER, "news", "en", "I want\nnews.").version == 3
    assert not (standing(database, one) or found).outdated
    with database.reading() as reader:
        assert customers.notice_text(reader, first.id) == "I want\nnews."
        with pytest.raises(NotFoundError):
            customers.notice_of(reader, "ntc_none")


def ask(database: Database, one: str, expires_at: datetime | None = None) -> str:
    """The token of a double opt-in."""
    with database.transaction() as uow:
        record = ConsentRecord(
            *NEWS, ConsentState.GIVEN, "web_form", "site", {"ip": "192.0.2.1"}, expires_at=expires_at
        )  # fmt: skip
        return customers.ask_consent(uow, SYSTEM, one, record, SECRET)


def test_a_question_allows_nothing_until_its_link_is_pressed(database: Database, clock: FakeClock) -> None:
    """Pending, then given with both moments as proof; pressing twice leaves one consent."""
    one = somebody(database)
    token = ask(database, one)
    assert state(database, one) == "pending"
    clock.advance(timedelta(hours=1))
    for _ in range(2):
        with database.transaction() as uow:
            uow.record(AuditEntry("test.pressed", one))
            assert customers.confirm_consent(uow, SECRET, token).state == "given"
        clock.advance(timedelta(minutes=1))
    with database.reading() as reader:
        rows = customers.consent_history(reader, one)
    assert [row.state for row in rows] == ["given", "pending"]
    assert rows[0].actor == f"customer:{one}"
    assert rows[0].proof["asked"] == rows[1].id
    assert rows[0].proof["ip"] == "192.0.2.1"


def test_a_question_takes_nothing_back(database: Database, clock: FakeClock) -> None:
    """Whoever types somebody's address into a form cannot end what they allowed."""
    one = somebody(database)
    say(database, clock, one, "given")
    ask(database, one)
    assert state(database, one) == "given"


def test_an_old_mail_does_not_bring_a_consent_back(database: Database, clock: FakeClock) -> None:
    """Withdrawn after the question: 409. Too old, forged, for something else: refused, without saying which."""
    one = somebody(database)
    token = ask(database, one)
    clock.advance(timedelta(minutes=1))
    say(database, clock, one, "withdrawn", ("*", "*"))
    with pytest.raises(ConflictError) as refused, database.transaction() as uow:
        customers.confirm_consent(uow, SECRET, token)
    assert refused.value.reason == "withdrawn_since"
    again = ask(database, one)
    clock.advance(customers.CONFIRM_WITHIN)
    for wrong in (again, again[:-2], again + "A", "", ".", "x.y", again.replace(".", "")):
        with pytest.raises(InputError) as none, database.transaction() as uow:
            customers.confirm_consent(uow, SECRET, wrong)
        assert none.value.reason == "link"
    assert state(database, one) == "pending"


def test_withdrawing_everything_reaches_every_address(database: Database, clock: FakeClock) -> None:
    """Each address takes no promotions any more, those of merged records too; other messages may go."""
    one = somebody(database, ("email", "ann@example.org"), ("phone", "+4930901820"))
    other = somebody(database, ("email", "anna@example.org"))
    with database.transaction() as uow:
        customers.merge(uow, USER, one, other, reason="same person")
    with database.transaction() as uow:
        customers.withdraw_all(uow, USER, other, source="call", mechanism="told_staff")
    reaches = [
        ("email", "ann@example.org"),
        ("email", "Anna@EXAMPLE.org"),
        ("sms", "+49 30 901820"),
        ("phone", "+4930901820"),
    ]
    with database.reading() as reader:
        found = customers.suppressions_of(reader, [*reaches, ("email", "bob@example.org")])
        facts = customers.facts_of(reader, [one], clock.now())[one]
    assert {reach: one.scope for reach, one in found.items()} == dict.fromkeys(reaches, "promotional")
    assert (facts["suppressed"], facts["unsubscribed"]) == ([], ["email", "phone", "sms"])
    assert state(database, one) == "withdrawn"


def test_the_strictest_consent_of_merged_records_counts(database: Database, clock: FakeClock) -> None:
    """A withdrawal of either record, even of everything, until something newer is given; undone, each has its own."""
    one, other = somebody(database), somebody(database, name="Anna")
    say(database, clock, other, "withdrawn", ("*", "*"))
    say(database, clock, one, "given")
    with database.transaction() as uow:
        merged = customers.merge(uow, USER, one, other, reason="same person")
    clock.advance(timedelta(minutes=1))
    assert (state(database, one), state(database, other)) == ("withdrawn", "withdrawn")
    with database.transaction() as uow:
        customers.unmerge(uow, USER, merged)
    assert (state(database, one), state(database, other)) == ("given", "withdrawn")
    with database.transaction() as uow:
        merged = customers.merge(uow, USER, one, other, reason="same person after all")
    clock.advance(timedelta(minutes=1))
    say(database, clock, one, "given")
    assert state(database, other) == "given"
    say(database, clock, one, "withdrawn", ("*", "*"))
    with database.transaction() as uow:
        done = customers.unmerge(uow, USER, merged)
    assert (state(database, one), state(database, other)) == ("withdrawn", "withdrawn")
    assert done.carried == ()


def test_what_was_withdrawn_while_merged_is_withdrawn_for_both(database: Database, clock: FakeClock) -> None:
    """Also what the other record never said anything about: a purpose may need no consent."""
    one, other = somebody(database), somebody(database, name="Anna")
    with database.transaction() as uow:
        merged = customers.merge(uow, USER, one, other, reason="same person")
    clock.advance(timedelta(minutes=1))
    say(database, clock, one, "withdrawn", ("*", "*"))
    with database.transaction() as uow:
        done = customers.unmerge(uow, USER, merged)
    assert done.carried == (("*", "*"),)
    assert state(database, other) == "withdrawn"


def test_every_word_is_audited_and_its_proof_erased(database: Database, clock: FakeClock) -> None:
    """One entry per word under the customer's key; erased, the ledger keeps that something was said, not the proof."""
    one = somebody(database)
    say(database, clock, one, "given")
    with database.transaction() as uow:
        customers.learn_zone(uow, USER, one, ["Asia/Tokyo"], "stated", "call")
        customers.set_preference(uow, USER, one, customers.Preference(*NEWS, 2, None, "page"))
    with database.reading() as reader:
        verbs = {entry.verb for entry in history(reader, [one], 50)}
    assert {"customer.consent_recorded", "customer.zone_learnt", "customer.preference_set"} <= verbs
    with database.transaction() as uow:
        customers.erase_customer(uow, USER, one, reason="asked")
    with database.reading() as reader:
        [row] = customers.consent_history(reader, one)
        assert row.proof == {}
        assert customers.zones_of(reader, [one], clock.now())[one].zones == ()
        assert customers.preferences_of(reader, [one], clock.now())[one] == {}
    with pytest.raises(ConflictError):
        say(database, clock, one, "given")


def test_a_privacy_signal_is_kept_with_its_proof_once(database: Database, clock: FakeClock) -> None:
    """Only `1` is the signal; it withdraws sharing and leaves the newsletter alone."""
    one = somebody(database)
    say(database, clock, one, "given")
    assert [customers.asks_privacy(text) for text in (None, "", "0", "1", " 1 ", "true")] == [
        False, False, False, True, True, False,
    ]  # fmt: skip
    with database.transaction() as uow:
        assert customers.record_privacy_signal(uow, USER, one, source="form", where="/forms/contact")
        assert not customers.record_privacy_signal(uow, USER, one, source="form", where="/forms/contact")
    with database.reading() as reader:
        row = customers.consent_history(reader, one)[0]
    assert (row.purpose, row.channel, row.state, row.mechanism) == ("sharing", "*", "withdrawn", "gpc")
    assert row.proof == {"header": "Sec-GPC: 1", "where": "/forms/contact"}
    assert state(database, one) == "given"
