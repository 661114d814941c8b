"""Leaving: what a customer withdraws behind a signed link, once and for all that it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.customers import lineage, store
from fairlead.customers.addresses import CHANNELS_OF
from fairlead.customers.consenting import record_consent, withdraw_all
from fairlead.customers.consents import ALL, Key, Standing, standing_for
from fairlead.customers.ledger import consents_of
from fairlead.customers.living import living
from fairlead.customers.model import ConsentRecord, ConsentState
from fairlead.customers.suppressing import suppressions_of
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import UnitOfWork


def leave(uow: UnitOfWork, customer_id: str, key: Key, *, mechanism: str, source: str, proof: dict[str, Any]) -> bool:
    """Withdraw one purpose on one channel, or everything where both are `*`; False when that stood already.

    ConflictError once the customer is erased: nothing is sent to them then.
    """
    survivor = living(uow, customer_id).id
    me = Actor(ActorKind.CUSTOMER, survivor)
    said = consents_of(uow, [survivor], uow.now)[survivor]
    if key != (ALL, ALL):
        return turn_off(uow, me, said, key, mechanism, source, proof)
    if has_stopped(said) and not _unsuppressed(uow, survivor):
        return False
    withdraw_all(uow, me, survivor, source=source, mechanism=mechanism, proof=proof)
    return True


def has_stopped(said: Mapping[Key, Standing]) -> bool:
    """Whether everything was withdrawn and nothing has been given since."""
    return (ALL, ALL) in said and all(one.state != ConsentState.GIVEN for one in said.values())


def turn_off(
    uow: UnitOfWork,
    me: Actor,
    said: Mapping[Key, Standing],
    key: Key,
    mechanism: str,
    source: str,
    proof: dict[str, Any],
) -> bool:
    """Withdraw what `key` names unless that stands already and nothing below it was given; whether it wrote."""
    standing = standing_for(said, *key)
    given_below = any(_within(one, key) and known.state == ConsentState.GIVEN for one, known in said.items())
    if standing is not None and standing.state == ConsentState.WITHDRAWN and not given_below:
        return False
    record_consent(uow, me, me.id, ConsentRecord(*key, ConsentState.WITHDRAWN, mechanism, source, proof))
    return True


def _within(key: Key, wide: Key) -> bool:
    return all(two in {ALL, one} for one, two in zip(key, wide, strict=True))


def reaches_of(uow: UnitOfWork, survivor: str) -> Sequence[Key]:
    """Every (channel, address) on which a customer can be reached, sorted."""
    family = lineage.families_of(uow, [survivor])[survivor]
    found = store.identities_of(uow, family)
    return sorted({(channel, one.value) for one in found for channel in CHANNELS_OF.get(one.kind, ())})


def _unsuppressed(uow: UnitOfWork, survivor: str) -> bool:
    reaches = reaches_of(uow, survivor)
    return len(suppressions_of(uow, reaches)) < len(reaches)
