"""The journal of mail over the database: where the transactions of sending begin and end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fairlead.connectors.mail_journal import Begun, SentMail, begin_sending, end_sending, settle_sent
from fairlead.connectors.ports import Receipt, ReceiptState
from fairlead.errors import FairleadError
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import UnitOfWork

log = logging.getLogger("fairlead.connectors.mail")

LATER_S = 0.5


class SqlMailJournal:
    """The journal in the installation's database; one transaction a message.

    That a message was accepted is written down together with the beginning of the next one, or half a second later:
    whoever dies in between leaves it ambiguous, which costs a look and never a second sending.
    """

    def __init__(self, database: Database) -> None:
        """Starts no thread before the first message was accepted."""
        self._database = database
        self._lock = threading.Lock()
        self._accepted: list[tuple[SentMail, Receipt]] = []
        self._timer: threading.Timer | None = None

    def begin(self, mail: SentMail) -> Begun:
        """See MailJournal."""
        with self._writing() as uow:
            if uow.dialect == "postgresql":
                # Not waited for until it is on disk: it outlives this process at once. Should the database itself
                # go down in that moment, the outbox's own mark, which was waited for, makes the message ambiguous.
                uow.fetch("SELECT set_config('synchronous_commit', 'off', true)")
            return begin_sending(uow, mail)

    def end(self, mail: SentMail, receipt: Receipt) -> None:
        """See MailJournal; a mailbox that the server says is none is suppressed at once."""
        if receipt.state is not ReceiptState.SENT:
            with self._writing() as uow:
                end_sending(uow, mail, receipt)
            return
        with self._lock:
            self._accepted.append((mail, receipt))
            if self._timer is None:
                self._timer = threading.Timer(LATER_S, self._later)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Write down what is left."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._later()

    def _later(self) -> None:
        with self._lock:
            self._timer = None
            waits = bool(self._accepted)
        if not waits:
            return
        try:
            with self._writing():
                pass
        except FairleadError:
            log.exception("what the mail server accepted could not be written down; the next message tries again")

    @contextmanager
    def _writing(self) -> Iterator[UnitOfWork]:
        """A transaction that first writes down what was accepted since the last one."""
        with self._lock:
            accepted, self._accepted = self._accepted, []
        left = accepted
        try:
            with self._database.transaction(Lane.BULK) as uow:
                settle_sent(uow, accepted)
                yield uow
            left = []
        finally:
            with self._lock:
                self._accepted = left + self._accepted
