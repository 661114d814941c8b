"""What a message that came in does: suppress, withdraw, interrupt a case; never an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.connectors.mail_journal import MAILER
from fairlead.connectors.mail_reading import Incoming, MailKind, read_mail
from fairlead.connectors.tables import mail_sent, mail_taken
from fairlead.customers import (
    TimelineNote,
    facts_of,
    holder_of,
    leave,
    normalise_address,
    note_many,
    shown_address,
    suppress,
    suppressions_of,
)
from fairlead.errors import InputError
from fairlead.kit.actors import Actor
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_id
from fairlead.kit.links import read_link
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

EMAIL = "email"
REPLIED = "replied"
SOFT_BOUNCES, SOFT_WITHIN = 3, timedelta(days=14)
_ANY = "*"


@dataclass(frozen=True, slots=True)
class TakenMail:
    """What became of a message; `effect` says it in words, `is_new` False for one that was taken before."""

    id: str
    kind: MailKind
    customer_id: str | None
    effect: str
    is_new: bool = True


def take_mail(uow: UnitOfWork, actor: Actor, raw: bytes, link_secret: bytes) -> TakenMail:
    """Take a message in; the same bytes a second time change nothing. Errors as `read_mail`.

    A hard bounce suppresses the address that was written to; three messages that bounced softly within 14 days do,
    too. A complaint suppresses promotions and withdraws the message's purpose. A reply interrupts the customer's
    cases by the event `replied`. `link_secret` is what unsubscribe links are signed with.
    """
    mail = read_mail(raw)
    ours = _ours(uow, mail)
    customer_id = _customer(uow, mail, ours)
    address = (ours.address if ours else "") or _named(uow, mail)
    taken = _keep(uow, mail, ours, customer_id, address)
    if taken is None:
        return _before(uow, mail)
    effect = _Effects(uow, mail, taken, ours, customer_id, address, link_secret).apply()
    payload: dict[str, Any] = {"kind": mail.kind.value, "mail": ours.id if ours else None}
    if customer_id is not None:  # the words may name an address, and only a customer's key can make them unreadable
        payload["effect"] = effect
    if mail.report is not None:
        payload |= {"strength": mail.report.strength, "code": mail.report.code}
    uow.record(AuditEntry("mail.taken", taken, payload, customer_id, actor))
    return TakenMail(taken, mail.kind, customer_id, effect)


class _Effects:
    """One method for each kind; each says in words what it did."""

    def __init__(
        self,
        uow: UnitOfWork,
        mail: Incoming,
        taken: str,
        ours: Row[Any] | None,
        customer_id: str | None,
        address: str,
        link_secret: bytes,
    ) -> None:
        self._uow = uow
        self._mail = mail
        self._taken = taken
        self._ours = ours
        self._customer_id = customer_id
        self._address = address
        self._secret = link_secret

    @property
    def _source(self) -> str:
        return f"mail {self._taken}"

    def apply(self) -> str:
        by_kind: dict[MailKind, Callable[[], str]] = {
            MailKind.BOUNCE: self._bounce,
            MailKind.COMPLAINT: self._complaint,
            MailKind.UNSUBSCRIBE: self._unsubscribe,
            MailKind.REPLY: self._reply,
            MailKind.AUTOMATIC: lambda: self._noted("An automatic answer came; it does not count as a reply."),
            MailKind.NOTICE: lambda: "a report that says nothing against the address",
            MailKind.LOOP: lambda: "a report about a report, or one without a sender: nothing is done about it",
        }
        return by_kind[self._mail.kind]()

    def _bounce(self) -> str:
        report = self._mail.report
        if self._ours is None or report is None or not self._address:
            return "it names no message of ours, so nothing was done"
        said = f"{report.code} {report.words}".strip()[:300] or "no reason given"
        if report.strength == "hard":
            return self._suppressed(f"the mailbox does not exist: {said}", "all")
        count = _soft_bounces(self._uow, self._address)
        if count < SOFT_BOUNCES:
            within = f"{count} of {SOFT_BOUNCES} within {SOFT_WITHIN.days} days"
            return self._noted(f"A message could not be delivered for now ({said}); {within}.")
        return self._suppressed(f"{count} messages bounced within {SOFT_WITHIN.days} days, last: {said}", "all")

    def _complaint(self) -> str:
        if not self._address:
            return "it names nobody whom we write to, so nothing was done"
        purpose = (self._ours.purpose if self._ours else "") or _ANY
        self._suppressed("called a message spam", "promotional")
        if self._customer_id is not None and not self._erased():
            proof = {"complaint": self._mail.digest}
            channel = _ANY if purpose == _ANY else EMAIL
            leave(
                self._uow, self._customer_id, (purpose, channel), mechanism="complaint", source=self._source,
                proof=proof,
            )  # fmt: skip
        return f"promotions are suppressed and {'everything' if purpose == _ANY else purpose} is withdrawn"

    def _unsubscribe(self) -> str:
        try:
            parts = read_link(self._secret, "unsubscribe", self._mail.token, now=self._uow.now)
        except InputError:
            return "its link is not one of ours, so nothing was done"
        customer_id = parts.get("customer", "")
        known = facts_of(self._uow, [customer_id], self._uow.now).get(customer_id)
        if known is None or known["erased"]:
            return "nobody of that id is written to any more"
        purpose, channel = parts.get("purpose") or _ANY, parts.get("channel") or EMAIL
        key = (_ANY, _ANY) if purpose == _ANY else (purpose, channel)
        new = leave(
            self._uow, known["id"], key, mechanism="list_unsubscribe_mail", source=self._source,
            proof={"mail": self._mail.digest},
        )  # fmt: skip
        words = "everything" if purpose == _ANY else purpose
        return f"{words} is withdrawn" if new else f"{words} was withdrawn before"

    def _reply(self) -> str:
        if self._customer_id is None:
            return "nobody is known by its sender or by what it answers, so nothing was done"
        if self._erased():
            return "the customer was erased, so nothing was done"
        told = {"found": {"reply": self._mail.text}, "mail": self._taken}
        publish(self._uow, Event(REPLIED, self._customer_id, told, id=f"mail/{self._taken}"))
        return self._noted("A mail came from the customer.")

    def _suppressed(self, reason: str, scope: str) -> str:
        standing = suppressions_of(self._uow, [(EMAIL, self._address)]).get((EMAIL, self._address))
        shown = shown_address(self._address)
        if standing is not None and standing.scope in {scope, "all"}:
            return f"{shown} was suppressed before"
        suppress(self._uow, MAILER, EMAIL, self._address, reason=reason[:500], source=self._source, scope=scope)
        what = "nothing more" if scope == "all" else "nothing promotional"
        self._noted(f"{what.capitalize()} is sent by e-mail: {reason}.")
        return f"{what} is sent to {shown}: {reason}"

    def _noted(self, words: str) -> str:
        if self._customer_id is not None and not self._erased():
            note_many(self._uow, [TimelineNote(self._customer_id, "mail", words[:1_000], self._taken)])
        return words

    def _erased(self) -> bool:
        customer_id = self._customer_id or ""
        known = facts_of(self._uow, [customer_id], self._uow.now).get(customer_id)
        return known is None or known["erased"]


def _ours(reader: Reader, mail: Incoming) -> Row[Any] | None:
    """The message of ours that it is about: the last that it names and that was really handed over."""
    c = mail_sent.c
    for one in reversed(mail.answers[:20]):
        row = reader.execute(select(c.id, c.customer_id, c.address, c.purpose).where(c.id == one)).first()
        if row is not None:
            return row
    return None


def _customer(uow: UnitOfWork, mail: Incoming, ours: Row[Any] | None) -> str | None:
    """Whose message it is, or whom it is about: by what it answers, else by who wrote it; who stands for them now."""
    found = ours.customer_id if ours else None
    if found is None:
        who = mail.named if mail.kind is MailKind.COMPLAINT else mail.sender
        personal = mail.kind in {MailKind.COMPLAINT, MailKind.REPLY, MailKind.AUTOMATIC}
        found = holder_of(uow, (EMAIL, _normal(who))) if who and personal else None
    if found is None:
        return None
    known = facts_of(uow, [found], uow.now).get(found)
    return known["id"] if known else None


def _named(reader: Reader, mail: Incoming) -> str:
    """Whom a complaint names, where that is an address of a customer; a stranger's word suppresses nobody else."""
    if mail.kind is not MailKind.COMPLAINT or not mail.named:
        return ""
    address = _normal(mail.named)
    return address if holder_of(reader, (EMAIL, address)) else ""


