"""Who looks after many customers at once, and after others of the same company; for routing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import func, select, update

from fairlead.customers import tables as t
from fairlead.customers.lineage import survivors_of
from fairlead.kit.actors import Actor
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork


class Owning(NamedTuple):
    """A customer's own owner, the company as names are compared, "" for none, and owners of others there.

    `others` are those who look after most customers of the company first, ties by id.
    """

    owner: str | None
    company: str
    others: tuple[str, ...]


def owning_of(reader: Reader, ids: Iterable[str]) -> dict[str, Owning]:
    """By the ids asked for, a merged record answered by its survivor; unknown and erased customers are absent."""
    survivors = survivors_of(reader, ids)
    c = t.customer.c
    query = select(c.id, c.owner, c.company_folded).where(among(reader, c.id, sorted(set(survivors.values()))))
    rows = {row.id: row for row in reader.execute(query.where(c.erased_at.is_(None)))} if survivors else {}
    companies = sorted({row.company_folded for row in rows.values()} - {""})
    others = _owners_at(reader, companies) if companies else {}
    return {
        one: Owning(rows[kept].owner, rows[kept].company_folded, tuple(others.get(rows[kept].company_folded, ())))
        for one, kept in survivors.items() if kept in rows
    }  # fmt: skip


def _owners_at(reader: Reader, companies: list[str]) -> dict[str, list[str]]:
    c = t.customer.c
    count = func.count().label("count")
    query = select(c.company_folded, c.owner, count).where(
        among(reader, c.company_folded, companies), c.owner.is_not(None), c.erased_at.is_(None)
    )
    query = query.group_by(c.company_folded, c.owner).order_by(c.company_folded, count.desc(), c.owner)
    found: dict[str, list[str]] = defaultdict(list)
    for row in reader.execute(query):
        found[row.company_folded].append(row.owner)
    return found


def set_owners(uow: UnitOfWork, actor: Actor, owners: Mapping[str, str]) -> None:
    """`set_owner` for many; a merged record's survivor gets it, and who was erased is passed over.

    The rows are locked in the order of their ids, so that two of these never wait for each other in a ring.
    """
    survivors = survivors_of(uow, owners)
    wanted = {kept: owners[one] for one, kept in survivors.items()}
    c = t.customer.c
    locked = select(c.id, c.owner).where(among(uow, c.id, sorted(wanted)), c.erased_at.is_(None)).order_by(c.id)
    before = {row.id: row.owner for row in uow.execute(locked.with_for_update())} if wanted else {}
    for one, former in before.items():
        if former != wanted[one]:
            uow.execute(update(t.customer).where(c.id == one).values(owner=wanted[one]))
            payload = {"owner": wanted[one], "before": former}
            uow.record(AuditEntry("customer.owner_set", one, payload, customer_id=one, actor=actor))
