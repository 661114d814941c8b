"""What was handed to the mail server, written down before it is: at most once, whatever dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sqlalchemy import update

from fairlead.connectors.ports import Receipt, ReceiptState
from fairlead.connectors.smtp_answers import is_dead_mailbox
from fairlead.connectors.tables import mail_sent, mail_taken
from fairlead.customers import suppress
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import Reader, UnitOfWork

MAX_WORDS = 1_000
MAX_THREAD = 20
MAILER = Actor(ActorKind.SYSTEM, "mail")


class MailState(StrEnum):
    """Where a message stands with the mail server."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


_AFTER = {
    ReceiptState.SENT: MailState.ACCEPTED,
    ReceiptState.REFUSED: MailState.REFUSED,
    ReceiptState.FAILED: MailState.FAILED,
    ReceiptState.AMBIGUOUS: MailState.UNKNOWN,
}


_BEFORE = {state: receipt for receipt, state in _AFTER.items()}


@dataclass(frozen=True, slots=True)
class SentMail:
    """A message about to be sent; `thread` "" for none."""

    id: str
    key: str
    message_id: str
    address: str
    customer_id: str | None = None
    purpose: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """Whether to send: `answer` says what came of it earlier, None: send it now.

    `earlier` are the Message-IDs of the same thread with the same customer, oldest first.
    """

    answer: Receipt | None
    earlier: tuple[str, ...] = ()


class MailJournal(Protocol):
    """Remembers, for all processes, which messages were begun and what came of them."""

    def begin(self, mail: SentMail) -> Begun:
        """Say that the message is about to be sent; durable before this returns."""
        ...

    def end(self, mail: SentMail, receipt: Receipt) -> None:
        """Say what came of it; need not be durable yet."""
        ...

    def close(self) -> None:
        """Make durable what was said."""
        ...


_KNOWN = "SELECT state, words FROM mail_sent WHERE id = ?"
_EARLIER = (
    "SELECT message_id FROM mail_sent WHERE customer_id = ? AND thread = ? AND id <> ? "
    "AND state IN ('accepted', 'unknown') ORDER BY at DESC LIMIT ?"
)
_COLUMNS = (
    "id", "key", "message_id", "customer_id", "address", "purpose", "thread", "state", "words", "attempt", "at",
)  # fmt: skip


def begin_sending(uow: UnitOfWork, mail: SentMail) -> Begun:
    """Take the message's place; what was known of it otherwise."""
    known = uow.fetch(_KNOWN, mail.id)  # plain SQL here and in `settle_sent`: they are written for every message
    if not known:
        row = (
            mail.id, mail.key, mail.message_id, mail.customer_id, mail.address, mail.purpose, mail.thread,
            MailState.SENDING.value, "", 1, to_micros(uow.now),
        )  # fmt: skip
        uow.insert_many(mail_sent, _COLUMNS, [row])
        return Begun(None, _earlier(uow, mail))
    state, words = known[0]
    if state == MailState.FAILED and _taken_again(uow, mail):
        return Begun(None, _earlier(uow, mail))
    if state in {MailState.SENDING, MailState.FAILED}:
        unsaid = "a process began to send this message and did not say what came of it"
        return Begun(Receipt(ReceiptState.AMBIGUOUS, unsaid))
    return Begun(Receipt(_BEFORE[MailState(state)], f"{words} (asked again)"))


def _taken_again(uow: UnitOfWork, mail: SentMail) -> bool:
    """Take the place of an attempt that had no effect; False when somebody else was faster."""
    c = mail_sent.c
    mine = (c.id == mail.id) & (c.state == MailState.FAILED.value)
    changed = {"state": MailState.SENDING.value, "address": mail.address, "attempt": c.attempt + 1, "at": uow.now}
    return uow.execute(update(mail_sent).where(mine).values(**changed)).rowcount > 0


def end_sending(uow: UnitOfWork, mail: SentMail, receipt: Receipt) -> None:
    """Say what came of a message that was begun; a mailbox that does not exist is suppressed."""
    settle_sent(uow, [(mail, receipt)])
    if receipt.state is ReceiptState.REFUSED and is_dead_mailbox(receipt.detail):
        reason = f"the mail server refused it: {receipt.detail[:200]}"
        suppress(uow, MAILER, "email", mail.address, reason=reason, source=f"mail {mail.id}", scope="all")


def settle_sent(uow: UnitOfWork, answers: Sequence[tuple[SentMail, Receipt]]) -> None:
    """Say what came of messages that were begun, and nothing else."""
    rows = [
        (_AFTER[receipt.state].value, receipt.detail.replace("\0", "")[:MAX_WORDS], mail.id)
        for mail, receipt in answers
    ]
    uow.update_many(mail_sent, "state = ?, words = ?", "id = ?", rows)


def _earlier(reader: Reader, mail: SentMail) -> tuple[str, ...]:
    if not mail.thread or mail.customer_id is None:
        return ()
    rows = reader.fetch(_EARLIER, mail.customer_id, mail.thread, mail.id, MAX_THREAD)
    return tuple(message_id for (message_id,) in reversed(rows))


def allow_resend(uow: UnitOfWork, key: str) -> bool:
    """Let a message whose sending is unknown be sent once more, on a person's word; False when it is not unknown.

    The caller's audit entry says who decided that.
    """
    c = mail_sent.c
    doubtful = c.state.in_([MailState.UNKNOWN.value, MailState.SENDING.value])
    statement = update(mail_sent).where((c.key == key) & doubtful).values(state=MailState.FAILED.value)
    return uow.execute(statement).rowcount > 0


def forget_mail(uow: UnitOfWork, customer_id: str) -> int:
    """Blank the addresses and words of messages to and from a customer who is being erased; how many there were."""
    sent = update(mail_sent).where(mail_sent.c.customer_id == customer_id).values(address="", words="")
    taken = update(mail_taken).where(mail_taken.c.customer_id == customer_id).values(address="", words="")
    return uow.execute(sent).rowcount + uow.execute(taken).rowcount