def _normal(address: str) -> str:
    try:
        return normalise_address(EMAIL, address)
    except InputError:
        return ""


def _keep(uow: UnitOfWork, mail: Incoming, ours: Row[Any] | None, customer_id: str | None, address: str) -> str | None:
    """The row of this message; None when its bytes were taken before."""
    report = mail.report
    values = {
        "id": new_id("mail"), "digest": mail.digest, "kind": mail.kind.value,
        "strength": report.strength if report else "", "code": report.code if report else "",
        "words": (report.words if report else "")[:500], "mail_id": ours.id if ours else None,
        "customer_id": customer_id, "address": address, "at": uow.now,
    }  # fmt: skip
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    statement = dialect.insert(mail_taken).values(**values).on_conflict_do_nothing(index_elements=["digest"])
    row = uow.execute(statement.returning(mail_taken.c.id)).first()
    return None if row is None else str(row.id)


def _before(uow: UnitOfWork, mail: Incoming) -> TakenMail:
    c = mail_taken.c
    row = uow.execute(select(c.id, c.kind, c.customer_id).where(c.digest == mail.digest)).one()
    # The attempt to write counts as a write; that it came again is worth a line, too.
    uow.record(AuditEntry("mail.taken_again", row.id, {"kind": row.kind}, row.customer_id, MAILER))
    return TakenMail(row.id, MailKind(row.kind), row.customer_id, "it was taken before; nothing changed", is_new=False)


def _soft_bounces(uow: UnitOfWork, address: str) -> int:
    """Messages to this address that bounced softly lately; one that bounced twice counts once."""
    c = mail_taken.c
    since = uow.now - SOFT_WITHIN
    mine = (c.address == address) & (c.strength == "soft") & (c.at > since)
    return int(uow.execute(select(func.count(c.mail_id.distinct())).where(mine)).scalar_one())
