"""The gate in a database: what it reads, what it writes, and what becomes of a place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.audit import history
from fairlead.customers import (
    Preference,
    erase_customer,
    learn_zone,
    merge,
    set_preference,
)
from fairlead.errors import FaultError, InputError, NotFoundError
from fairlead.guardrails import (
    Attempt,
    contact_log,
    deployed_rules,
    expire_reservations,
    forget_contacts,
    parse_rules,
    precedence,
    settle_contacts,
    stale_reservations,
    would_pass,
)
from tests.guardrails.desk import DOUBLE, RULES, USER

if TYPE_CHECKING:
    from fairlead.testing.clock import FakeClock
    from tests.guardrails.desk import Desk

DAY = timedelta(days=1)
HOLDOUT = RULES + "holdout: {share: 0.5}\n"


def test_a_message_takes_a_place_and_the_next_waits(desk: Desk) -> None:
    """The first of two messages goes out, the second is held until the first is seven days old; both are logged."""
    anna = desk.customer("anna@example.test")
    first, second = desk.ask("a", anna, tags=("offer",)), desk.ask("b", anna)
    assert (first.verdict, first.code) == ("allowed", "allowed")
    assert first.reservation
    assert (second.verdict, second.code, second.reservation) == ("held", "cap", None)
    assert second.allowed_at == desk.database.clock.now() + 7 * DAY
    with desk.database.reading() as reader:
        newest, oldest = contact_log(reader, customer_id=anna)
        assert (oldest.key, oldest.verdict, oldest.state) == ("a", "allowed", "reserved")
        assert (newest.key, newest.code, newest.state) == ("b", "cap", None)
        assert [one.key for one in contact_log(reader, {"verdict": "held"})] == ["b"]
        assert [entry.verb for entry in history(reader, ["a"])] == ["contact.allowed"]
        assert [entry.verb for entry in history(reader, ["b"])] == ["contact.held"]


def test_what_was_not_sent_gives_its_place_back(desk: Desk) -> None:
    """A failed send refunds its place; an accepted one and one of unknown fate do not, nor does a later doubt."""
    anna = desk.customer("anna@example.test")
    desk.ask("a", anna)
    desk.settle("a", "not_sent")
    assert desk.ask("b", anna).verdict == "allowed"
    desk.settle("b", "unknown")
    desk.settle("b", "not_sent")
    assert desk.ask("c", anna).code == "cap"
    desk.settle("b", "accepted")
    desk.settle("b", "not_sent")
    assert desk.ask("c", anna).code == "cap"


def test_many_are_settled_at_once(desk: Desk) -> None:
    """Each by its own outcome and with its own audit entry; a key that never had a place is named, and stops nobody."""
    anna, bert = desk.customer("anna@example.test"), desk.customer("bert@example.test")
    desk.ask("a", anna)
    desk.ask("b", bert)
    with desk.database.transaction() as uow:
        told = settle_contacts(uow, {"b": "not_sent", "nobody's": "accepted", "a": "accepted"})
    assert told == ["nobody's"]
    with desk.database.reading() as reader:
        assert [one.state for one in contact_log(reader)] == ["released", "accepted"]
        assert {e.subject: e.verb for e in history(reader, ["a", "b"])} == dict.fromkeys("ab", "contact.settled")
    assert desk.ask("b2", bert).verdict == "allowed"
    with pytest.raises(InputError, match="no outcome"), desk.database.transaction() as uow:
        settle_contacts(uow, {"a": "perhaps"})


def test_the_same_key_keeps_its_place(desk: Desk) -> None:
    """A retry is judged anew and does not count against itself; what was accepted is not sent again."""
    anna = desk.customer("anna@example.test")
    first = desk.ask("a", anna)
    again = desk.ask("a", anna)
    assert (again.verdict, again.reservation) == ("allowed", first.reservation)
    desk.settle("a", "accepted")
    done = desk.ask("a", anna)
    assert (done.verdict, done.code) == ("refused", "already_sent")


def test_an_opt_out_before_a_retry_wins(desk: Desk) -> None:
    """A message that had its place is refused after an opt-out; its place is free once it is known not to be sent."""
    anna = desk.customer("anna@example.test")
    desk.ask("a", anna)
    desk.settle("a", "not_sent")
    desk.opt_out(anna)
    answer = desk.ask("a", anna)
    assert (answer.verdict, answer.code, answer.reservation) == ("refused", "suppressed", None)
    with desk.database.reading() as reader:
        assert [one.state for one in contact_log(reader, {"key": "a", "verdict": "allowed"})] == ["released"]


def test_a_place_is_not_given_back_by_a_refusal(desk: Desk) -> None:
    """A sender died and nobody knows whether it had sent: the refusal of its heir keeps the place."""
    anna = desk.customer("anna@example.test")
    desk.ask("a", anna)
    desk.suppress("anna@example.test", "promotional")
    assert desk.ask("a", anna).code == "suppressed"
    desk.settle("a", "not_sent")
    with desk.database.reading() as reader:
        assert [one.state for one in contact_log(reader, {"key": "a", "verdict": "allowed"})] == ["unknown"]


def test_an_unknown_fate_keeps_its_place_over_retries(desk: Desk) -> None:
    """Neither a retry nor a later refusal gives back the place of a message that may have been sent."""
    anna = desk.customer("anna@example.test")
    desk.ask("a", anna)
    desk.settle("a", "unknown")
    assert desk.ask("a", anna).verdict == "allowed"
    desk.settle("a", "not_sent")
    assert desk.ask("b", anna).code == "cap"


def test_stale_places_are_freed_only_where_nothing_was_sent(desk: Desk, clock: FakeClock) -> None:
    """Of two places nobody settled, the one whose delivery never began is given back, the other is kept."""
    anna, bert = desk.customer("anna@example.test"), desk.customer("bert@example.test")
    desk.ask("a", anna)
    desk.ask("b", bert)
    clock.advance(timedelta(hours=1))
    with desk.database.transaction() as uow:
        stale = stale_reservations(uow, clock.now())
        assert stale == ["a", "b"]
        assert expire_reservations(uow, stale, {"b"}) == 1
    assert desk.ask("c", anna).code == "cap"
    assert desk.ask("d", bert).verdict == "allowed"


@pytest.mark.parametrize("state", ["given", "withdrawn", "expired", "double"])
def test_consent_is_read_from_the_ledger(light_desk: Desk, clock: FakeClock, state: str) -> None:
    """Given lets it out, withdrawn and expired do not, and `double` asks for a confirmation from the address."""
    anna = light_desk.customer("anna@example.test")
    assert light_desk.ask("0", anna, "news").code == "no_consent"
    if state == "double":
        light_desk.deploy(DOUBLE)
        light_desk.consent(anna, "given")
        assert light_desk.ask("1", anna, "news").code == "consent_pending"
        light_desk.consent(anna, "given", mechanism="double_opt_in")
        assert light_desk.ask("2", anna, "news").verdict == "allowed"
        clock.advance(30 * DAY)
        assert light_desk.ask("3", anna, "news").code == "consent_expired"
    elif state == "expired":
        light_desk.consent(anna, "given", expires_at=clock.now() + DAY)
        clock.advance(DAY)
        assert light_desk.ask("1", anna, "news").code == "consent_expired"
    else:
        light_desk.consent(anna, "given")
        if state == "withdrawn":
            clock.advance(timedelta(minutes=1))
            light_desk.consent(anna, state)
        assert light_desk.ask("1", anna, "news").code == {"given": "allowed", "withdrawn": "withdrawn"}[state]


def test_suppressions_have_a_scope(light_desk: Desk) -> None:
    """An unsubscribed address still gets what is about a request; a dead one gets nothing."""
    anna = light_desk.customer("anna@example.test")
    light_desk.suppress("anna@example.test", "promotional")
    assert light_desk.ask("a", anna).code == "suppressed"
    assert light_desk.ask("b", anna, "service").verdict == "allowed"
    light_desk.suppress("ANNA@Example.test")
    assert light_desk.ask("c", anna, "service").code == "suppressed"


def test_only_the_customers_own_addresses_are_written_to(light_desk: Desk) -> None:
    """An address of somebody else or of nobody is refused; none at all takes the customer's first."""
    anna = light_desk.customer("anna@example.test")
    light_desk.customer("bert@example.test")
    assert light_desk.ask("a", anna, address="bert@example.test").code == "address_of_another"
    assert light_desk.ask("b", anna, address="nobody@example.test").code == "address_of_another"
    assert light_desk.ask("c", anna, channel="sms").code == "no_address"
    assert light_desk.ask("d", anna, address="Anna@EXAMPLE.test").verdict == "allowed"


