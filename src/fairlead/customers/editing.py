"""Changing what a customer's profile says, one value at a time, with what stood there before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, update

from fairlead.customers import lineage, tables as t
from fairlead.customers.model import check_text, fold
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

EDITABLE = ("name", "company", "country", "value_minor")


def change_profile(
    uow: UnitOfWork, actor: Actor, customer_id: str, values: Mapping[str, Any], *, source: str
) -> dict[str, Any]:
    """Write these of name, company, country (alpha-2 or None) and value_minor; what stood there, by field.

    InputError for another field or an overlong text, ConflictError for an erased customer.
    """
    row = _locked(uow, customer_id)
    for name, value in values.items():
        if name not in EDITABLE:
            message = f"{name} of a customer cannot be changed here; known are {', '.join(EDITABLE)}"
            raise InputError(message, field=name)
        if name != "value_minor":
            check_text(name, value or "")
    if not values:
        return {}
    written = dict(values)
    for name in ("name", "company"):
        if name in written:
            written[name] = written[name] or ""
            written[f"{name}_folded"] = fold(written[name])
    uow.execute(update(t.customer).where(t.customer.c.id == row.id).values(**written))
    before = {name: getattr(row, name) for name in values}
    payload = {"before": before, "after": dict(values), "source": source}
    uow.record(AuditEntry("customer.changed", row.id, payload, row.id, actor))
    return before


def drop_identity(uow: UnitOfWork, actor: Actor, customer_id: str, kind: str, value: str) -> bool:
    """Take an identity back that nobody verified; False when the customer does not have it any more, or it is."""
    row = _locked(uow, customer_id)
    c = t.identity.c
    mine = (c.kind == kind) & (c.value == value) & (c.customer_id == row.id) & c.verified_at.is_(None)
    if uow.execute(delete(t.identity).where(mine)).rowcount != 1:
        return False
    uow.record(AuditEntry("customer.identity_dropped", row.id, {"kind": kind, "value": value}, row.id, actor))
    return True


def _locked(uow: UnitOfWork, customer_id: str) -> Any:
    survivor = lineage.survivors_of(uow, [customer_id]).get(customer_id, customer_id)
    row = lineage.lock(uow, [survivor]).get(survivor)
    if row is None:
        message = f"there is no customer {customer_id}"
        raise NotFoundError(message, customer=customer_id)
    if row.erased_at is not None:
        message = f"customer {customer_id} was erased; nothing more is kept about them"
        raise ConflictError(message, code="customer_erased", customer=customer_id)
    return row
