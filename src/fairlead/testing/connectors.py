"""Connectors for tests: one that counts, one that fails on plan, one that never knows."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from fairlead.connectors import Delivery, Receipt, ReceiptState


class RecordingConnector:
    """Accepts everything; `effects` counts what really happened per key, `calls` what was asked, in order.

    Like a good service it knows its keys: a second delivery of one is answered and has no effect.
    """

    def __init__(self, name: str = "recording", *, reaches_customer: bool = False) -> None:
        """`name` is what actions call it by; with `reaches_customer` it is given only what the gate allows."""
        self.name = name
        self.reaches_customer = reaches_customer
        self.calls: list[Delivery] = []
        self.effects: Counter[str] = Counter()
        self._lock = threading.Lock()

    def deliver(self, delivery: Delivery) -> Receipt:
        """Sent; the detail says whether it had an effect."""
        with self._lock:
            self.calls.append(delivery)
            if self.effects[delivery.idempotency_key]:
                return Receipt(ReceiptState.SENT, "known key, no effect")
            self.effects[delivery.idempotency_key] += 1
            return Receipt(ReceiptState.SENT, "done")


class FlakyConnector(RecordingConnector):
    """Answers the n-th call of each key with the n-th entry of `plan`, and accepts once the plan is used up.

    An exception in the plan is raised. `refused` and `ambiguous` are answered without an effect.
    """

    def __init__(
        self, plan: Sequence[ReceiptState | Exception], name: str = "flaky", *, reaches_customer: bool = False
    ) -> None:
        """`plan` is the same for every key."""
        super().__init__(name, reaches_customer=reaches_customer)
        self._plan = tuple(plan)
        self._asked: Counter[str] = Counter()

    def deliver(self, delivery: Delivery) -> Receipt:
        """What the plan says for this call of this key."""
        with self._lock:
            turn = self._asked[delivery.idempotency_key]
            self._asked[delivery.idempotency_key] += 1
        if turn >= len(self._plan) or self._plan[turn] is ReceiptState.SENT:
            return super().deliver(delivery)
        answer = self._plan[turn]
        with self._lock:
            self.calls.append(delivery)
        if isinstance(answer, Exception):
            raise answer
        return Receipt(answer, f"planned answer {turn + 1}")


class AmbiguousConnector(RecordingConnector):
    """Has its effect, once per key, and cannot say so: a mail server that hangs up after the last byte."""

    def __init__(self, name: str = "ambiguous", *, reaches_customer: bool = False) -> None:
        """See RecordingConnector."""
        super().__init__(name, reaches_customer=reaches_customer)

    def deliver(self, delivery: Delivery) -> Receipt:
        """Ambiguous, always."""
        super().deliver(delivery)
        return Receipt(ReceiptState.AMBIGUOUS, "the connection broke after the last byte")