def test_an_address_without_a_name_finds_its_customer(light_desk: Desk) -> None:
    """A bare address is its holder's: their consents and caps count; that of nobody has caps of its own."""
    anna = light_desk.customer("anna@example.test")
    assert light_desk.ask("a", None, address="anna@example.test").verdict == "allowed"
    assert light_desk.ask("b", anna).code == "cap"
    assert light_desk.ask("c", None, address="new@example.test").verdict == "allowed"
    assert light_desk.ask("d", None, address="New@Example.test").code == "cap"
    assert light_desk.ask("e", None, "news", address="other@example.test").code == "no_consent"
    found = light_desk.customer("new@example.test")
    assert light_desk.ask("f", found).code == "cap"


def test_merged_records_share_their_places(desk: Desk) -> None:
    """What was sent to a record counts for who stands for it since a merge, also under the old id."""
    anna, other = desk.customer("anna@example.test"), desk.customer("a.anna@example.test")
    desk.ask("a", other)
    with desk.database.transaction() as uow:
        merge(uow, USER, anna, other, reason="the same person")
    assert desk.ask("b", anna).code == "cap"
    assert desk.ask("c", other).code == "cap"
    assert desk.ask("a", anna).verdict == "allowed"


def test_quiet_hours_take_the_customers_place(light_desk: Desk, clock: FakeClock) -> None:
    """Held in the night of the strongest evidence's zone, at nine in the morning of the workspace's."""
    anna = light_desk.customer("anna@example.test", country="DE")
    assert light_desk.would(anna).verdict == "allowed"
    with light_desk.database.transaction() as uow:
        learn_zone(uow, USER, anna, ["America/Los_Angeles"], "stated", "form")
    answer = light_desk.ask("a", anna)
    assert (answer.code, answer.facts["zones_from"]) == ("quiet_hours", "stated")
    assert answer.allowed_at == datetime(2026, 11, 2, 16, tzinfo=UTC)
    clock.advance(timedelta(hours=7))
    assert light_desk.ask("a", anna).verdict == "allowed"


