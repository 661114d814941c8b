"""Addresses to which nothing is sent, whoever's they are: by normalised address and channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.customers import contact_store, store
from fairlead.customers.addresses import normalise_address
from fairlead.customers.contact_store import LIFTED, SUPPRESSED
from fairlead.customers.living import lock_contact
from fairlead.customers.model import check_text
from fairlead.errors import InputError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

EVERYTHING, PROMOTIONAL = "all", "promotional"
SCOPES = (EVERYTHING, PROMOTIONAL)
Reach = tuple[str, str]
"""(channel, address)"""


class Suppressed(NamedTuple):
    """That nothing (`all`) or nothing promotional may be sent, since when and why."""

    scope: str
    reason: str
    at: datetime


def suppress(
    uow: UnitOfWork, actor: Actor, channel: str, address: str, *, reason: str, source: str, scope: str = EVERYTHING
) -> None:
    """Send nothing more to this address on this channel, whoever's it is or will be.

    `promotional` leaves messages about orders and requests alone; it never weakens an `all` that stands.
    """
    values = {"channel": channel, "address": address, "reason": reason, "source": source, "scope": scope}
    _append(uow, actor, SUPPRESSED, values)


def lift_suppression(
    uow: UnitOfWork, actor: Actor, channel: str, address: str, *, reason: str, source: str, scope: str = EVERYTHING
) -> None:
    """Allow the address again, whether it was suppressed or not; `promotional` leaves an `all` standing."""
    values = {"channel": channel, "address": address, "reason": reason, "source": source, "scope": scope}
    _append(uow, actor, LIFTED, values)


def suppressions_of(reader: Reader, reaches: Iterable[Reach]) -> dict[Reach, Suppressed]:
    """What is suppressed now of these (channel, address), in the caller's own spelling; free ones are absent."""
    normal = {reach: (reach[0], normalise_address(*reach)) for reach in reaches}
    standing = standing_by_reach(reader, {address for _, address in normal.values()})
    return {reach: standing[known] for reach, known in normal.items() if known in standing}


def standing_by_reach(reader: Reader, addresses: Iterable[str]) -> dict[Reach, Suppressed]:
    """What is suppressed now of these normalised addresses, on any channel."""
    wanted = set(addresses)
    scopes: dict[Reach, dict[str, Any]] = defaultdict(dict)
    for row in contact_store.suppressions_of(reader, wanted) if wanted else ():
        known = scopes[row.channel, row.address]
        if row.state == SUPPRESSED:
            known[row.scope] = row
        elif row.scope == EVERYTHING:
            known.clear()
        else:
            known.pop(row.scope, None)
    return {reach: found for reach, known in scopes.items() if (found := _strictest(known)) is not None}


def _strictest(known: Mapping[str, Any]) -> Suppressed | None:
    row = known.get(EVERYTHING) or known.get(PROMOTIONAL)
    return None if row is None else Suppressed(row.scope, row.reason, row.at)


def _append(uow: UnitOfWork, actor: Actor, state: str, values: dict[str, str]) -> None:
    for name, text in values.items():
        check_text(name, text, needed=True)
    if values["scope"] not in SCOPES:
        message = f"there is no scope {values['scope']!r}; known are {', '.join(SCOPES)}"
        raise InputError(message, field="scope")
    normal = normalise_address(values["channel"], values["address"])
    holder = store.holder_of_address(uow, [values["address"], normal])
    if holder is not None:
        holder = lock_contact(uow, holder)
    contact_store.lock_address(uow, values["channel"], normal)
    values = {**values, "address": normal}
    row_id = contact_store.insert_suppression(uow, {**values, "state": state})
    if holder is None:
        # Nobody's key could make an unknown person's address unreadable later; the row's id stands for it.
        values = {name: text for name, text in values.items() if name != "address"}
    uow.record(AuditEntry(f"suppression.{state}", row_id, dict(values), customer_id=holder, actor=actor))
