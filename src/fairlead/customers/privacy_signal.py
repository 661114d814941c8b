"""Global Privacy Control: a browser that says, by a header, that nothing may be sold or shared."""

from __future__ import annotations

from fairlead.customers.consenting import append
from fairlead.customers.consents import ALL, standing_for
from fairlead.customers.ledger import consents_of
from fairlead.customers.living import living
from fairlead.customers.model import ConsentRecord, ConsentState
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import UnitOfWork

SHARING = "sharing"
"""The purpose of a withdrawal that a browser asked for; no message ever has it."""
HEADER = "Sec-GPC"
MECHANISM = "gpc"


def asks_privacy(header: str | None) -> bool:
    """Whether the value of the header `Sec-GPC` is the signal; only `1` is, whatever else is sent."""
    return header is not None and header.strip() == "1"


def record_privacy_signal(uow: UnitOfWork, actor: Actor, customer_id: str, *, source: str, where: str) -> bool:
    """Withdraw `sharing` on every channel because the customer's browser said so; False when that stood already.

    The proof is the header itself, with `where` it came. It says nothing about what we write to the customer
    ourselves.
    """
    survivor = living(uow, customer_id).id
    standing = standing_for(consents_of(uow, [survivor], uow.now)[survivor], SHARING, ALL)
    if standing is not None and standing.state == ConsentState.WITHDRAWN:
        return False
    proof = {"header": f"{HEADER}: 1", "where": where}
    append(uow, actor, survivor, ConsentRecord(SHARING, ALL, ConsentState.WITHDRAWN, MECHANISM, source, proof))
    return True
