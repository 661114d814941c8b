"""One-time links and the sessions they open."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from fairlead.errors import NotSignedInError
from fairlead.kit.actors import SYSTEM
from fairlead.people import (
    consume_sign_in_link,
    issue_sign_in_link,
    resolve_session,
    revoke_sessions,
    sign_out,
    touch_session,
)

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.people import OpenedSession, Person, Session, SignInLink
    from fairlead.testing.clock import FakeClock


FOREIGN = ["", "x", "a" * 43, "a" * 100_000, "\0" * 43, "é" * 43, "' OR 1=1 --", "\ud800" * 43]


def issue(database: Database, person: Person) -> SignInLink:
    """A fresh link."""
    with database.transaction() as uow:
        return issue_sign_in_link(uow, SYSTEM, person.id)


def consume(database: Database, token: str) -> OpenedSession:
    """Use a link."""
    with database.transaction() as uow:
        return consume_sign_in_link(uow, token)


def sign_in(database: Database, person: Person) -> str:
    """The token of a session just opened."""
    return consume(database, issue(database, person).token).token


def live(database: Database, token: str, clock: FakeClock) -> Session | None:
    """The session that the token opens now, if any."""
    with database.reading() as reader:
        return resolve_session(reader, token, clock.now())


def test_a_link_opens_one_session(database: Database, admin: Person, clock: FakeClock) -> None:
    """The link's token becomes a session of that person, once."""
    link = issue(database, admin)
    opened = consume(database, link.token)
    session = live(database, opened.token, clock)
    assert session is not None
    assert session.person == admin
    assert opened.token != link.token
    with pytest.raises(NotSignedInError):
        consume(database, link.token)


def test_one_of_many_wins_a_link(database: Database, admin: Person) -> None:
    """Eight browsers with the same link at the same moment: one gets in, seven are refused."""
    token = issue(database, admin).token
    results: list[bool] = []
    barrier = threading.Barrier(8)

    def attempt() -> None:
        barrier.wait()
        try:
            consume(database, token)
        except NotSignedInError:
            results.append(False)
        else:
            results.append(True)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]


@pytest.mark.parametrize(("minutes", "works"), [(14.99, True), (15, False), (60 * 24, False)])
def test_links_expire(database: Database, admin: Person, clock: FakeClock, minutes: float, works: bool) -> None:
    """A link works for 15 minutes and not a moment longer."""
    token = issue(database, admin).token
    clock.advance(timedelta(minutes=minutes))
    if works:
        consume(database, token)
        return
    with pytest.raises(NotSignedInError):
        consume(database, token)


def test_a_new_link_voids_the_earlier_one(database: Database, admin: Person) -> None:
    """Only the newest link of a person works."""
    first, second = issue(database, admin), issue(database, admin)
    with pytest.raises(NotSignedInError):
        consume(database, first.token)
    consume(database, second.token)


@pytest.mark.parametrize("token", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_tokens_are_refused_alike(database: Database, admin: Person, clock: FakeClock, token: str) -> None:
    """Whatever is wrong with a token, the answer is the same, and it resolves to nobody."""
    used = issue(database, admin).token
    consume(database, used)
    with pytest.raises(NotSignedInError) as foreign:
        consume(database, token)
    with pytest.raises(NotSignedInError) as twice:
        consume(database, used)
    assert foreign.value.as_dict() == twice.value.as_dict()
    assert live(database, token, clock) is None


def test_a_link_is_no_session_and_a_hash_no_token(database: Database, admin: Person, clock: FakeClock) -> None:
    """Neither a link's token nor what a thief reads in the tables opens anything; no token stands there."""
    link = issue(database, admin)
    assert live(database, link.token, clock) is None
    token = consume(database, link.token).token
    with database.raw() as connection:
        rows = [
            str(value)
            for table in ("sign_in_link", "session", "audit_entry", "audit_payload")
            if connection.dialect.has_table(connection, table)
            for row in connection.execute(text(f"SELECT * FROM {table}"))
            for value in row
        ]
    assert not [value for value in rows if token in value or link.token in value]
    hashes = [value for value in rows if len(value) == 64]
    assert len(hashes) >= 2
    assert all(live(database, value, clock) is None for value in hashes)
    assert token not in repr(link) + repr(live(database, token, clock))
    assert link.token not in repr(link)


def test_idle_sessions_end(database: Database, admin: Person, clock: FakeClock) -> None:
    """Twelve hours without a sign of life end a session; each sign of life starts them anew."""
    token = sign_in(database, admin)
    for _ in range(3):
        clock.advance(timedelta(hours=11))
        session = live(database, token, clock)
        assert session is not None
        with database.transaction() as uow:
            touch_session(uow, session)
    clock.advance(timedelta(hours=12))
    assert live(database, token, clock) is None


def test_sessions_have_an_end_however_busy(database: Database, admin: Person, clock: FakeClock) -> None:
    """After seven days one signs in again, even with a request every hour."""
    token = sign_in(database, admin)
    hours = 0
    while (session := live(database, token, clock)) is not None:
        with database.transaction() as uow:
            touch_session(uow, session)
        clock.advance(timedelta(hours=1))
        hours += 1
    assert hours == 7 * 24


def test_signs_of_life_are_written_once_a_minute(database: Database, admin: Person, clock: FakeClock) -> None:
    """Requests within a minute write nothing; a clock that jumps back never moves the mark back."""
    token = sign_in(database, admin)
    start = clock.now()
    later = start + timedelta(seconds=60)
    for seconds, seen in ((59, start), (1, later), (-3600, later)):
        clock.advance(timedelta(seconds=seconds))
        session = live(database, token, clock)
        assert session is not None
        with database.transaction() as uow:
            touch_session(uow, session)
        after = live(database, token, clock)
        assert after is not None
        assert after.seen_at == seen


def test_signing_out_ends_this_session_only(database: Database, admin: Person, clock: FakeClock) -> None:
    """The other browser stays signed in; signing out twice is harmless."""
    here, there = sign_in(database, admin), sign_in(database, admin)
    session = live(database, here, clock)
    assert session is not None
    for _ in range(2):
        with database.transaction() as uow:
            sign_out(uow, session)
    assert live(database, here, clock) is None
    assert live(database, there, clock) is not None


def test_revoking_ends_all_sessions_and_links(database: Database, admin: Person, clock: FakeClock) -> None:
    """After a lost laptop one call signs the person out everywhere."""
    tokens = [sign_in(database, admin) for _ in range(3)]
    link = issue(database, admin)
    with database.transaction() as uow:
        assert revoke_sessions(uow, SYSTEM, admin.id) == 3
    assert [live(database, token, clock) for token in tokens] == [None] * 3
    with pytest.raises(NotSignedInError):
        consume(database, link.token)


def test_ended_sessions_do_not_pile_up(database: Database, admin: Person, clock: FakeClock) -> None:
    """Signing in sweeps away what ended before, so the table stays as small as the company."""
    for _ in range(5):
        sign_in(database, admin)
        clock.advance(timedelta(days=8))
    with database.raw() as connection:
        assert connection.execute(text("SELECT count(*) FROM session")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM sign_in_link")).scalar_one() == 1
