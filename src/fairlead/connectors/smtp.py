"""Mail to customers over SMTP: each message at most once, and what the server said about it in the server's words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from fairlead.connectors.mail_journal import MailJournal
from fairlead.connectors.mail_orders import (
    FindContact,
    FindLinks,
    FindWayOut,
    MailOrder,
    OrderReader,
    copy_for_keeping,
    letter_of,
)
from fairlead.connectors.mail_session import BUSY, NotSentError, SessionPool, UnknownFateError
from fairlead.connectors.mail_setup import MailSetup
from fairlead.connectors.message_rendering import Rendered
from fairlead.connectors.message_templates import Templates
from fairlead.connectors.ports import Delivery, Receipt, ReceiptState
from fairlead.connectors.smtp_answers import Answer, receipt_of
from fairlead.errors import FairleadError, InputError, NotFoundError

log = logging.getLogger("fairlead.connectors.smtp")


def _nobody(_customer_id: str) -> None:
    return None


def _no_way_out(_customer_id: str, _purpose: str) -> None:
    return None


class SmtpConnector:
    """Sends over kept connections, encrypted and verified; see docs/mail.md for the body.

    Answers: 2xx sent; 4xx, and no connection, failed; 5xx, and a message that cannot be written, refused. Where the
    connection breaks after the last byte, or an earlier process died while it was sending, ambiguous.
    """

    name = "smtp"
    reaches_customer = True

    def __init__(
        self,
        setup: MailSetup,
        journal: MailJournal,
        now: Callable[[], datetime],
        *,
        templates: Callable[[], Templates] = dict,
        contact: FindContact = _nobody,
        way_out: FindWayOut = _no_way_out,
        links: FindLinks | None = None,
        view: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Connects with the first message. Without `templates` only messages with a text of their own can be sent.

        Within `view` everything is asked that a message is made of, so that it can be read in one go.
        """
        self._setup = setup
        self._journal = journal
        self._now = now
        self._pool = SessionPool(setup.server)
        self._view = view
        self._orders = OrderReader(setup, templates, contact, way_out, links)

    def written(self, delivery: Delivery) -> Rendered:
        """What the recipient would read, but for sealed fields; nothing is sent. InputError or NotFoundError where it
        cannot be written.
        """
        return self._orders.read(delivery).kept

    def puts_together(self, body: dict[str, Any]) -> bool:  # noqa: ARG002  what any connector is asked
        """A mail holds several messages one under the other."""
        return True

    def deliver(self, delivery: Delivery) -> Receipt:
        """See `Connector.deliver`. A key that was begun and never settled is ambiguous, not sent again."""
        try:
            with self._view():
                order = self._orders.read(delivery)
        except (InputError, NotFoundError) as error:
            return Receipt(ReceiptState.REFUSED, error.message)
        begun = self._journal.begin(order.mail)
        if begun.answer is not None:
            return begun.answer
        receipt = self._sent(order, begun.earlier)
        try:
            self._journal.end(order.mail, receipt)
        except FairleadError:
            # What came of it is known here and goes to the outbox; only an asking again would not learn it.
            log.exception("what came of mail %s could not be written down", order.mail.id)
        return receipt

    def close(self) -> None:
        """End the connections that wait, and write down what is left; the next message opens a new one."""
        self._pool.close()
        self._journal.close()

    def _sent(self, order: MailOrder, earlier: tuple[str, ...]) -> Receipt:
        marked, at = f"Message-ID {order.mail.message_id}", self._now()
        try:
            raw = letter_of(self._setup, order, at, earlier)
            kept = copy_for_keeping(self._setup, order, raw, at, earlier)
        except InputError as error:
            return Receipt(ReceiptState.REFUSED, error.message)
        until = time.monotonic() + self._setup.server.timeout_s
        try:
            answer = self._handed_over(order, raw, until)
        except NotSentError as error:
            return Receipt(ReceiptState.FAILED, str(error))
        except UnknownFateError as error:
            return Receipt(ReceiptState.AMBIGUOUS, f"{error}; {marked}", kept)
        receipt = receipt_of(answer)
        copy = kept if receipt.state is ReceiptState.SENT else ""
        return Receipt(receipt.state, f"{receipt.detail}; {marked}", copy)

    def _handed_over(self, order: MailOrder, raw: bytes, until: float) -> Answer:
        """The server's last word. A kept connection that turns out to be dead is replaced once, before the message."""
        while True:
            session, used = self._pool.take(until)
            try:
                answer = session.send(self._setup.envelope(order.mail.id), str(order.to), raw)
            except NotSentError:
                if not used or time.monotonic() >= until:
                    raise
                continue
            self._pool.give(session)
            if not (used and answer.code == BUSY and not session.is_open):
                return answer
