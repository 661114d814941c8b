"""What a connector is. The outbox stands to the left and owns the words; others take them from here."""

from __future__ import annotations

from fairlead.actions import MESSAGE, Connector, Delivery, Receipt, ReceiptState, puts_together

__all__ = ["MESSAGE", "Connector", "Delivery", "Receipt", "ReceiptState", "puts_together"]
