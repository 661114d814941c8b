"""Telling other systems what a customer allowed or withdrew: one row per consent and system, until it is settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.customers import delivery_store, lineage
from fairlead.customers.consents import ALL, Downstream, Key
from fairlead.customers.delivery_store import PENDING, SKIPPED
from fairlead.customers.model import check_text
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_DOWNSTREAMS = 50
MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class ConsentDelivery:
    """What became of telling one system about one consent; `why` names the reason of `skipped` and `failed`."""

    id: str
    consent_id: str
    customer_id: str
    downstream: str
    purpose: str
    channel: str
    said: str
    state: str
    why: str
    attempt: int
    at: datetime
    due_at: datetime | None


def set_downstreams(uow: UnitOfWork, actor: Actor, wanted: Iterable[Downstream]) -> bool:
    """Make these the systems that are told from now on; False when they are already.

    What is still waiting for a system that is gone is skipped. InputError for a name twice or more than 50.
    """
    systems = sorted(wanted, key=lambda one: one.name)
    names = [one.name for one in systems]
    for name in names:
        check_text("downstream", name, needed=True, limit=100)
    if len(set(names)) != len(names) or len(names) > MAX_DOWNSTREAMS:
        message = f"at most {MAX_DOWNSTREAMS} downstreams, each with a name of its own"
        raise InputError(message, field="downstreams")
    before = downstreams(uow)
    if before == systems:
        return False
    gone = sorted({one.name for one in before} - set(names))
    delivery_store.write_downstreams(uow, systems, gone)
    for name in gone:
        delivery_store.skip_waiting(uow, name, f"{name} is no longer told of consents")
    payload = {"downstreams": [[one.name, one.connector, *one.purposes] for one in systems], "gone": gone}
    uow.record(AuditEntry("consent.downstreams_set", "consent_downstream", payload, actor=actor))
    return True


def downstreams(reader: Reader) -> list[Downstream]:
    """The systems that are told now, by name."""
    return [Downstream(row.name, row.connector, tuple(row.purposes)) for row in delivery_store.downstreams(reader)]


def queue(uow: UnitOfWork, customer_id: str, consent_id: str, key: Key) -> None:
    """One row for every system; it overtakes what still waits for the same customer, purpose and channel.

    No audit entry of its own: the consent's covers it.
    """
    for system in downstreams(uow):
        delivery_store.overtake(uow, customer_id, system.name, key, consent_id)
        concerned = not system.purposes or key[0] == ALL or key[0] in system.purposes
        why = "" if concerned else f"{system.name} is told of {', '.join(system.purposes)} only"
        delivery_store.insert_delivery(uow, {
            "consent_id": consent_id, "customer_id": customer_id, "downstream": system.name, "why": why,
            "state": PENDING if concerned else SKIPPED, "attempt": 0, "due_at": uow.now if concerned else None,
        })  # fmt: skip


def delivery_of(reader: Reader, delivery_id: str) -> ConsentDelivery | None:
    """One delivery, None when there is none."""
    row = delivery_store.told(reader, delivery_id)
    return None if row is None else _delivery(row)


def deliveries(
    reader: Reader, *, downstream: str | None = None, state: str | None = None, customer_id: str | None = None,
    before: str | None = None, limit: int = 100,
) -> list[ConsentDelivery]:  # fmt: skip
    """Deliveries by falling id, at most 500; `before` is the last id of the page above.

    `customer_id` stands for all records merged into one customer; None: everybody's.
    """
    family = lineage.families_of(reader, [customer_id])[customer_id] if customer_id else None
    return [
        _delivery(row) for row in delivery_store.page(reader, family, downstream, state, before, min(limit, MAX_PAGE))
    ]


def delivery_counts(reader: Reader) -> dict[str, dict[str, int]]:
    """Downstream → state → how many."""
    found: dict[str, dict[str, int]] = {}
    for name, state, count in delivery_store.counts(reader):
        found.setdefault(name, {})[state] = int(count)
    return found


def retry_delivery(uow: UnitOfWork, actor: Actor, delivery_id: str) -> None:
    """Send a failed delivery again now; NotFoundError for an unknown one, ConflictError unless it failed."""
    row = delivery_store.row_of(uow, delivery_id)
    if row is None:
        message = f"there is no delivery {delivery_id}"
        raise NotFoundError(message, delivery=delivery_id)
    if not delivery_store.reopen(uow, delivery_id):
        message = f"delivery {delivery_id} is {row.state}; only a failed one is sent again"
        raise ConflictError(message, code="not_failed", delivery=delivery_id)
    payload = {"delivery": delivery_id, "downstream": row.downstream, "consent": row.consent_id}
    uow.record(AuditEntry("consent.delivery_retried", row.customer_id, payload, row.customer_id, actor))


def _delivery(row: Any) -> ConsentDelivery:
    return ConsentDelivery(
        row.id, row.consent_id, row.customer_id, row.downstream, row.purpose, row.channel, row.said, row.state,
        row.why, row.attempt, row.at, row.due_at,
    )  # fmt: skip
