"""Events: published once, due in order, taken back only before they were handled, and kept for later waits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead.audit import Trail
from fairlead.kit.database import Database
from fairlead.kit.events import Event, due, mark_handled, next_due, publish, publish_many, since, withdraw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock


@pytest.fixture
def events(database_url: str, clock: FakeClock) -> Iterator[Database]:
    """A database of each kind, with the schema."""
    opened = Database(database_url, clock=clock, trail=Trail())
    yield opened
    opened.close()


@pytest.fixture
def light_events(sqlite_url: str, clock: FakeClock) -> Iterator[Database]:
    """On SQLite alone."""
    opened = Database(sqlite_url, clock=clock, trail=Trail())
    yield opened
    opened.close()


def _publish(database: Database, *events: Event) -> list[bool]:
    with database.transaction() as uow:
        return [publish(uow, event) for event in events]


def _due(database: Database, limit: int = 100) -> list[Event]:
    with database.transaction() as uow:  # on Postgres it locks what it finds, which a reader may not
        return list(due(uow, uow.now, limit))


def _keys(database: Database, limit: int = 100) -> list[str]:
    return [event.key for event in _due(database, limit)]


def test_an_event_comes_as_it_was_published(events: Database) -> None:
    """Type, key and payload unchanged; without a time of its own it is due at once."""
    _publish(events, Event("decision", "rul_1", {"answer": {"ü": [1, None, "\n"]}}))

    (found,) = _due(events)

    assert (found.type, found.key, found.payload) == ("decision", "rul_1", {"answer": {"ü": [1, None, "\n"]}})
    assert found.due_at == found.at == events.clock.now()
    assert found.id


def test_one_id_is_one_event(events: Database) -> None:
    """Publishing the same id again changes nothing, not even after it was handled; without ids there are two."""
    first = Event("mail", "cus_1", {"n": 1}, id="evt_mine")
    assert _publish(events, first, Event("other", "cus_2", {"n": 2}, id="evt_mine")) == [True, False]
    (found,) = _due(events)
    assert (found.type, found.payload) == ("mail", {"n": 1})
    with events.transaction() as uow:
        mark_handled(uow, [found])

    assert _publish(events, first) == [False]
    assert _keys(events) == []
    assert _publish(events, Event("mail", "cus_1"), Event("mail", "cus_1")) == [True, True]
    assert len(_due(events)) == 2


def test_events_become_due_in_order(events: Database, clock: FakeClock) -> None:
    """Oldest due time first whatever the order of publishing, at their moment and not before."""
    start = clock.now()
    with events.transaction() as uow:
        publish_many(uow, (Event("t", f"k{n}", due_at=start + timedelta(minutes=n)) for n in (3, 0, 2, 1)))
    assert _keys(events) == ["k0"]

    clock.advance(timedelta(minutes=1) - timedelta(microseconds=1))
    assert _keys(events) == ["k0"]
    clock.advance(timedelta(microseconds=1))
    assert _keys(events) == ["k0", "k1"]
    clock.advance(timedelta(days=1))
    assert _keys(events) == ["k0", "k1", "k2", "k3"]
    assert _keys(events, limit=2) == ["k0", "k1"]


def test_the_next_moment_is_that_of_the_first_open_event(events: Database, clock: FakeClock) -> None:
    """Who sleeps until then misses none; handled events and an empty table do not wake anybody."""
    start = clock.now()
    later = [start + timedelta(minutes=n) for n in (1, 2)]
    with events.reading() as reader:
        assert next_due(reader) is None
    _publish(events, Event("t", "b", due_at=later[1]), Event("t", "a", due_at=later[0]))
    for moment in later:
        with events.reading() as reader:
            assert next_due(reader) == moment
        clock.advance(timedelta(minutes=1))
        with events.transaction() as uow:
            mark_handled(uow, due(uow, uow.now, 10))
    with events.reading() as reader:
        assert next_due(reader) is None


def test_nothing_is_published_by_publishing_nothing(events: Database) -> None:
    """An empty batch is no statement, and no error."""
    with events.transaction() as uow:
        publish_many(uow, [])
        mark_handled(uow, [])

    assert _keys(events) == []


def test_an_event_is_taken_back_before_it_is_handled(events: Database) -> None:
    """Only that of this type and key; handled ones stay, and a second time finds none."""
    _publish(events, Event("t", "a"), Event("t", "b"), Event("u", "a"))
    with events.transaction() as uow:
        assert [withdraw(uow, "t", "a"), withdraw(uow, "t", "a"), withdraw(uow, "t", "")] == [True, False, False]
    left = _due(events)
    assert sorted((event.type, event.key) for event in left) == [("t", "b"), ("u", "a")]
    with events.transaction() as uow:
        mark_handled(uow, left)
        assert not withdraw(uow, "t", "b")
    with events.reading() as reader:
        assert since(reader, "t", "b", events.clock.now()) is not None


def test_a_later_wait_finds_what_happened_since_its_mark(events: Database, clock: FakeClock) -> None:
    """The first one at or after the mark, handled or not, of exactly this type and key."""
    start = clock.now()
    for n in range(3):
        _publish(events, Event("reply", "case_1", {"n": n}), Event("bounce", "case_1"), Event("reply", "case_2"))
        clock.advance(timedelta(minutes=1))
    with events.transaction() as uow:
        mark_handled(uow, due(uow, uow.now, 5))

    def found(seconds: int, key: str = "case_1") -> object:
        with events.reading() as reader:
            event = since(reader, "reply", key, start + timedelta(seconds=seconds))
        return event.payload.get("n") if event else None

    assert [found(0), found(1), found(60), found(61), found(120), found(121)] == [0, 1, 1, 2, 2, None]
    assert found(0, "case_3") is None


def test_an_event_can_be_older_than_its_publishing(light_events: Database, clock: FakeClock) -> None:
    """News that came in late bears the time at which it happened, and waits that began later ignore it."""
    now = clock.now()
    _publish(light_events, Event("reply", "case_1", at=now - timedelta(hours=2)))

    with light_events.reading() as reader:
        assert since(reader, "reply", "case_1", now) is None
        early = since(reader, "reply", "case_1", now - timedelta(hours=2))
    assert early is not None
    assert early.due_at == now


def test_an_event_of_a_failed_transaction_never_was(events: Database) -> None:
    """What is told and what happened are one: neither is there after an error."""

    def crash() -> None:
        with events.transaction() as uow:
            publish(uow, Event("t", "a"))
            publish_many(uow, [Event("t", "b")])
            message = "too late"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        crash()
    assert _keys(events) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.integers(-60, 60), max_size=8))
def test_every_event_is_handled_once(light_events: Database, minutes: list[int]) -> None:
    """Whatever their times: handling what is due until nothing is left sees each event exactly once, in order."""
    start = light_events.clock.now()
    with light_events.transaction() as uow:
        publish_many(uow, [Event("t", str(n), due_at=start + timedelta(minutes=n)) for n in minutes])
        seen = []
        while batch := due(uow, start + timedelta(hours=1), 3):
            seen += [int(event.key) for event in batch]
            mark_handled(uow, batch)

    assert seen == sorted(minutes)
