"""Parcels to connectors and their answers into the database; messages to customers pass the gate right before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fairlead.actions import digests, outlets, store
from fairlead.actions.delivery import Connector, Delivery, Receipt, ReceiptState, puts_together, reaches_customer
from fairlead.actions.gating import OUTCOMES, attempt_of, gate_key, stopped_by, unfit
from fairlead.actions.model import (
    ActionState,
    Parcel,
    RetryPolicy,
    Settled,
    Ticket,
    after_delivery,
    before_delivery,
    settled,
)
from fairlead.actions.pacing import Breaker, OutletState
from fairlead.actions.service import conclude
from fairlead.customers import lock_contacts
from fairlead.errors import InputError, NotFoundError
from fairlead.guardrails import pass_gate, settle_contacts
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

log = logging.getLogger("fairlead.actions")

OUTBOX = Actor(ActorKind.SYSTEM, "outbox")
RECORD_ROWS = 100
RECORD_S = 1.0
DELIVERY_S = 20.0


class _LostError(Exception):
    """The parcel is somebody else's by now, or was withdrawn; whatever the gate reserved is rolled back."""


class _Answer(NamedTuple):
    """What came of a parcel: a connector's receipt, or what was decided instead of a delivery."""

    parcel: Parcel
    receipt: Receipt | None = None
    instead: Settled | None = None
    unbegun: bool = False
    """Its outlet was left alone before it came to it."""
    carried: bool = False
    """It was in another one's message: the gate and the outlet are told of that one alone."""


class _Leave(NamedTuple):
    """What becomes of a message instead of its delivery, or the address that it may go to; nothing said: it was lost.

    `others` go out with it, as one message.
    """

    instead: Settled | None = None
    address: str | None = None
    others: Sequence[Parcel] = ()


