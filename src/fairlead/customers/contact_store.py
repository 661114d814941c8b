"""All SQL of what decides whether and when a customer may be written to, but for consents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select

from fairlead.customers import tables as t
from fairlead.customers.veiling import veiled
from fairlead.kit.clock import from_micros
from fairlead.kit.ids import new_id
from fairlead.kit.jsons import loads
from fairlead.kit.unit_of_work import Reader, UnitOfWork

LIFTED, SUPPRESSED = "lifted", "suppressed"
_ADDRESS_LOCK = 0x5E4D
_SUPPRESSIONS = (
    "SELECT channel, address, state, scope, reason, at FROM suppression WHERE address = ANY(?) ORDER BY at, id"
)
_ZONES = "SELECT customer_id, zones, evidence, at FROM customer_zone WHERE customer_id = ANY(?) ORDER BY at, id"
_COUNTRIES = "SELECT id, country FROM customer WHERE id = ANY(?) AND erased_at IS NULL ORDER BY id"
_PHONES = (
    "SELECT customer_id, value FROM customer_identity WHERE customer_id = ANY(?) AND kind = 'phone' ORDER BY value"
)
_PREFERENCES = (
    "SELECT customer_id, purpose, channel, per_week, paused_until, source, at FROM customer_preference "
    "WHERE customer_id = ANY(?) ORDER BY at, id"
)


class SuppressionRow(NamedTuple):
    """A line about a normalised address; the newest of a scope counts."""

    channel: str
    address: str
    state: str
    scope: str
    reason: str
    at: datetime


class ZoneRow(NamedTuple):
    """A piece of evidence of where a customer may be."""

    customer_id: str
    zones: list[str]
    evidence: str
    at: datetime


class PreferenceRow(NamedTuple):
    """A wish; the newest of (purpose, channel) counts."""

    customer_id: str
    purpose: str
    channel: str
    per_week: int | None
    paused_until: datetime | None
    source: str
    at: datetime


def suppressions_of(reader: Reader, addresses: Iterable[str]) -> list[SuppressionRow]:
    """Every row about these normalised addresses, oldest first; those kept of erased customers included."""
    wanted = set(addresses)
    unveiled = veiled(reader, wanted)
    rows = reader.fetch(_SUPPRESSIONS, sorted(wanted | set(unveiled)))
    return [
        SuppressionRow(row[0], unveiled.get(row[1], row[1]), row[2], row[3], row[4], from_micros(row[5]))
        for row in rows
    ]


def insert_suppression(uow: UnitOfWork, values: dict[str, Any]) -> str:
    """Append a row; its id."""
    row_id = new_id("sup")
    uow.execute(insert(t.suppression).values(id=row_id, at=uow.now, **values))
    return row_id


def lock_address(uow: UnitOfWork, channel: str, address: str) -> None:
    """Keep others from deciding about this address until the end; on SQLite the writer is alone anyway."""
    if uow.dialect == "postgresql":
        uow.execute(select(func.pg_advisory_xact_lock(_ADDRESS_LOCK, func.hashtext(f"{channel} {address}"))))


def insert_zone(uow: UnitOfWork, customer_id: str, values: dict[str, Any]) -> str:
    """Append a piece of evidence; its id."""
    row_id = new_id("zon")
    uow.execute(insert(t.zone).values(id=row_id, customer_id=customer_id, at=uow.now, **values))
    return row_id


def zones_of(reader: Reader, ids: Sequence[str]) -> list[ZoneRow]:
    """Evidence about these records, oldest first."""
    rows = reader.fetch(_ZONES, sorted(ids))
    return [ZoneRow(one, loads(zones), evidence, from_micros(at)) for one, zones, evidence, at in rows]


def countries_of(reader: Reader, ids: Sequence[str]) -> list[tuple[str, str | None]]:
    """(customer, country) of these records that are not erased."""
    return [(row[0], row[1]) for row in reader.fetch(_COUNTRIES, sorted(ids))]


def phones_of(reader: Reader, ids: Sequence[str]) -> list[tuple[str, str]]:
    """(customer, number) of telephone numbers."""
    return [(row[0], row[1]) for row in reader.fetch(_PHONES, sorted(ids))]


def insert_preference(uow: UnitOfWork, customer_id: str, values: dict[str, Any]) -> str:
    """Append a preference; its id."""
    row_id = new_id("prf")
    uow.execute(insert(t.preference).values(id=row_id, customer_id=customer_id, at=uow.now, **values))
    return row_id


def preferences_of(reader: Reader, ids: Sequence[str]) -> list[PreferenceRow]:
    """Preferences of these records, oldest first."""
    return [
        PreferenceRow(one, purpose, channel, rate, from_micros(until) if until is not None else None, source,
                      from_micros(at))
        for one, purpose, channel, rate, until, source, at in reader.fetch(_PREFERENCES, sorted(ids))
    ]  # fmt: skip
