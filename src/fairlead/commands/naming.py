"""How a customer is named on the command line: by id, e-mail address, telephone number or an id of one's own."""

from __future__ import annotations

from fairlead import customers
from fairlead.errors import NotFoundError
from fairlead.kit.ids import is_id
from fairlead.kit.unit_of_work import Reader


def customer_named(reader: Reader, text: str) -> str:
    """The customer's id, the survivor's where records were merged; NotFoundError when nobody is known so."""
    if is_id(text, "cus") and text in customers.names_of(reader, [text]):
        return customers.survivor_of(reader, text)
    kinds, normal = customers.IdentityKind, customers.normalise_address
    ways = (
        (kinds.EMAIL, text), (kinds.EMAIL, normal("email", text)), (kinds.PHONE, normal("phone", text)),
        (kinds.EXTERNAL_ID, text),
    ) if text.strip() else ()  # fmt: skip
    for kind, value in ways:
        holder = customers.holder_of(reader, (kind.value, value))
        if holder:
            return holder
    message = f"nobody is known as {text[:80]}"
    raise NotFoundError(message, customer=text[:80])
