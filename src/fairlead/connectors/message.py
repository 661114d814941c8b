"""Messages to customers by the channel's own connector; where there is none, into a file that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.connectors.ports import MESSAGE, Connector, Delivery, Receipt, ReceiptState, puts_together

DEFAULT_CHANNEL = "email"


class MessageConnector:
    """Picks the connector of the body's `channel`, e-mail without one.

    A channel that is not set up goes to `sink`, and its receipt says that the message would have been sent.
    """

    name = MESSAGE
    reaches_customer = True

    def __init__(self, channels: Mapping[str, Connector] | None = None, sink: Connector | None = None) -> None:
        """`sink` None: messages of channels that are not set up are refused."""
        self._channels = dict(channels or {})
        self._sink = sink

    def puts_together(self, body: dict[str, Any]) -> bool:
        """Whether the channel's own connector does."""
        connector = self._of(body)
        return connector is not None and puts_together(connector, body)

    def _of(self, body: dict[str, Any]) -> Connector | None:
        channel = body.get("channel") or DEFAULT_CHANNEL
        return self._channels.get(channel) if isinstance(channel, str) else None

    def deliver(self, delivery: Delivery) -> Receipt:
        """See `Connector.deliver`."""
        channel, connector = delivery.body.get("channel") or DEFAULT_CHANNEL, self._of(delivery.body)
        if connector is not None:
            return connector.deliver(delivery)
        if self._sink is None:
            words = f"{delivery.kind}: no connector is set up for the channel {str(channel)[:40]!r}"
            return Receipt(ReceiptState.REFUSED, words)
        receipt = self._sink.deliver(delivery)
        if receipt.state is not ReceiptState.SENT:
            return receipt
        words = f"would have been sent by {str(channel)[:40]}, which is not set up: {receipt.detail}"
        return Receipt(ReceiptState.SENT, words, receipt.copy)