class Courier:
    """Hands parcels to connectors and stores what they answer; keeps the lease while it has some left.

    `counts`: delivered has every parcel with an end, held those that the gate keeps back, refused those it refused.
    """

    def __init__(
        self,
        database: Database,
        connectors: Mapping[str, Connector],
        retry: RetryPolicy,
        breaker: Breaker,
        now: Callable[[], datetime],
    ) -> None:
        """`now` is the clock that leases are read on."""
        self.counts = {"delivered": 0, "retried": 0, "dropped": 0}
        self.gated = frozenset(name for name, one in connectors.items() if reaches_customer(one))
        self._database = database
        self._connectors = dict(connectors)
        self._retry = retry
        self._breaker = breaker
        self._now = now

    def deliver_all(self, runner: str, parcels: Sequence[Parcel], began: float, span: timedelta) -> None:
        """Deliver in order; `began` is the monotonic second from which the lease lasts for `span`.

        Stops where the lease is lost: what is left belongs to somebody else then. What would go through an outlet
        that failed too often in a row is given back untouched.
        """
        answers: list[_Answer] = []
        failures: dict[str, int] = {}
        ends = began + span.total_seconds()
        needed = min(DELIVERY_S, span.total_seconds() / 2)
        record_at = time.monotonic() + RECORD_S
        for parcel in parcels:
            outlet = parcel.ticket.outlet
            if failures.get(outlet, 0) >= self._breaker.after:
                answers.append(_Answer(parcel, unbegun=True))
                continue
            if time.monotonic() + needed > ends:
                answers = self._record(runner, answers)
                asked = time.monotonic()
                if asked > ends or not self._keep(runner, span):
                    return
                ends = asked + span.total_seconds()
            answer, *carried = self._delivered(runner, parcel)
            if answer.receipt is not None:
                failed = answer.receipt.state is ReceiptState.FAILED
                failures[outlet] = failures.get(outlet, 0) + 1 if failed else 0
            answers += [answer, *carried]
            if len(answers) >= RECORD_ROWS or time.monotonic() >= record_at:
                answers = self._record(runner, answers)
                record_at = time.monotonic() + RECORD_S
        self._record(runner, answers)

    def _delivered(self, runner: str, parcel: Parcel) -> list[_Answer]:
        """What came of a parcel, then of those that went out with it."""
        connector = self._connectors.get(parcel.ticket.connector)
        if connector is None:
            words = f"no connector is called {parcel.ticket.connector!r} here"
            return [_Answer(parcel, Receipt(ReceiptState.FAILED, words))]
        if not reaches_customer(connector):
            return [_Answer(parcel, self._handed_over(connector, parcel, parcel.body))]
        instead, address, others = self._asked(runner, parcel, connector)
        if instead is not None:
            return [_Answer(parcel, instead=instead)]
        if address is None:
            return [_Answer(parcel)]
        fault_point("action.allowed")
        body = {**parcel.body, "to": parcel.body.get("to") or address} if address else parcel.body
        return (
            self._sent(connector, parcel, body, others)
            if others
            else [_Answer(parcel, self._handed_over(connector, parcel, body))]
        )

    def _sent(
        self, connector: Connector, parcel: Parcel, body: dict[str, Any], others: Sequence[Parcel]
    ) -> list[_Answer]:
        """A digest. One that is refused may be so for any of its messages: the first then goes by itself."""
        receipt = self._handed_over(connector, parcel, body, digests.as_parts(others))
        if receipt.state is ReceiptState.REFUSED:
            apart = Receipt(ReceiptState.FAILED, f"refused together with others: {receipt.detail}")
            alone = _Answer(parcel, self._handed_over(connector, parcel, body))
            return [alone, *(_Answer(one, apart, carried=True) for one in others)]
        whole = digests.told_of(receipt, f"in one message with {len(others)} others")
        with_it = digests.told_of(receipt, f"in one message with {parcel.ticket.id}")
        return [_Answer(parcel, whole), *(_Answer(one, with_it, carried=True) for one in others)]

    def _asked(self, runner: str, parcel: Parcel, connector: Connector) -> _Leave:
        """What becomes of a message instead of its delivery, or the address that it may go to, and with whom."""
        now = self._now()
        try:
            with self._database.transaction(Lane.BULK) as uow:
                mine, withdrawn = store.standing(uow, runner, parcel.ticket.id, now)
                if not mine:
                    return _Leave()
                ticket = replace(parcel.ticket, withdrawn=withdrawn, attempt=parcel.ticket.attempt - 1)
                stops = store.stops(uow)
                instead = before_delivery(ticket, now, stops, self._retry, gated=True) or digests.lost_with(parcel)
                if instead is not None:
                    return _Leave(instead)
                leave = self._gate(uow, runner, parcel, now)
                waited = leave.instead is None and digests.held_for_digest(parcel.result)
                if waited and puts_together(connector, parcel.body):
                    others = digests.take_up(uow, runner, parcel, stops, self._retry, now, OUTBOX)
                    leave = leave._replace(others=others)
                return leave
        except _LostError:
            return _Leave()
        except (InputError, NotFoundError) as error:
            return _Leave(unfit(error, parcel.ticket.attempt, perhaps_sent=parcel.ticket.sending))

    def _gate(self, uow: UnitOfWork, runner: str, parcel: Parcel, now: datetime) -> _Leave:
        ticket, doubt = parcel.ticket, parcel.ticket.sending
        attempt = attempt_of(parcel)
        if doubt:  # a worker vanished between this place and its result: it keeps its place, whatever comes now
            settle_contacts(uow, {attempt.key: "unknown"})
        answer = pass_gate(uow, attempt)
        instead = stopped_by(answer, ticket.attempt, perhaps_sent=doubt)
        if instead is None and not store.begin_sending(uow, runner, ticket.id, now):
            raise _LostError
        return _Leave(instead, answer.address)

    def _handed_over(
        self, connector: Connector, parcel: Parcel, body: dict[str, Any], parts: tuple[Delivery, ...] = ()
    ) -> Receipt:
        ticket = parcel.ticket
        try:
            receipt = connector.deliver(Delivery(parcel.key, ticket.kind, body, ticket.customer_id, parts))
        except Exception as error:  # a connector is a plug-in: its bug must not stop its neighbours
            log.exception("connector %s raised on action %s", ticket.connector, ticket.id)
            return Receipt(ReceiptState.FAILED, f"{type(error).__name__}: {error}")
        fault_point("action.delivered")
        return receipt

    def _record(self, runner: str, answers: Sequence[_Answer]) -> list[_Answer]:
        """Store answers of what is still this runner's; count and leave alone the others. Always []."""
        if not answers:
            return []
        with self._database.transaction(Lane.BULK) as uow:
            gated = [
                one for one in answers
                if one.receipt is not None and not one.carried and one.parcel.ticket.connector in self.gated
            ]  # fmt: skip
            # Customers before the queue, as the gate has it, and in one order, so that nobody waits in a ring.
            lock_contacts(uow, {one.parcel.ticket.customer_id for one in gated if one.parcel.ticket.customer_id})
            mine = store.still_mine(uow, runner, [one.parcel.ticket.id for one in answers])
            kept = [one for one in answers if one.parcel.ticket.id in mine]
            done, again, unbegun = self._sorted(kept, mine)
            conclude(uow, done, OUTBOX)
            store.try_later(uow, again)
            store.give_back(uow, runner, unbegun, self._now())
            outlets.keep_copies(uow, _copies(kept, {ticket.id for ticket, _ in done}))
            self._tell_gate(uow, gated, mine)
            self._tell_outlets(uow, kept)
        fault_point("action.recorded")
        lost = len(answers) - len(kept)
        for what, count in (("delivered", len(done)), ("retried", len(again)), ("dropped", lost)):
            self.counts[what] += count
        if lost:
            log.warning("%d results came after their lease was lost and were dropped", lost)
        return []

    def _sorted(
        self, kept: Sequence[_Answer], mine: Mapping[str, bool]
    ) -> tuple[list[tuple[Ticket, Settled]], list[tuple[str, datetime, str]], list[str]]:
        now = self._now()
        done, again, unbegun = [], [], []
        for parcel, receipt, instead, *_ in kept:
            ticket = replace(parcel.ticket, withdrawn=mine[parcel.ticket.id])
            if receipt is None:
                if instead is not None:
                    done.append((ticket, _unless_withdrawn(ticket, instead)))
                elif ticket.withdrawn:
                    done.append((ticket, settled(ActionState.WITHDRAWN, "withdrawn before it was delivered",
                                                 ticket.attempt - 1, perhaps_sent=ticket.sending)))  # fmt: skip
                else:
                    unbegun.append(ticket.id)
                continue
            outcome = after_delivery(ticket, receipt, self._retry)
            if outcome is not None:
                done.append((ticket, outcome))
                continue
            at = now + self._retry.pause(ticket.id, ticket.attempt)
            again.append((ticket.id, min(at, ticket.expires_at or at), receipt.detail))
        return done, again, unbegun

    def _tell_gate(self, uow: UnitOfWork, gated: Sequence[_Answer], mine: Mapping[str, bool]) -> None:
        """What was accepted counts in any case; that it was not is only said by who still has the message."""
        told = {
            gate_key(parcel.key): (parcel.ticket.id, OUTCOMES[receipt.state])
            for parcel, receipt, *_ in gated
            if receipt is not None and (parcel.ticket.id in mine or receipt.state is ReceiptState.SENT)
        }
        for key in settle_contacts(uow, {key: outcome for key, (_, outcome) in told.items()}):
            log.warning("the gate knows nothing of action %s", told[key][0])

    def _tell_outlets(self, uow: UnitOfWork, kept: Sequence[_Answer]) -> None:
        names = {one.parcel.ticket.outlet for one in kept}
        known = outlets.locked(uow, names)
        now = self._now()
        changed: dict[str, OutletState] = {}
        for parcel, receipt, *_ in (one for one in kept if not one.carried):
            name = parcel.ticket.outlet
            before = changed.get(name) or known.get(name) or OutletState(name, 0.0, now)
            if receipt is not None:
                worked = receipt.state is not ReceiptState.FAILED
                after = before.after(worked, self._breaker, now, receipt.detail)
                if after != before:
                    changed[name] = after
        for name, after in changed.items():
            _note(uow, known.get(name), after)
        for name in {name for name, one in known.items() if one.opened_at and name not in changed}:
            outlets.sooner(uow, name, now)
        outlets.write(uow, changed.values())

    def _keep(self, runner: str, span: timedelta) -> bool:
        now = self._now()
        with self._database.transaction(Lane.BULK) as uow:
            return store.extend(uow, runner, now, now + span)


