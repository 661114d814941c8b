"""Customers in bulk, for whoever looks at all of them: one per person, merged records counted in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from fairlead.customers import lineage, tables as t
from fairlead.customers.model import Identity
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader

MAX_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A customer as lists and comparisons need it; `family` are all its ids, the survivor's first."""

    id: str
    name: str
    company: str
    country: str | None
    owner: str | None
    family: tuple[str, ...]
    identities: tuple[Identity, ...]


def list_living(reader: Reader, after: str = "", limit: int = MAX_LISTED) -> list[Listed]:
    """Customers by rising id behind `after`, at most 1,000; without erased ones and records merged into others."""
    c = t.customer.c
    alive = (c.erased_at.is_(None), c.merged_into.is_(None), c.id > after)
    query = select(c.id, c.name, c.company, c.country, c.owner).where(*alive).order_by(c.id)
    return _listed(reader, list(reader.execute(query.limit(max(1, min(limit, MAX_LISTED))))))


def living_of(reader: Reader, ids: Sequence[str]) -> dict[str, Listed]:
    """The same by the ids asked for; a merged record is its survivor, erased and unknown ones are absent."""
    survivors = lineage.survivors_of(reader, ids)
    c = t.customer.c
    query = select(c.id, c.name, c.company, c.country, c.owner).where(c.erased_at.is_(None))
    rows = list(reader.execute(query.where(among(reader, c.id, sorted(set(survivors.values()))))))
    found = {one.id: one for one in _listed(reader, rows)}
    return {one: found[survivor] for one, survivor in survivors.items() if survivor in found}


def _listed(reader: Reader, rows: Sequence[Any]) -> list[Listed]:
    if not rows:
        return []
    members = lineage.members_of(reader, [row.id for row in rows])
    stands_for = {one: survivor for survivor, others in members.items() for one in others}
    everyone = [*(row.id for row in rows), *stands_for]
    c = t.identity.c
    query = select(c.customer_id, c.kind, c.value).where(among(reader, c.customer_id, everyone))
    identities: dict[str, list[Identity]] = defaultdict(list)
    known: list[Any] = list(reader.execute(query.order_by(c.kind, c.value)))
    for one, kind, value in known:
        identities[stands_for.get(one, one)].append((kind, value))
    return [
        Listed(row.id, row.name, row.company, row.country, row.owner, (row.id, *members.get(row.id, ())),
               tuple(identities[row.id]))
        for row in rows
    ]  # fmt: skip
