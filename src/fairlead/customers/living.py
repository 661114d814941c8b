"""Finding the customer that a verb is about, and keeping it from others until the transaction ends."""

from __future__ import annotations

from typing import Any

from fairlead.customers import lineage, store
from fairlead.errors import ConflictError, NotFoundError, UnavailableError
from fairlead.kit.unit_of_work import UnitOfWork

_ROUNDS = 8


def living(uow: UnitOfWork, customer_id: str) -> Any:
    """The row of the customer, or of who stands for it since a merge, kept from others until the end.

    NotFoundError for an unknown id, ConflictError for an erased customer.
    """
    row = locked(uow, customer_id)
    if row.erased_at is not None:
        message = f"customer {customer_id} was erased; nothing more is kept about them"
        raise ConflictError(message, code="customer_erased", customer=customer_id)
    return row


def locked(uow: UnitOfWork, customer_id: str) -> Any:
    """The same for customers who may be erased."""
    for _ in range(_ROUNDS):
        survivor = lineage.survivors_of(uow, [customer_id]).get(customer_id)
        if survivor is None:
            message = f"there is no customer {customer_id}"
            raise NotFoundError(message, customer=customer_id)
        row = store.lock_customer(uow, survivor)
        if row.merged_into is None and lineage.survivors_of(uow, [customer_id])[customer_id] == survivor:
            return row
        # It was merged, or taken apart, between the look and the lock: look again.
    message = f"customer {customer_id} kept being merged for {_ROUNDS} rounds; try again"
    raise UnavailableError(message)


def lock_contact(uow: UnitOfWork, customer_id: str) -> str:
    """Keep everything that decides about contacting this customer as it is until the end; who stands for them.

    Consents, suppressions of their addresses, flags, merges and reservations of the gate all take this lock, so
    that the order of commits is the order in which they count. NotFoundError for an unknown id.
    """
    found: str = locked(uow, customer_id).id
    return found
