"""The outbox at work: lease what is due, deliver it outside any transaction, record what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fairlead.actions import store
from fairlead.actions.delivery import Connector, Delivery, Receipt, ReceiptState
from fairlead.actions.model import Parcel, RetryPolicy, Ticket, after_delivery, before_delivery, too_late
from fairlead.actions.service import conclude
from fairlead.jobs import WorkLane
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.ids import new_id
from fairlead.kit.lanes import Lane

log = logging.getLogger("fairlead.actions")

OUTBOX = Actor(ActorKind.SYSTEM, "outbox")
RECORD_ROWS = 100
RECORD_S = 1.0
DELIVERY_S = 20.0

_Answer = tuple[Ticket, Receipt]


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
        lane: WorkLane = WorkLane.INTERACTIVE,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`now` tells what is due and whose lease ran out; None: the database server's own clock."""
        self.lane = lane
        self._database = database
        self._retry = retry or RetryPolicy()
        self._now = now or (lambda: datetime.fromtimestamp(database.seconds_now(), UTC))
        self._courier = Courier(database, connectors, self._retry, self._now)
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
            go = []
            settled = [(row, too_late(row.attempt, row.result)) for row in store.held_and_expired(uow, now, limit)]
            for ticket in store.ready(uow, now, limit):
                instead = before_delivery(ticket, now, stops, self._retry)
                if instead is None:
                    go.append(ticket.id)
                else:
                    settled.append((ticket, instead))
            conclude(uow, settled, OUTBOX)
            store.lease(uow, go, token, now + timedelta(seconds=lease_s))
        return len(go), len(settled)

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
        """See WorkSource."""
        now = self._now()
        with self._database.reading() as reader:
            return store.next_ready(reader, now)


class Courier:
    """Hands parcels to connectors and stores what they answer; keeps the lease while it has some left."""

    def __init__(
        self,
        database: Database,
        connectors: Mapping[str, Connector],
        retry: RetryPolicy,
        now: Callable[[], datetime],
    ) -> None:
        """`now` is the clock that leases are read on."""
        self.counts = {"delivered": 0, "retried": 0, "dropped": 0}
        self._database = database
        self._connectors = dict(connectors)
        self._retry = retry
        self._now = now

    def deliver_all(self, runner: str, parcels: Sequence[Parcel], began: float, span: timedelta) -> None:
        """Deliver in order; `began` is the monotonic second from which the lease lasts for `span`.

        Stops where the lease is lost: what is left belongs to somebody else then.
        """
        answers: list[_Answer] = []
        ends = began + span.total_seconds()
        needed = min(DELIVERY_S, span.total_seconds() / 2)
        record_at = time.monotonic() + RECORD_S
        for parcel in parcels:
            if time.monotonic() + needed > ends:
                answers = self._record(runner, answers)
                asked = time.monotonic()
                if asked > ends or not self._keep(runner, span):
                    return
                ends = asked + span.total_seconds()
            answers.append((parcel.ticket, self._deliver(parcel)))
            if len(answers) >= RECORD_ROWS or time.monotonic() >= record_at:
                answers = self._record(runner, answers)
                record_at = time.monotonic() + RECORD_S
        self._record(runner, answers)

    def _deliver(self, parcel: Parcel) -> Receipt:
        ticket = parcel.ticket
        connector = self._connectors.get(ticket.connector)
        if connector is None:
            return Receipt(ReceiptState.FAILED, f"no connector is called {ticket.connector!r} here")
        try:
            receipt = connector.deliver(Delivery(parcel.key, ticket.kind, parcel.body, ticket.customer_id))
        except Exception as error:  # a connector is a plug-in: its bug must not stop its neighbours
            log.exception("connector %s raised on action %s", ticket.connector, ticket.id)
            return Receipt(ReceiptState.FAILED, f"{type(error).__name__}: {error}")
        fault_point("action.delivered")
        return receipt

    def _record(self, runner: str, answers: Sequence[_Answer]) -> list[_Answer]:
        """Store answers of what is still this runner's; count and leave alone the others. Always []."""
        if not answers:
            return []
        now = self._now()
        settled, again = [], []
        with self._database.transaction(Lane.BULK) as uow:
            mine = store.still_mine(uow, runner, [ticket.id for ticket, _ in answers])
            for leased, receipt in answers:
                if leased.id not in mine:
                    continue
                ticket = replace(leased, withdrawn=mine[leased.id])
                outcome = after_delivery(ticket, receipt, self._retry)
                if outcome is not None:
                    settled.append((ticket, outcome))
                    continue
                at = now + self._retry.pause(ticket.id, ticket.attempt)
                again.append((ticket.id, min(at, ticket.expires_at or at), receipt.detail))
            conclude(uow, settled, OUTBOX)
            store.try_later(uow, again)
        fault_point("action.recorded")
        lost = len(answers) - len(mine)
        for what, count in (("delivered", len(settled)), ("retried", len(again)), ("dropped", lost)):
            self.counts[what] += count
        if lost:
            log.warning("%d results came after their lease was lost and were dropped", lost)
        return []

    def _keep(self, runner: str, span: timedelta) -> bool:
        now = self._now()
        with self._database.transaction(Lane.BULK) as uow:
            return store.extend(uow, runner, now, now + span)