def _unless_withdrawn(ticket: Ticket, instead: Settled) -> Settled:
    """A message that the gate holds and somebody withdrew meanwhile is withdrawn."""
    if not (ticket.withdrawn and instead.state is ActionState.HELD):
        return instead
    words = "withdrawn before it was delivered"
    return settled(ActionState.WITHDRAWN, words, instead.result["attempts"], perhaps_sent=ticket.sending)


def _copies(kept: Sequence[_Answer], done: set[str]) -> list[tuple[str, str, str, int, str]]:
    return [
        (one.parcel.ticket.id, one.receipt.state.value, one.receipt.detail[:2_000], one.parcel.ticket.attempt,
         one.receipt.copy.replace("\0", ""))
        for one in kept if one.receipt is not None and one.receipt.copy and one.parcel.ticket.id in done
    ]  # fmt: skip


def _note(uow: UnitOfWork, before: OutletState | None, after: OutletState) -> None:
    """Leave a trace where a breaker opens or closes."""
    was_open = before is not None and before.opened_at is not None
    if was_open != (after.opened_at is not None):
        verb = "outlet.closed" if was_open else "outlet.opened"
        payload = {"failures": after.failures, "problem": after.problem[:500]}
        uow.record(AuditEntry(verb, after.name, payload, actor=OUTBOX))
