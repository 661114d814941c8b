"""Deliveries as log lines: who, what kind, which fields; never the body, which may be personal."""

from __future__ import annotations

import threading

import structlog

from fairlead.connectors.ports import Delivery, Receipt, ReceiptState

REMEMBERED = 10_000


class LogConnector:
    """Writes one log line per delivery; a key among the last 10,000 of this process is not logged again."""

    name = "log"

    def __init__(self) -> None:
        """Remembers nothing yet."""
        self._log = structlog.get_logger("fairlead.connectors.log")
        self._seen: dict[str, None] = {}
        self._lock = threading.Lock()

    def deliver(self, delivery: Delivery) -> Receipt:
        """Always sent."""
        with self._lock:
            if delivery.idempotency_key in self._seen:
                return Receipt(ReceiptState.SENT, "logged before")
            self._seen[delivery.idempotency_key] = None
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]
        self._log.info(
            "delivered",
            kind=delivery.kind,
            key=delivery.idempotency_key,
            customer=delivery.customer_id,
            fields=sorted(delivery.body),
        )
        return Receipt(ReceiptState.SENT, "logged")
