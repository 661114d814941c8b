"""One-time codes: who gets one, what is kept of it, and what a check allows."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import text

from fairlead import rights
from fairlead.audit import history
from fairlead.customers import (
    CheckLevel,
    add_identity,
    checks_of,
    drop_identity,
    merge,
    profile,
    timeline_of,
    unmerge,
)
from fairlead.errors import ConflictError, InputError, NotFoundError, TooManyRequestsError
from fairlead.identity import Outcome, ask_code, open_code
from fairlead.identity.model import NEW_FOR, is_known, plain_code
from fairlead.kit.columns import metadata
from fairlead.kit.sealing import seal, unseal
from tests.identity.conftest import ADA, BOT, SECRET, USER

if TYPE_CHECKING:
    from fairlead.identity import Tried
    from fairlead.testing.clock import FakeClock
    from tests.identity.conftest import CheckDesk

MINUTE = timedelta(minutes=1)


def rows(desk: CheckDesk, query: str) -> list[tuple[object, ...]]:
    """What a query finds, past the product."""
    with desk.database.raw() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def everything(desk: CheckDesk) -> str:
    """Every value of every table, as one text."""
    return "\n".join(str(row) for one in metadata.tables for row in rows(desk, f'SELECT * FROM "{one}"'))


def stands_in(code: str, stored: str) -> bool:
    """Whether the digits stand there by themselves; within ids and moments they mean nothing."""
    return re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", stored) is not None


def test_a_code_that_is_read_out_checks_the_customer(desk: CheckDesk, clock: FakeClock) -> None:
    """The address is verified, account facts may be spoken of for 30 minutes, and all of it is on record."""
    ada = desk.customer(ADA)
    assert desk.checked(ada) is None
    asked = desk.ask(ada)
    assert asked.expires_at == clock.now() + 10 * MINUTE
    code = desk.code()
    tried = desk.name(ada, f" {code[:3]}-{code[3:]} ")
    assert (tried.outcome, tried.tries_left) == (Outcome.CONFIRMED, None)
    found = desk.checked(ada)
    assert found == tried.checked
    assert found is not None
    assert (found.level, found.until, found.by) == (CheckLevel.KNOWN, clock.now() + 30 * MINUTE, str(USER))
    with desk.database.reading() as reader:
        assert profile(reader, ada, clock.now()).facts["verified"] == ["email"]
        verbs = [entry.verb for entry in history(reader, [ada])]
        assert {"identity.code_asked", "identity.checked", "customer.identity_verified"} <= set(verbs)
        assert timeline_of(reader, ada)[0].words == "Identity checked by a code on e-mail."
    clock.advance(30 * MINUTE)
    assert desk.checked(ada) is None


def test_the_code_is_nowhere_in_the_database(desk: CheckDesk) -> None:
    """Neither the digits nor anything but a sealed field is stored, before it is used and after."""
    ada = desk.customer(ADA)
    desk.ask(ada)
    code = desk.code()
    assert stands_in("10", everything(desk))
    assert not stands_in(code, everything(desk))
    [message] = desk.messages()
    assert "[[code]]" in message.body["text"]
    assert (message.body["purpose"], message.body["to"], message.serial_key) == ("service", ADA, None)
    desk.name(ada, code)
    assert not stands_in(code, everything(desk))


@pytest.mark.parametrize("actor", [USER, BOT])
def test_an_unknown_address_is_answered_as_a_known_one(desk: CheckDesk, actor: object) -> None:
    """The same answer and the same row, but nothing is sent, and no code is right."""
    ada = desk.customer(ADA)
    known = desk.ask(ada, actor=actor)  # type: ignore[arg-type]
    desk.customer("somebody@else.example")
    for address in ("nobody@nordwind.example", "somebody@else.example"):
        assert desk.ask(ada, address) == known
    assert len(desk.messages()) == 1
    assert desk.name(ada, desk.code()).outcome is Outcome.WRONG
    assert rows(desk, "SELECT length(digest), tries FROM identity_code WHERE state = 'open'") == [(64, 1)]


def test_five_wrong_codes_are_the_end(desk: CheckDesk) -> None:
    """The sixth try is too late, though it is right; nothing tells it from a code that never was."""
    ada = desk.customer(ADA)
    desk.ask(ada)
    assert [desk.name(ada, desk.wrong()).tries_left for _ in range(5)] == [4, 3, 2, 1, 0]
    assert desk.name(ada, desk.code()).outcome is Outcome.OVER
    assert desk.checked(ada) is None
    assert desk.name(desk.customer("b@nordwind.example"), "123456") == desk.name(ada, desk.code())


def test_a_code_is_good_once_and_for_ten_minutes(desk: CheckDesk, clock: FakeClock) -> None:
    """A second use is over, and so is a use at the last moment of its time."""
    ada = desk.customer(ADA)
    desk.ask(ada)
    desk.name(ada, desk.code())
    assert desk.name(ada, desk.code()).outcome is Outcome.OVER
    desk.ask(ada)
    with desk.database.reading() as reader:
        assert open_code(reader, ada, clock.now()) is not None
    clock.advance(10 * MINUTE)
    assert desk.name(ada, desk.code()).outcome is Outcome.OVER
    with desk.database.reading() as reader:
        assert open_code(reader, ada, clock.now()) is None


def test_only_the_newest_code_is_open(desk: CheckDesk) -> None:
    """Asking again makes the code before void, whatever address it went to."""
    ada = desk.customer(ADA, "ada@home.example")
    desk.ask(ada)
    first = desk.code()
    desk.ask(ada, "ada@home.example")
    second = desk.code()
    if first != second:
        assert desk.name(ada, first).outcome is Outcome.WRONG
    assert desk.name(ada, second).outcome is Outcome.CONFIRMED


def test_a_code_is_no_code_of_another_customer(desk: CheckDesk) -> None:
    """It is wrong for them, and still right for whom it was sent to."""
    ada, bob = desk.customer(ADA), desk.customer("bob@nordwind.example")
    desk.ask(bob, "bob@nordwind.example")
    others = desk.code()
    desk.ask(ada)
    mine = desk.code()
    if mine != others:
        assert desk.name(ada, others).outcome is Outcome.WRONG
    assert desk.checked(ada) is None
    assert desk.name(ada, mine).outcome is Outcome.CONFIRMED
    assert desk.checked(bob) is None


def test_three_codes_an_hour_reach_an_address(desk: CheckDesk, clock: FakeClock) -> None:
    """The fourth is refused for known and unknown addresses alike, with the seconds to wait, until an hour is over."""
    ada = desk.customer(ADA)
    for address in (ADA, "nobody@nordwind.example"):
        for _ in range(3):
            desk.ask(ada, address)
        with pytest.raises(TooManyRequestsError) as refused:
            desk.ask(ada, f" {address.upper()}")
        assert refused.value.fields["retry_after_s"] == 3_601
    clock.advance(60 * MINUTE)
    desk.ask(ada)


def test_twelve_codes_a_day_are_enough_for_a_customer(light_desk: CheckDesk) -> None:
    """However many addresses are named."""
    ada = light_desk.customer(ADA)
    for number in range(12):
        light_desk.ask(ada, f"{number}@nordwind.example")
    with pytest.raises(TooManyRequestsError):
        light_desk.ask(ada)


def test_of_two_who_name_the_code_at_once_one_is_first(desk: CheckDesk) -> None:
    """One is confirmed, the other one's code is over; and wrong tries at once are all counted."""
    ada = desk.customer(ADA)
    desk.ask(ada)
    assert sorted(one.outcome for one in at_once(desk, ada, [desk.code()] * 2)) == ["confirmed", "over"]
    desk.ask(ada)
    wrong = at_once(desk, ada, [desk.wrong()] * 6)
    assert sorted(str(one.tries_left) for one in wrong) == ["0", "1", "2", "3", "4", "None"]


