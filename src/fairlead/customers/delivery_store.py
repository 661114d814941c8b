"""All SQL of telling other systems about consents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, select, update

from fairlead.customers import tables as t
from fairlead.customers.consents import Downstream
from fairlead.kit.ids import new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

PENDING, SENT, SKIPPED, FAILED = "pending", "sent", "skipped", "failed"


def downstreams(reader: Reader) -> list[Any]:
    """Systems that are not gone, by name."""
    c = t.downstream.c
    return list(reader.execute(select(t.downstream).where(c.removed_at.is_(None)).order_by(c.name)))


def write_downstreams(uow: UnitOfWork, systems: Sequence[Downstream], gone: Sequence[str]) -> None:
    """Store these, and say of others that they are gone."""
    c = t.downstream.c
    known = set(uow.execute(select(c.name)).scalars())
    for one in systems:
        values = {"connector": one.connector, "purposes": list(one.purposes), "removed_at": None}
        if one.name in known:
            uow.execute(update(t.downstream).where(c.name == one.name).values(**values))
        else:
            uow.execute(insert(t.downstream).values(name=one.name, **values))
    if gone:
        uow.execute(update(t.downstream).where(among(uow, c.name, gone)).values(removed_at=uow.now))


def insert_delivery(uow: UnitOfWork, values: dict[str, Any]) -> None:
    """Append a delivery, dated now."""
    uow.execute(insert(t.delivery).values(id=new_id("cdl"), at=uow.now, **values))


def overtake(uow: UnitOfWork, customer_id: str, downstream: str, key: tuple[str, str], by: str) -> None:
    """Skip what waits for the system about the same customer, purpose and channel: a newer word is coming."""
    d, c = t.delivery.c, t.consent.c
    same = select(c.id).where(c.customer_id == customer_id, c.purpose == key[0], c.channel == key[1], c.id != by)
    mine = (d.downstream == downstream, d.customer_id == customer_id, d.state.in_((PENDING, FAILED)))
    skipped = {"state": SKIPPED, "why": f"overtaken by {by}", "due_at": None, "lease_token": None, "at": uow.now}
    uow.execute(update(t.delivery).where(*mine, d.consent_id.in_(same)).values(**skipped))


def skip_waiting(uow: UnitOfWork, downstream: str, why: str) -> None:
    """Skip everything that waits for a system."""
    d = t.delivery.c
    skipped = {"state": SKIPPED, "why": why, "due_at": None, "lease_token": None, "at": uow.now}
    uow.execute(update(t.delivery).where(d.downstream == downstream, d.state == PENDING).values(**skipped))


def _told() -> Select[Any]:
    d, c = t.delivery.c, t.consent.c
    said = select(t.delivery, c.purpose, c.channel, c.state.label("said"), c.at.label("said_at"), c.expires_at)
    said = said.add_columns(c.mechanism, c.notice_id, t.downstream.c.connector)
    return said.join(t.consent, c.id == d.consent_id).join(t.downstream, t.downstream.c.name == d.downstream)


def told(reader: Reader, delivery_id: str) -> Any:
    """One delivery with what was said, None when there is none."""
    return reader.execute(_told().where(t.delivery.c.id == delivery_id)).first()


def page(
    reader: Reader, family: Sequence[str] | None, downstream: str | None, state: str | None, before: str | None,
    limit: int,
) -> list[Any]:  # fmt: skip
    """Deliveries by falling id; `family` None: everybody's."""
    d = t.delivery.c
    query = _told()
    for column, value in ((d.downstream, downstream), (d.state, state)):
        query = query.where(column == value) if value else query
    query = query.where(among(reader, d.customer_id, family)) if family is not None else query
    query = query.where(d.id < before) if before else query
    return list(reader.execute(query.order_by(d.id.desc()).limit(limit)))


def counts(reader: Reader) -> list[Any]:
    """(downstream, state, how many)."""
    d = t.delivery.c
    query = select(d.downstream, d.state, func.count()).group_by(d.downstream, d.state)
    return list(reader.execute(query.order_by(d.downstream, d.state)))


def row_of(reader: Reader, delivery_id: str) -> Any:
    """The row, None when there is none."""
    return reader.execute(select(t.delivery).where(t.delivery.c.id == delivery_id)).first()


def reopen(uow: UnitOfWork, delivery_id: str) -> bool:
    """Make a failed delivery wait again, from its first attempt; False when it has not failed."""
    d = t.delivery.c
    again = {"state": PENDING, "why": "", "attempt": 0, "due_at": uow.now, "lease_token": None, "at": uow.now}
    failed = and_(d.id == delivery_id, d.state == FAILED)
    return uow.execute(update(t.delivery).where(failed).values(**again)).rowcount == 1


def ready(uow: UnitOfWork, now: datetime, limit: int) -> list[str]:
    """Ids of deliveries that are due, oldest first, kept from other workers until the end.

    `due_at` of a leased one is when its lease runs out.
    """
    d = t.delivery.c
    query = select(d.id).where(d.due_at <= now).order_by(d.due_at, d.id).limit(limit)
    return list(uow.execute(query.with_for_update(skip_locked=True)).scalars())


def lease(uow: UnitOfWork, ids: Sequence[str], token: str, until: datetime) -> None:
    """Mark these as somebody's until then."""
    d = t.delivery.c
    uow.bookkeep(t.delivery, among(uow, d.id, ids), {"lease_token": token, "due_at": until, "attempt": d.attempt + 1})


def take_over(uow: UnitOfWork, token: str, runner: str, now: datetime) -> bool:
    """Put everything under this token whose lease still runs under the runner's own; False when there is nothing."""
    d = t.delivery.c
    mine = and_(d.lease_token == token, d.state == PENDING, d.due_at > now)
    return uow.bookkeep(t.delivery, mine, {"lease_token": runner}) > 0


def leased(reader: Reader, token: str) -> list[Any]:
    """What is leased under this token, oldest first, with what was said."""
    d = t.delivery.c
    return list(reader.execute(_told().where(d.lease_token == token).order_by(d.id)))


def is_mine(uow: UnitOfWork, delivery_id: str, token: str) -> bool:
    """Whether it is still leased under this token, and not overtaken; it is kept from others until the end."""
    d = t.delivery.c
    mine = and_(d.id == delivery_id, d.lease_token == token, d.state == PENDING)
    return uow.execute(select(d.id).where(mine).with_for_update()).first() is not None


def settle(uow: UnitOfWork, delivery_id: str, values: dict[str, Any]) -> None:
    """Write what came of it and end the lease."""
    mine = t.delivery.c.id == delivery_id
    uow.execute(update(t.delivery).where(mine).values(**values, lease_token=None, at=uow.now))


def next_ready(reader: Reader) -> datetime | None:
    """When the next delivery is due, None when none waits."""
    d = t.delivery.c
    query = select(d.due_at).where(d.due_at.is_not(None)).order_by(d.due_at).limit(1)
    found: datetime | None = reader.execute(query).scalar()
    return found
