"""What callers say about customers, and how their repeated attempts are told from new ones."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fairlead.customers import holder_of, profile
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros
from fairlead.kit.events import REQUESTED, Event, drop, publish, since

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.api.asking import CustomerBody
    from fairlead.kit.unit_of_work import Reader, UnitOfWork
    from fairlead.people import Principal

KEY_LIFE = timedelta(days=30)


def known_customer(reader: Reader, now: datetime, body: CustomerBody) -> str:
    """The id of the customer that the body names; InputError without one, ConflictError once erased."""
    customer_id, identity = body.parts()
    found = customer_id or (holder_of(reader, identity) if identity else None)
    if found is None:
        raise InputError("No customer is known by this.", code="no_customer")
    try:
        erased = profile(reader, found, now).erased_at is not None
    except NotFoundError:
        raise InputError("There is no customer with this id.", code="no_customer", customer=found[:64]) from None
    if erased:
        raise ConflictError("This customer was erased.", code="customer_erased", customer=found)
    return found


def scoped_id(who: Principal, text: str) -> str:
    """A caller's own id as one of ours; callers cannot meet each other's, nor an id that we gave."""
    return "ext_" + hashlib.sha256(f"{who.id}\n{text}".encode()).hexdigest()


def first_request(uow: UnitOfWork, who: Principal, key: str, body: Any, result: str) -> str:
    """Remember `result` under the caller's key; what was remembered before if it was used for the same body.

    ConflictError when the key was used for another body. A key is forgotten 30 days after its first use.
    """
    mark = scoped_id(who, key)
    drop(uow, REQUESTED, [mark], uow.now - KEY_LIFE)
    digest = hashlib.sha256(jsons.dumps(body).encode()).hexdigest()
    if publish(uow, Event(REQUESTED, mark, {"body": digest, "result": result}, id=mark)):
        return result
    earlier = since(uow, REQUESTED, mark, from_micros(0))
    if earlier is None or earlier.payload["body"] != digest:
        message = "This idempotency key was used for another request; use a new one for a new one."
        raise ConflictError(message, code="key_reused", key=key)
    return str(earlier.payload["result"])
