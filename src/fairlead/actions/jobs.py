"""The outbox at work: lease what is due, deliver it outside any transaction, record what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from fairlead.actions import outlets, store
from fairlead.actions.courier import OUTBOX, Courier
from fairlead.actions.delivery import Connector
from fairlead.actions.model import RetryPolicy, Scope, Settled, Ticket, before_delivery, too_late
from fairlead.actions.pacing import Breaker, OutletState, Rate
from fairlead.actions.service import conclude, queue_again
from fairlead.jobs import WorkLane
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.ids import new_id
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import Reader, UnitOfWork

CLOCK_S = 1.0


class OutboxSource:
    """Delivers queued actions; at least once to the connector, which sees one key per effect.

    `counts` has what this process did since it started: delivered, retried, and dropped (results that
    came after the lease was lost; whoever has the action now gets the same answer from the connector).
    """

    name = "outbox"

    def __init__(
        self,
        database: Database,
        connectors: Mapping[str, Connector],
        *,
        retry: RetryPolicy | None = None,
        breaker: Breaker | None = None,
        rates: Mapping[str, Rate] | None = None,
        lane: WorkLane = WorkLane.INTERACTIVE,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`now` tells what is due and whose lease ran out; None: the database server's own clock.

        `rates` by outlet or connector go before what a connector itself declares.
        """
        self.lane = lane
        self._database = database
        self._retry = retry or RetryPolicy()
        self._breaker = breaker or Breaker()
        declared = {name: rate_of(one) for name, one in connectors.items()}
        self._rates = {name: rate for name, rate in declared.items() if rate is not None} | dict(rates or {})
        self._now = now or ServerClock(database.seconds_now)
        self._courier = Courier(database, connectors, self._retry, self._breaker, self._now)
        self.counts = self._courier.counts

    def lease(self, limit: int, lease_s: float, token: str) -> int:
        """See WorkSource. Settles what must not be delivered: expired, held, withdrawn, worn out."""
        leased, settled = 0, 1
        while settled and not leased:
            leased, settled = self._lease_once(limit, lease_s, token)
        if leased:
            fault_point("action.leased")
        return leased

    def _lease_once(self, limit: int, lease_s: float, token: str) -> tuple[int, int]:
        now = self._now()
        with self._database.transaction(Lane.BULK) as uow:
            store.lock_leasing(uow)
            stops = store.stops(uow)
            settled = [(row, too_late(row.attempt, row.result)) for row in store.held_and_expired(uow, now, limit)]
            looked = store.held_to_look_at(uow, now, limit)
            late = {row.id for row, _ in settled}
            queue_again(uow, [row for row in looked if row.id not in late], OUTBOX, "action.looked_at")
            go = [ticket.id for ticket in self._ready(uow, now, limit, stops, settled)]
            conclude(uow, settled, OUTBOX)
            store.lease(uow, go, token, now + timedelta(seconds=lease_s))
        return len(go), len(settled)

    def _ready(
        self, uow: UnitOfWork, now: datetime, limit: int, stops: list[Scope], settled: list[tuple[Ticket, Settled]]
    ) -> list[Ticket]:
        """What to lease: outlet by outlet, as far as each has room, at most one per serial key."""
        known = outlets.states(uow)
        busy: set[str] = set()
        go: list[Ticket] = []
        changed: list[OutletState] = []
        for name in outlets.names_queued(uow):
            rate, state = self._rate(name), known.get(name)
            room = limit - len(go)
            if state is None and rate is not None:
                state = OutletState(name, float(rate.burst), now)
            if state is not None:
                room = state.room(rate, now, room)
            taken: list[Ticket] = []
            for ticket, serial_key in store.ready(uow, name, now, limit - len(go)) if room else ():
                instead = before_delivery(
                    ticket, now, stops, self._retry, gated=ticket.connector in self._courier.gated
                )
                if instead is not None:
                    settled.append((ticket, instead))
                elif len(taken) < room and serial_key not in busy:
                    taken.append(ticket)
                    busy |= {serial_key} if serial_key else set()
            if taken and state is not None and (rate is not None or state.opened_at is not None):
                changed.append(state.begun(rate, self._breaker, now, len(taken)))
            go += taken
        outlets.write(uow, changed)
        return go

    def _rate(self, outlet: str) -> Rate | None:
        return self._rates.get(outlet) or self._rates.get(outlet.partition("/")[0])

    def run(self, token: str) -> None:
        """See WorkSource. A second run of the same token finds nothing, as the first took the rows over."""
        runner = f"{token}/{new_id('run')}"
        began = time.monotonic()
        now = self._now()
        with self._database.transaction(Lane.BULK) as uow:
            if not store.take_over(uow, token, runner, now):
                return
        with self._database.reading() as reader:
            rows = store.leased(reader, runner)
        if rows:
            self._courier.deliver_all(runner, rows, began, rows[0].lease_until - now)

    def next_due(self) -> datetime | None:
        """See WorkSource. An outlet without room is due when it has some."""
        now = self._now()
        with self._database.reading() as reader:
            moments = [store.next_held(reader), *self._due_by_outlet(reader, now)]
        return min((moment for moment in moments if moment is not None), default=None)

    def _due_by_outlet(self, reader: Reader, now: datetime) -> list[datetime | None]:
        known = outlets.states(reader)
        found: list[datetime | None] = []
        for name in outlets.names_queued(reader):
            due = store.next_ready(reader, name, now)
            if due is not None and name in known:
                due = max(due, known[name].ready_at(self._rate(name), now))
            found.append(due)
        return found


class ServerClock:
    """The database server's clock, asked once a second at most; this machine counts on in between."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` asks the server: seconds since 1970."""
        self._seconds = seconds
        self._read: tuple[float, float] | None = None  # (monotonic second, the server's)

    def __call__(self) -> datetime:
        """The server's moment."""
        read = self._read
        if read is None or time.monotonic() - read[0] > CLOCK_S:
            seconds = self._seconds()
            self._read = read = (time.monotonic(), seconds)
        return datetime.fromtimestamp(read[1] + time.monotonic() - read[0], UTC)


def rate_of(connector: Connector) -> Rate | None:
    """How fast a connector itself says that it may be used; None: as fast as it answers."""
    found = getattr(connector, "rate", None)
    return found if isinstance(found, Rate) else None