def test_a_pause_holds_until_it_ends(light_desk: Desk, clock: FakeClock) -> None:
    """A paused customer is held to the end of the pause; messages about a request pass."""
    anna = light_desk.customer("anna@example.test")
    until = clock.now() + 3 * DAY
    with light_desk.database.transaction() as uow:
        set_preference(uow, USER, anna, Preference("*", "*", paused_until=until, source="form"))
    held = light_desk.ask("a", anna)
    assert (held.verdict, held.code, held.allowed_at) == ("held", "paused", until)
    assert light_desk.ask("b", anna, "service").verdict == "allowed"


def test_flags_stop_machines_and_complaints_hold_promotions(light_desk: Desk) -> None:
    """`vulnerable` asks for a person; an open complaint holds promotions and foretells no end."""
    anna, bert = light_desk.customer("anna@example.test"), light_desk.customer("bert@example.test")
    light_desk.flag(anna, "vulnerable")
    light_desk.flag(bert, "complaint_open")
    assert light_desk.ask("a", anna, "service").code == "human_only"
    assert light_desk.ask("b", anna, "service", automatic=False).verdict == "allowed"
    held = light_desk.ask("c", bert)
    assert (held.verdict, held.code, held.allowed_at) == ("held", "complaint_open", None)
    assert held.ask_again_at is not None
    assert light_desk.ask("d", bert, "alerts").verdict == "allowed"


def test_an_erased_customer_is_never_written_to(light_desk: Desk) -> None:
    """Erased: refused, and the log tells nothing of the person once it was told to forget."""
    anna = light_desk.customer("anna@example.test")
    light_desk.ask("a", anna)
    with light_desk.database.transaction() as uow:
        erase_customer(uow, USER, anna, reason="asked for")
        forget_contacts(uow, [anna])
    assert light_desk.ask("b", anna, address="anna@example.test", channel="chat").code == "erased"
    with light_desk.database.reading() as reader:
        logged = contact_log(reader, {"key": "a"})[0]
        assert (logged.words, logged.facts, logged.checks) == ("", {}, ())


def test_the_holdout_never_changes(light_desk: Desk) -> None:
    """About half are held out of promotions for good; a smaller share holds out a part of the same customers."""
    light_desk.deploy(HOLDOUT)
    people = [light_desk.customer(f"p{n}@example.test") for n in range(60)]
    out = {one for one in people if light_desk.would(one).code == "holdout"}
    assert 15 <= len(out) <= 45
    assert {one for one in people if light_desk.would(one, "service").verdict == "allowed"} == set(people)
    light_desk.deploy(HOLDOUT.replace("0.5", "0.2"))
    fewer = {one for one in people if light_desk.would(one).code == "holdout"}
    assert fewer < out
    light_desk.deploy(HOLDOUT)
    assert {one for one in people if light_desk.would(one).code == "holdout"} == out


