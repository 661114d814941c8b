"""Telling other systems about consents: lease what is due, tell it outside any transaction, record what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from fairlead.customers import consent_store, delivery_store, lineage, store
from fairlead.customers.delivery_store import FAILED, PENDING, SENT
from fairlead.jobs import WorkLane
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import iso
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry, Reader

log = logging.getLogger("fairlead.customers")

TELLER = Actor(ActorKind.SYSTEM, "consents")
PAUSES_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Between attempts, as the Standard Webhooks specification advises; after the tenth attempt it has failed."""
MAX_DETAIL = 500


class Telling(NamedTuple):
    """What one system is to be told; `id` is the idempotency key, the same for every attempt."""

    id: str
    downstream: str
    connector: str
    customer_id: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it; `refused`: it never will work, so that it is not tried again by itself."""

    sent: bool
    refused: bool = False
    detail: str = ""


Tell = Callable[[Telling], Told]
"""Tells one system; called outside any transaction. An exception counts as a failed attempt."""


class ConsentSource:
    """Tells downstreams of consents, at least once, oldest first; a receiver knows a repetition by its id.

    A newer word about the same purpose and channel overtakes an older one that waits; since the two can cross on
    the way, `said_at` in the message decides.
    """

    name = "consents"
    lane = WorkLane.TIMERS

    def __init__(self, database: Database, tell: Tell, *, now: Callable[[], datetime] | None = None) -> None:
        """`now` tells what is due and whose lease ran out; None: the database server's own clock."""
        self._database = database
        self._tell = tell
        self._now = now or (lambda: datetime.fromtimestamp(database.seconds_now(), UTC))

    def lease(self, limit: int, lease_s: float, token: str) -> int:
        """See WorkSource."""
        now = self._now()
        with self._database.transaction(Lane.BULK) as uow:
            ids = delivery_store.ready(uow, now, limit)
            if ids:
                delivery_store.lease(uow, ids, token, now + timedelta(seconds=lease_s))
        return len(ids)

    def run(self, token: str) -> None:
        """See WorkSource. A second run of the same token finds nothing, as the first took the rows over."""
        runner = f"{token}/{new_id('run')}"
        with self._database.transaction(Lane.BULK) as uow:
            if not delivery_store.take_over(uow, token, runner, self._now()):
                return
        with self._database.reading() as reader:
            rows = delivery_store.leased(reader, runner)
        for row in rows:
            if self._now() >= row.due_at:  # the lease ran out: it is somebody else's now
                return
            self._settle(runner, row, self._told(row))

    def next_due(self) -> datetime | None:
        """See WorkSource."""
        with self._database.reading() as reader:
            return delivery_store.next_ready(reader)

    def _told(self, row: Any) -> Told:
        if row.attempt > len(PAUSES_S) + 1:
            return Told(sent=False, refused=True, detail="its workers kept dying on it")
        with self._database.reading() as reader:
            message = message_of(reader, row)
        try:
            return self._tell(Telling(row.id, row.downstream, row.connector, row.customer_id, message))
        except Exception as error:  # a connector is a plug-in: its bug must not stop its neighbours
            log.exception("telling %s raised", row.downstream)
            return Told(sent=False, detail=f"{type(error).__name__}: {error}")

    def _settle(self, runner: str, row: Any, told: Told) -> None:
        values: dict[str, Any] = {"why": "", "due_at": None, "state": SENT}
        if not told.sent:
            values["why"] = told.detail[:MAX_DETAIL]
            again = not told.refused and row.attempt <= len(PAUSES_S)
            values["state"] = PENDING if again else FAILED
            values["due_at"] = self._now() + timedelta(seconds=PAUSES_S[row.attempt - 1]) if again else None
        with self._database.transaction(Lane.BULK) as uow:
            if not delivery_store.is_mine(uow, row.id, runner):
                return  # overtaken, or somebody else's by now
            delivery_store.settle(uow, row.id, values)
            payload = {"delivery": row.id, "consent": row.consent_id, "downstream": row.downstream,
                       "attempt": row.attempt, "state": values["state"], "why": values["why"]}  # fmt: skip
            uow.record(AuditEntry("consent.told", row.customer_id, payload, row.customer_id, TELLER))


def message_of(reader: Reader, row: Any) -> dict[str, Any]:
    """What a downstream reads: whose consent, as other systems know them, and what was said when."""
    family = lineage.families_of(reader, [row.customer_id])[row.customer_id]
    known = consent_store.notice(reader, row.notice_id) if row.notice_id else None
    notice = {"name": known[0].name, "version": known[0].version, "language": known[0].language} if known else None
    return {
        "type": "consent.changed",
        "timestamp": iso(row.said_at),
        "data": {
            "id": row.consent_id,
            "customer": {
                "id": family[0],
                "identities": [{"kind": one.kind, "value": one.value} for one in store.identities_of(reader, family)],
            },
            "purpose": row.purpose,
            "channel": row.channel,
            "state": row.said,
            "mechanism": row.mechanism,
            "said_at": iso(row.said_at),
            "expires_at": iso(row.expires_at) if row.expires_at else None,
            "notice": notice,
        },
    }
