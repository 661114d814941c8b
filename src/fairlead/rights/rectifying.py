"""Putting right what is stored about a customer, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead import customers
from fairlead.customers import CHANNELS_OF, TimelineNote, normalise_address
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import UnitOfWork

SOURCE = "rectified at the customer's request"
_ADDRESSES = ("email", "phone")


def rectify(uow: UnitOfWork, actor: Actor, customer_id: str, changes: Mapping[str, str]) -> list[dict[str, Any]]:
    """Write the new values; each change as field, old and new.

    A new address is added as not verified, and the old ones of its kind stay, since other systems may still use them;
    they are taken away unless somebody proved that they are the customer's. ConflictError where an address belongs
    to another customer.
    """
    profile = {name: value or None for name, value in changes.items() if name not in _ADDRESSES}
    before = customers.change_profile(uow, actor, customer_id, profile, source=SOURCE)
    done = [{"field": name, "old": before[name], "new": profile[name]} for name in profile]
    known = customers.profile(uow, customer_id, uow.now).identities
    for kind in _ADDRESSES:
        if kind in changes:
            value = normalise_address(CHANNELS_OF[kind][0], changes[kind])
            customers.add_identity(uow, actor, customer_id, kind, value, source=SOURCE)
            old = [one.value for one in known if one.kind == kind and one.value != value]
            for one in old:
                customers.drop_identity(uow, actor, customer_id, kind, one)
            done.append({"field": kind, "old": old[0] if old else None, "new": value})
    words = "Rectified: " + ", ".join(str(one["field"]) for one in done)
    customers.note(uow, actor, TimelineNote(customers.survivor_of(uow, customer_id), "rights.rectified", words))
    return done
