"""All that every message asks about a customer, read in one go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.customers import lineage, store
from fairlead.customers.consents import Key, Standing
from fairlead.customers.flagging import flags_by_survivor
from fairlead.customers.ledger import standings_by_survivor
from fairlead.customers.locating import zones_by_survivor
from fairlead.customers.model import IdentityKind, KnownIdentity
from fairlead.customers.preferring import Preference, wishes_by_survivor
from fairlead.customers.zones import Zones
from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader


class Reach(NamedTuple):
    """All that decides whether and when a customer may be written to, under the survivor's id.

    `family` is every id of theirs, the survivor's first; `flags` are those that count now.
    """

    id: str
    family: tuple[str, ...]
    erased: bool
    country: str | None
    identities: tuple[KnownIdentity, ...]
    flags: Mapping[str, Any]
    standings: Mapping[Key, Standing]
    zones: Zones
    wishes: Mapping[Key, Preference]


class Addressee(NamedTuple):
    """Who a message greets: `language` and `email` are "" where none is known."""

    name: str
    language: str
    email: str


def addressee_of(reader: Reader, customer_id: str) -> Addressee | None:
    """The customer as a message names them, under the survivor's id; None for an unknown or erased one."""
    survivor, *merged = lineage.families_of(reader, [customer_id])[customer_id]
    found = store.addressee_of(reader, survivor)
    if found is None or found[2]:
        return None
    known = store.identities_of(reader, [survivor, *merged])
    email = next((one.value for one in known if one.kind == IdentityKind.EMAIL), "")
    return Addressee(found[0], found[1] or "", email)


def reach_of(reader: Reader, customer_id: str, now: datetime) -> Reach:
    """What counts at `now`, read in one go, as every message asks for it; NotFoundError for an unknown id."""
    kin = lineage.kin_of(reader, [customer_id])
    survivor = kin.survivors.get(customer_id)
    if survivor is None:
        message = f"there is no customer {customer_id}"
        raise NotFoundError(message, customer=customer_id)
    family = tuple(sorted(kin.stands_for, key=lambda one: (one != survivor, one)))
    country, erased = store.standing_of(reader, survivor)
    return Reach(
        survivor,
        family,
        erased,
        country,
        tuple(store.identities_of(reader, family)),
        flags_by_survivor(reader, kin, now).get(survivor, {}),
        standings_by_survivor(reader, kin, now)[survivor],
        zones_by_survivor(reader, kin, now)[survivor],
        wishes_by_survivor(reader, kin, now)[survivor],
    )
