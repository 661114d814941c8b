"""Many words of customers at once: their lines in the ledger, and telling whoever must know what counts now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fairlead.customers import consent_store, lineage
from fairlead.customers.consent_files import ConsentLine
from fairlead.customers.consenting import OPTED_IN, OPTED_OUT
from fairlead.customers.consents import ALL, Downstream
from fairlead.customers.model import ConsentState
from fairlead.customers.propagating import downstreams
from fairlead.kit import jsons
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.events import Event, publish_many
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

_KINDS = {ConsentState.GIVEN.value: OPTED_IN, ConsentState.WITHDRAWN.value: OPTED_OUT}


class Fresh(NamedTuple):
    """A row to be written: its id, the survivor it is about, its notice's id, and whether it counts."""

    id: str
    who: str
    line: ConsentLine
    notice: str | None
    counts: bool


def write(uow: UnitOfWork, actor: Actor, rows: Sequence[Fresh]) -> None:
    """Append the rows, each with its audit entry."""
    now = to_micros(uow.now)
    consent_store.insert_consents(uow, [
        (one, who, line.purpose, line.channel, line.state, line.mechanism, jsons.dumps(line.proof), line.source,
         str(actor), notice, to_micros(line.expires_at) if line.expires_at else None, to_micros(line.said_at), now)
        for one, who, line, notice, _ in rows
    ])  # fmt: skip
    for one, who, line, notice, _ in rows:
        payload = {
            "consent": one, "purpose": line.purpose, "channel": line.channel, "state": line.state,
            "mechanism": line.mechanism, "proof": line.proof, "source": line.source, "notice_id": notice,
            "said_at": line.said_at.isoformat(), "line": line.line,
            "expires_at": line.expires_at.isoformat() if line.expires_at else None,
        }  # fmt: skip
        uow.record(AuditEntry("customer.consent_recorded", who, payload, customer_id=who, actor=actor))


def tell(uow: UnitOfWork, rows: Sequence[Fresh]) -> None:
    """Waiting cases and downstreams learn what counts now, of one purpose and channel the last word alone."""
    last = {(one.who, one.line.purpose, one.line.channel): one for one in rows if one.counts}
    if not last:
        return
    families = lineage.families_of(uow, sorted({who for who, _, _ in last}))
    events = []
    for (who, purpose, channel), one in last.items():
        payload = {"purpose": purpose, "channel": channel, "consent": one.id}
        events += [Event(_KINDS[one.line.state], each, payload) for each in families[who]]
    publish_many(uow, events)
    _queue(uow, last)


def _queue(uow: UnitOfWork, last: dict[tuple[str, str, str], Fresh]) -> None:
    """What `propagating.queue` does for one word: a row for every system, overtaking what still waits."""
    systems = downstreams(uow)
    if not systems:
        return
    waiting = consent_store.waiting_deliveries(uow, sorted({who for who, _, _ in last}))
    names = {system.name for system in systems}
    consent_store.overtake_deliveries(uow, [
        (f"overtaken by {last[key].id}", delivery)
        for delivery, downstream, *words in waiting
        if downstream in names and (key := (words[0], words[1], words[2])) in last
    ])  # fmt: skip
    consent_store.insert_deliveries(uow, [
        (one.id, who, system.name, _why_not(system, purpose))
        for (who, purpose, _), one in last.items() for system in systems
    ])  # fmt: skip


def _why_not(system: Downstream, purpose: str) -> str:
    """Why a system is not told of a purpose, "" where it is."""
    concerned = not system.purposes or purpose == ALL or purpose in system.purposes
    return "" if concerned else f"{system.name} is told of {', '.join(system.purposes)} only"
