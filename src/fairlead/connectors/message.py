"""Messages to customers: none leaves before there is a gate that says whether it may."""

from __future__ import annotations

from fairlead.connectors.ports import MESSAGE, Delivery, Receipt, ReceiptState


class MessageConnector:
    """Stands for every channel to a customer; the outbox holds what it would carry."""

    name = MESSAGE

    def deliver(self, delivery: Delivery) -> Receipt:
        """Refuses: the outbox does not ask, and whoever does must not get a message out."""
        return Receipt(ReceiptState.REFUSED, f"{delivery.kind}: messages to customers are not sent yet")
