"""An event before, during and after the wait that it ends, and twice; and a clock that jumps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from fairlead.audit import Trail
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.jobs import WorkLane
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_id
from fairlead.playbooks import (
    BundleLibrary,
    CaseDraft,
    CaseSource,
    Engine,
    EngineSettings,
    EventSource,
    StepRegistry,
    TimerSource,
    deploy,
    open_cases,
)
from fairlead.testing.oracle import check_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

PLAYBOOK = """
playbook: chase
subject: lead
start: nudge
stages:
  nudge:
    act: log
    kind: nudge
    detach: true
    next: answer
  answer:
    wait: replied
    for: 2d
    next: {replied: won, timeout: lost}
  won: {end: won}
  lost: {end: lost}
"""


class Chase:
    """One case that nudges a customer and waits two days for the reply."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database, self.clock = database, clock
        library = BundleLibrary(StepRegistry(), frozenset({"log"}))
        self.engine = Engine(database, library, EngineSettings(bytes(32)))
        self.events, self.timers = EventSource(self.engine), TimerSource(self.engine)
        files = {
            "fairlead.toml": '[workspace]\nname = "x"\ncurrency = "EUR"\n',
            "playbooks/chase.yaml": PLAYBOOK,
        }
        with database.transaction() as uow:
            self.bundle, _ = deploy(uow, library, SYSTEM, files)
            self.customer = resolve_many(uow, [CustomerDraft(name="Ada", source="test")])[0].id
        with database.transaction() as uow:
            draft = CaseDraft("chase", "lead", new_id("lead"), {}, self.customer)
            self.case = open_cases(uow, [draft], self.bundle)[0]

    def lease(self) -> tuple[CaseSource, str]:
        """Take what is ready, without running it."""
        source, token = CaseSource(self.engine, WorkLane.INTERACTIVE), new_id("lease")
        source.lease(10, 60.0, token)
        return source, token

    def run(self) -> None:
        """Everything that is due, to its end."""
        for _ in range(4):
            self.events.run("")
            self.timers.run("")
            for lane in WorkLane:
                source, token = CaseSource(self.engine, lane), new_id("lease")
                if source.lease(10, 60.0, token):
                    source.run(token)

    def tell(self, event_id: str = "evt_reply") -> bool:
        """The customer's reply."""
        with self.database.transaction() as uow:
            return publish(uow, Event("replied", self.customer, {}, id=event_id))

    def stands(self) -> tuple[str, str]:
        """(stage, state) of the case."""
        with self.database.raw() as connection:
            row = connection.execute(text("SELECT stage, state FROM playbook_case")).one()
        return row[0], row[1]


@pytest.fixture
def chase(database_url: str, clock: FakeClock) -> Iterator[Chase]:
    """On both databases; afterwards the oracle judges."""
    database = Database(database_url, clock=clock, trail=Trail())
    yield Chase(database, clock)
    check_world(database)
    database.close()


def test_during_its_wait(chase: Chase) -> None:
    """The case waits, the reply ends the wait."""
    chase.run()
    assert chase.stands() == ("answer", "waiting")
    assert chase.tell()
    chase.run()
    assert chase.stands() == ("won", "ended")


def test_before_its_wait(chase: Chase) -> None:
    """A reply between the last act and the wait is not lost, though it was handled before anybody waited."""
    source, token = chase.lease()
    chase.clock.advance(timedelta(seconds=1))
    chase.tell()
    chase.events.run("")
    source.run(token)
    chase.run()
    assert chase.stands() == ("won", "ended")


def test_an_older_reply_is_not_this_waits(chase: Chase) -> None:
    """A reply from before the case began does not answer its nudge."""
    chase.clock.advance(-timedelta(hours=1))
    chase.tell()
    chase.clock.advance(timedelta(hours=1))
    chase.run()
    assert chase.stands() == ("answer", "waiting")


def test_after_its_wait(chase: Chase) -> None:
    """A reply after the time ran out changes nothing: the case has ended once."""
    chase.run()
    chase.clock.advance(timedelta(days=3))
    chase.run()
    assert chase.stands() == ("lost", "ended")
    chase.tell()
    chase.run()
    assert chase.stands() == ("lost", "ended")


def test_twice(chase: Chase) -> None:
    """The same event told again is known; another one of the same kind finds nothing to end."""
    chase.run()
    assert chase.tell()
    assert not chase.tell()
    assert chase.tell("evt_another")
    chase.run()
    assert not chase.tell()
    chase.run()
    assert chase.stands() == ("won", "ended")


def test_reply_and_time_at_once(chase: Chase) -> None:
    """The reply and the timer are due in the same moment: one of them ends the wait, once."""
    chase.run()
    chase.clock.advance(timedelta(days=2))
    chase.tell()
    chase.timers.run("")
    chase.run()
    stage, state = chase.stands()
    assert (stage in {"won", "lost"}, state) == (True, "ended")


def test_a_clock_that_jumps(chase: Chase) -> None:
    """Years ahead and back again: the timer ends the wait once, and nothing is undone or stuck."""
    chase.run()
    chase.clock.advance(timedelta(days=3650))
    chase.run()
    assert chase.stands() == ("lost", "ended")
    chase.clock.advance(-timedelta(days=3651))
    chase.run()
    assert chase.stands() == ("lost", "ended")
    chase.clock.advance(timedelta(days=3652))


def test_a_clock_that_jumps_back_while_leased(chase: Chase) -> None:
    """A lease taken at a wrong time is written all the same by the one who holds it."""
    source, token = chase.lease()
    chase.clock.advance(-timedelta(days=1))
    source.run(token)
    chase.clock.advance(timedelta(days=1))
    chase.run()
    assert chase.stands() == ("answer", "waiting")
