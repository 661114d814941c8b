"""Finding the customer that a verb is about, and keeping it from others until the transaction ends."""

from __future__ import annotations

from collections.abc import Iterable
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
            raise _unknown(customer_id)
        row = store.lock_customer(uow, survivor)
        if row.merged_into is None and lineage.survivors_of(uow, [customer_id])[customer_id] == survivor:
            return row
        # It was merged, or taken apart, between the look and the lock: look again.
    raise _merging([customer_id])


def lock_contact(uow: UnitOfWork, customer_id: str) -> str:
    """Keep everything that decides about contacting this customer as it is until the end; who stands for them.

    Consents, suppressions of their addresses, flags, merges and reservations of the gate all take this lock, so
    that the order of commits is the order in which they count. NotFoundError for an unknown id.
    """
    survivor = lock_contacts(uow, [customer_id]).get(customer_id)
    if survivor is None:
        raise _unknown(customer_id)
    return survivor


def lock_contacts(uow: UnitOfWork, customer_ids: Iterable[str]) -> dict[str, str]:
    """`lock_contact` for many at once, in one order for all; who stands for whom, without the ids that nobody has."""
    wanted = sorted(set(customer_ids))
    survivors = lineage.survivors_of(uow, wanted)
    if uow.dialect != "postgresql":
        return survivors  # the writer is alone
    for _ in range(_ROUNDS):
        heads = sorted(set(survivors.values()))
        merged = store.lock_rows(uow, heads)
        now = lineage.survivors_of(uow, [one for one in survivors if one not in heads])
        if not merged and all(survivors[one] == head for one, head in now.items()):
            return survivors
        survivors = lineage.survivors_of(uow, wanted)
    raise _merging(wanted)


def _unknown(customer_id: str) -> NotFoundError:
    return NotFoundError(f"there is no customer {customer_id}", customer=customer_id)


def _merging(customer_ids: list[str]) -> UnavailableError:
    return UnavailableError(f"{', '.join(customer_ids):.200} kept being merged for {_ROUNDS} rounds; try again")