def test_a_dry_run_writes_nothing(light_desk: Desk, clock: FakeClock) -> None:
    """It says what the gate would, now and at another hour, and takes no place."""
    anna = light_desk.customer("anna@example.test")
    assert light_desk.would(anna).verdict == "allowed"
    assert light_desk.would(anna).verdict == "allowed"
    night = light_desk.would(anna, at=clock.now() + timedelta(hours=14))
    assert (night.code, night.reservation) == ("quiet_hours", None)
    with light_desk.database.reading() as reader:
        assert contact_log(reader) == []
    assert light_desk.ask("a", anna).verdict == "allowed"


def test_a_key_cannot_be_used_for_two_customers(light_desk: Desk) -> None:
    """A key that has a place of one customer is refused for another; an unknown customer is not found."""
    anna, bert = light_desk.customer("anna@example.test"), light_desk.customer("bert@example.test")
    light_desk.ask("a", anna)
    with pytest.raises(InputError, match="another customer"):
        light_desk.ask("a", bert)
    with pytest.raises(NotFoundError):
        light_desk.ask("b", "cus_unknown")
    with pytest.raises(NotFoundError):
        light_desk.settle("never", "accepted")
    with pytest.raises(InputError, match="no outcome"):
        light_desk.settle("a", "delivered")


@pytest.mark.parametrize(
    "wrong", [{"sender": "spammer"}, {"channel": ""}, {"key": ""}, {"address": "a\0@b.test"}, {"tags": ("x",) * 21}]
)
def test_messages_that_cannot_be_stored_are_refused(wrong: dict[str, object]) -> None:
    """Unknown senders, empty names, NUL and too many tags are InputErrors before anything is read."""
    values: dict[str, object] = {
        "key": "k", "customer_id": None, "channel": "email", "address": "", "purpose": "p", "sender": "bot"
    }  # fmt: skip
    with pytest.raises(InputError):
        Attempt(**{**values, **wrong})  # type: ignore[arg-type]


def test_who_goes_first_is_priority_then_value(light_desk: Desk) -> None:
    """Among messages due at one moment: the purpose's priority, then the value; at the gate the first to ask wins."""
    rules = parse_rules(RULES.replace("transactional}", "transactional, priority: 5}"))
    news, small, big = (
        Attempt(key, "c", "email", "", purpose, "sales", value_minor=value)
        for key, purpose, value in (("a", "service", 1), ("b", "sales", 100), ("c", "sales", 9_000))
    )
    assert sorted([small, big, news], key=lambda one: precedence(rules, one)) == [news, big, small]
    anna = light_desk.customer("anna@example.test")
    assert light_desk.ask("small", anna, value_minor=1).verdict == "allowed"
    assert light_desk.ask("big", anna, value_minor=9_000).code == "cap"


def test_rules_come_into_force_by_a_deploy(desk: Desk) -> None:
    """The newest deploy counts, who did it is written down with the text, and None brings the built-in rules back."""
    with desk.database.reading() as reader:
        rules, row = deployed_rules(reader)
        assert (rules.is_default, row.deployed_by) == (False, str(USER))
        told = history(reader, [row.id])[-1]
        assert (told.verb, json.loads(told.body or "{}")["text"]) == ("contact_rules.deployed", RULES)
    assert desk.deploy() is False
    assert desk.deploy(None) is True
    with desk.database.reading() as reader:
        assert deployed_rules(reader)[0].is_default
    anna = desk.customer("anna@example.test")
    assert desk.ask("a", anna, "news").code == "unknown_purpose"


def test_a_bare_reader_must_say_when(light_desk: Desk) -> None:
    """A unit of work has a moment of its own; the dry run on a unit of work takes it."""
    anna = light_desk.customer("anna@example.test")
    with light_desk.database.transaction() as uow:
        assert would_pass(uow, Attempt("k", anna, "email", "", "sales", "bot")).verdict == "allowed"
    with light_desk.database.reading() as reader, pytest.raises(FaultError):
        would_pass(reader, Attempt("k", anna, "email", "", "sales", "bot"))
