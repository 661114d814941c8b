"""Where customers are: evidence that is written down, and what their numbers and country tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from fairlead.customers import contact_store, lineage
from fairlead.customers.living import living
from fairlead.customers.model import check_text
from fairlead.customers.zones import (
    NOWHERE,
    Evidence,
    Learnt,
    Zones,
    check_zones,
    strongest,
    zones_of_country,
    zones_of_phone,
)
from fairlead.errors import InputError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import from_micros
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

_EVER = from_micros(0)
"""The date of what follows from numbers and country: it is no newer than anything written down."""


def learn_zone(
    uow: UnitOfWork, actor: Actor, customer_id: str, zones: Sequence[str], evidence: str, source: str
) -> str:
    """Write down where the customer may be; the id of the evidence. No zones take this kind of evidence back.

    Numbers and country need not be written down: `zones_of` reads them as they are. InputError for an unknown
    zone or kind of evidence.
    """
    check_text("source", source, needed=True)
    if evidence not in set(Evidence):
        message = f"there is no evidence {evidence!r}; known are {', '.join(Evidence)}"
        raise InputError(message, field="evidence")
    values = {"zones": list(check_zones(zones)), "evidence": evidence, "source": source}
    row = living(uow, customer_id)
    row_id = contact_store.insert_zone(uow, row.id, values)
    uow.record(AuditEntry("customer.zone_learnt", row.id, values, customer_id=row.id, actor=actor))
    return row_id


def zones_of(reader: Reader, customer_ids: Sequence[str], now: datetime) -> dict[str, Zones]:
    """Where these customers may be at `now`, by the ids asked for; unknown ids are absent.

    The strongest evidence about any record of the customer counts, then the newest. Several numbers, and a number
    or country with several zones, give all of them.
    """
    kin = lineage.kin_of(reader, customer_ids)
    found = zones_by_survivor(reader, kin, now)
    return {one: found[survivor] for one, survivor in kin.survivors.items()}


def zones_by_survivor(reader: Reader, kin: lineage.Kin, now: datetime) -> dict[str, Zones]:
    """The same for families that are known already, by who stands for them."""
    everyone = list(kin.stands_for)
    learnt: dict[str, list[Learnt]] = defaultdict(list)
    for row in contact_store.zones_of(reader, everyone) if everyone else ():
        if row.at <= now:
            learnt[kin.stands_for[row.customer_id]].append(Learnt(row.at, row.evidence, tuple(row.zones)))
    for one, number in contact_store.phones_of(reader, everyone) if everyone else ():
        learnt[kin.stands_for[one]].append(Learnt(_EVER, Evidence.PHONE, zones_of_phone(number)))
    for one, country in contact_store.countries_of(reader, everyone) if everyone else ():
        learnt[kin.stands_for[one]].append(Learnt(_EVER, Evidence.COUNTRY, zones_of_country(country)))
    return {
        survivor: strongest(learnt[survivor]) if survivor in learnt else NOWHERE
        for survivor in set(kin.survivors.values())
    }
