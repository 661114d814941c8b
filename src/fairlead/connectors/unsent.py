"""Mail where no mail server is set up: written out whole into a folder, so that one sees what would go out."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from fairlead.connectors.mail_orders import FindContact, FindLinks, FindWayOut, OrderReader, copy_for_keeping, letter_of
from fairlead.connectors.mail_setup import MailSetup
from fairlead.connectors.message_templates import Templates
from fairlead.connectors.ports import Delivery, Receipt, ReceiptState
from fairlead.errors import InputError, NotFoundError


class UnsentMail:
    """Writes each message as `<its id>.eml`, which mail programs open; nothing leaves the machine.

    A key that was written before is not written again.
    """

    name = "unsent"
    reaches_customer = True

    def __init__(
        self,
        folder: Path,
        setup: MailSetup,
        now: Callable[[], datetime],
        *,
        templates: Callable[[], Templates],
        contact: FindContact,
        way_out: FindWayOut,
        links: FindLinks | None = None,
    ) -> None:
        """`folder` is made when the first message comes; of `setup` only who writes is used."""
        self._folder = folder
        self._setup = setup
        self._now = now
        self._orders = OrderReader(setup, templates, contact, way_out, links)

    def puts_together(self, body: dict[str, Any]) -> bool:  # noqa: ARG002  what any connector is asked
        """A mail holds several messages one under the other."""
        return True

    def deliver(self, delivery: Delivery) -> Receipt:
        """See `Connector.deliver`: sent once the file is there, refused where no message can be made of the body."""
        try:
            order = self._orders.read(delivery)
            at = self._now()
            raw = letter_of(self._setup, order, at, ())
            kept = copy_for_keeping(self._setup, order, raw, at, ())
        except (InputError, NotFoundError) as error:
            return Receipt(ReceiptState.REFUSED, error.message)
        path = self._folder / f"{order.mail.id}.eml"
        words = f"would have been sent by e-mail to {order.to}: no mail server is set up (FAIRLEAD_SMTP_HOST)"
        try:
            if not path.exists():
                _write(path, raw)
        except OSError as error:
            return Receipt(ReceiptState.FAILED, f"{path.name}: {error}")
        return Receipt(ReceiptState.SENT, f"{words}; {path.parent.name}/{path.name}", kept)


def _write(path: Path, raw: bytes) -> None:
    """Whole or not at all; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.touch(mode=0o600)
    scratch.write_bytes(raw)
    scratch.replace(path)