def at_once(desk: CheckDesk, customer: str, codes: list[str]) -> list[Tried]:
    """What became of codes that were named side by side."""
    found: list[Tried] = []
    ready = threading.Barrier(len(codes))

    def name(code: str) -> None:
        ready.wait()
        found.append(desk.name(customer, code))

    threads = [threading.Thread(target=name, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_merge_ends_codes_and_checks(desk: CheckDesk, clock: FakeClock) -> None:
    """Records may be merged on likeness: what was asked or shown before counts for neither, also when it is undone."""
    ada, twin = desk.customer(ADA), desk.customer("a.keller@web.example")
    desk.ask(ada)
    desk.name(ada, desk.code())
    desk.ask(twin, "a.keller@web.example")
    clock.advance(MINUTE)
    with desk.database.transaction() as uow:
        merged = merge(uow, USER, ada, twin, reason="alike")
    clock.advance(MINUTE)
    assert desk.checked(ada) is None
    assert desk.name(twin, desk.code()).outcome is Outcome.OVER
    desk.ask(twin, ADA)
    assert desk.name(ada, desk.code()).outcome is Outcome.CONFIRMED
    assert desk.checked(twin) == desk.checked(ada)
    assert desk.checked(ada) is not None
    clock.advance(MINUTE)
    with desk.database.transaction() as uow:
        unmerge(uow, USER, merged)
    clock.advance(MINUTE)
    assert (desk.checked(ada), desk.checked(twin)) == (None, None)


def test_an_address_that_came_by_a_merge_is_new_for_a_week(desk: CheckDesk, clock: FakeClock) -> None:
    """Whoever reads the mail of a record that looked alike is not the customer for that."""
    ada = desk.customer(ADA)
    clock.advance(timedelta(days=400))
    stranger = desk.customer("ada@evil.example")
    clock.advance(timedelta(days=30))
    with desk.database.transaction() as uow:
        merge(uow, USER, ada, stranger, reason="alike")
    clock.advance(MINUTE)
    desk.ask(ada, "ada@evil.example")
    tried = desk.name(ada, desk.code())
    assert tried.checked is not None
    assert tried.checked.level is CheckLevel.NEW
    assert desk.checked(ada) is None
    clock.advance(NEW_FOR)
    desk.ask(ada, "ada@evil.example")
    desk.name(ada, desk.code())
    assert desk.checked(ada) is not None


def test_a_new_address_vouches_for_itself_alone(desk: CheckDesk, clock: FakeClock) -> None:
    """A caller who first changes the address and then reads a code from it learns nothing, also not by a second one."""
    ada = desk.customer(ADA)
    clock.advance(timedelta(days=2))
    with desk.database.transaction() as uow:
        add_identity(uow, USER, ada, "email", "new@evil.example", source="call")
    for _ in range(2):
        desk.ask(ada, "new@evil.example")
        tried = desk.name(ada, desk.code())
        assert tried.checked is not None
        assert tried.checked.level is CheckLevel.NEW
        assert desk.checked(ada) is None
    with desk.database.reading() as reader:
        assert [one.level for one in checks_of(reader, ada, clock.now())] == [CheckLevel.NEW] * 2


def test_a_code_to_an_address_that_was_taken_back_is_wrong(desk: CheckDesk) -> None:
    """Also when somebody else has the address now."""
    ada, bob = desk.customer(ADA, "old@nordwind.example"), desk.customer("bob@nordwind.example")
    desk.ask(ada, "old@nordwind.example")
    with desk.database.transaction() as uow:
        drop_identity(uow, USER, ada, "email", "old@nordwind.example")
        add_identity(uow, USER, bob, "email", "old@nordwind.example", source="test")
    assert desk.name(ada, desk.code()).outcome is Outcome.WRONG
    assert desk.name(bob, desk.code()).outcome is Outcome.OVER


def test_nothing_is_asked_of_nobody(light_desk: CheckDesk) -> None:
    """Unknown and erased customers, and channels without codes, are refused; erasing leaves no row."""
    ada = light_desk.customer(ADA)
    with pytest.raises(NotFoundError):
        light_desk.ask("cus_000000000000000000000000")
    with pytest.raises(InputError) as refused, light_desk.database.transaction() as uow:
        ask_code(uow, USER, ada, "sms", "+493020000000", SECRET)
    assert refused.value.reason == "code_channel"
    light_desk.ask(ada)
    light_desk.name(ada, light_desk.code())
    with light_desk.database.transaction() as uow:
        rights.erase(uow, USER, ada, reason="asked for")
    assert light_desk.checked(ada) is None
    assert rows(light_desk, "SELECT id FROM identity_code UNION SELECT id FROM identity_check") == []
    with pytest.raises(ConflictError):
        light_desk.ask(ada)


def test_the_message_speaks_the_customers_language(light_desk: CheckDesk) -> None:
    """With the time it is good for; a person's request may reach customers to whom only people write."""
    light_desk.ask(light_desk.customer(ADA, language="de-CH"))
    light_desk.ask(light_desk.customer("b@nordwind.example", language="ja"), "b@nordwind.example", BOT)
    english, german = light_desk.messages()
    assert (german.body["subject"], english.body["subject"]) == ("Ihr Code", "Your code")
    assert "10 Minuten" in german.body["text"]
    assert (german.body["automatic"], english.body["automatic"]) == (False, True)


@given(st.text(max_size=80))
def test_a_sealed_text_opens_only_where_it_belongs(words: str) -> None:
    """With the same secret, for the same thing, unchanged."""
    sealed = seal(SECRET, "one", words)
    assert unseal(SECRET, "one", sealed) == words
    for secret, thing, given_text in (
        (b"t" * 32, "one", sealed), (SECRET, "two", sealed), (SECRET, "one", sealed[:-4] + "AAAA"),
        (SECRET, "one", words),
    ):  # fmt: skip
        with pytest.raises(InputError):
            unseal(secret, thing, given_text)


@given(st.text(alphabet="0123456789 -.\t", max_size=60))
def test_blanks_and_dashes_are_no_part_of_a_code(typed: str) -> None:
    """People read codes out in groups; digits of other scripts are digits."""
    assert plain_code(typed) == "".join(one for one in typed if one.isdigit())
    assert plain_code("\uff11\uff12\uff13 456") == "123456"


@given(st.integers(0, 1_000), st.integers(0, 1_000), st.one_of(st.none(), st.integers(0, 1_000)))
def test_an_address_is_known_when_it_is_old_or_came_with_the_customer(
    added: int, now: int, brought: int | None
) -> None:
    """In hours after the customer's own record; growing older never makes an address less known."""
    base = datetime(2026, 1, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    came = None if brought is None else base + brought * hour
    later = max(now, added, brought or 0)
    known = is_known(base + later * hour, base, base + added * hour, came)
    expected = later - max(added, brought or 0) >= 168 if brought is not None else later - added >= 168 or added <= 24
    assert known == expected
    assert not known or is_known(base + (later + 1) * hour, base, base + added * hour, came)
