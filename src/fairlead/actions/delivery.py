"""What the outbox needs of whoever delivers; `fairlead.connectors` hands these names on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class ReceiptState(StrEnum):
    """What a connector can say of one delivery."""

    SENT = "sent"
    REFUSED = "refused"
    """Never will be, however often it is tried: a bad address, a record that is gone."""
    FAILED = "failed"
    """This key had no effect so far; a later delivery may work."""
    AMBIGUOUS = "ambiguous"
    """Nobody can know whether it was sent; it is not sent again by itself."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One effect to bring about; the same `idempotency_key` always means the same effect, at most once.

    `parts` are other messages to the same customer that are to go out with it as one; see `puts_together`.
    """

    idempotency_key: str
    kind: str
    body: dict[str, Any] = field(default_factory=dict)
    customer_id: str | None = None
    parts: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a delivery; `detail` is for people, at most 2,000 characters of it are kept.

    `copy` is what was handed over, to the letter, where that is more than the body; it is kept with the action.
    """

    state: ReceiptState
    detail: str = ""
    copy: str = ""


class Connector(Protocol):
    """A way out of Fairlead.

    One whose class says `reaches_customer = True` is given only what the gate allows. One may have a `rate`, a
    `fairlead.actions.Rate`: so many deliveries all workers together hand to it. Only one whose `puts_together(body)`
    says True is ever given a delivery with `parts`, and sends them with it as one message, whole or not at all.
    """

    name: str
    """What actions call it by; stable."""

    def deliver(self, delivery: Delivery) -> Receipt:
        """Bring the effect about; called outside any transaction, by several threads and processes.

        A key that was accepted before is answered with `sent` and has no second effect. Returns within 20 s.
        An exception counts as `failed`: raise only where nothing was sent.
        """
        ...


def reaches_customer(connector: Connector) -> bool:
    """Whether what it delivers passes the gate first."""
    return bool(getattr(connector, "reaches_customer", False))


def puts_together(connector: Connector, body: dict[str, Any]) -> bool:
    """Whether it can send other messages with this one, as one."""
    can = getattr(connector, "puts_together", None)
    return bool(can is not None and can(body))
