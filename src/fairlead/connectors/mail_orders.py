"""What an action's body asks to be written, to whom, and how the recipient gets off the list. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Any, NamedTuple

from fairlead.connectors.mail_addresses import MailAddress, mail_address
from fairlead.connectors.mail_building import Letter, Unsubscribe, build_mail
from fairlead.connectors.mail_journal import SentMail
from fairlead.connectors.mail_setup import MailSetup
from fairlead.connectors.mail_stamps import mail_id, message_id_of
from fairlead.connectors.message_markup import html_of_text
from fairlead.connectors.message_rendering import Rendered, render_message
from fairlead.connectors.message_templates import Templates, choose
from fairlead.connectors.ports import Delivery
from fairlead.errors import InputError
from fairlead.kit.sealing import unseal

CHANNEL = "email"
PEOPLE = frozenset({"agent"})
"""Senders whose messages a person wrote."""
MAX_WORD = 200
MAX_SEALED = 8
MAX_DIGEST_SUBJECT = 120
BLANK = "••••••"
"""What a copy shows in place of a sealed field."""
_OFF = {
    "en": "No more messages like this one",
    "de": "Keine solchen Nachrichten mehr",
    "fr": "Ne plus recevoir ces messages",
    "es": "No recibir más mensajes como este",
}


class Contact(NamedTuple):
    """Where a customer is written to, and in which language; "" where that is not known."""

    address: str
    language: str = ""
    name: str = ""


FindContact = Callable[[str], Contact | None]
"""The first mail address of a customer by id, None without any."""
FindWayOut = Callable[[str, str], Unsubscribe | None]
"""How a customer (by id, "" for an address of no customer) gets off a purpose; None for purposes that nobody can be
taken off, InputError where there must be a way and is none."""

FindLinks = Callable[[Delivery], Mapping[str, str]]
"""The recipient's own pages by the names in LINKS, those that there are; asked only for templates that read one."""
LINKS = frozenset({"preferences_url", "why_url"})
"""Fields that a template finds without being given them: where the recipient chooses, and why this was decided."""


@dataclass(frozen=True, slots=True)
class MailOrder:
    """A message, read from an action's body and ready to be written down and sent."""

    mail: SentMail
    to: MailAddress
    written: Rendered
    to_name: str
    automatic: str
    in_reply_to: str
    way_out: Unsubscribe | None
    kept: Rendered
    """What is kept of the message: the same, with sealed fields blanked out."""

    @property
    def has_sealed(self) -> bool:
        """Whether a copy of the message differs from the message."""
        return self.kept != self.written


class OrderReader:
    """Reads bodies: `channel`, `purpose`, `sender`, `to`, `template` or `subject` with `text` or `html`, `fields`,
    `thread`, `reply_to_message`; `language` and `automatic` may be said besides. `sealed` holds fields that only the
    recipient may read: they take the place of `[[name]]` in the text, and of fields in a template.
    """

    def __init__(
        self, setup: MailSetup, templates: Callable[[], Templates], contact: FindContact, way_out: FindWayOut,
        links: FindLinks | None = None,
    ) -> None:  # fmt: skip
        """`templates` gives those that are deployed now."""
        self._setup = setup
        self._templates = templates
        self._contact = contact
        self._way_out = way_out
        self._links: FindLinks = links or (lambda _delivery: {})

    def read(self, delivery: Delivery) -> MailOrder:
        """InputError or NotFoundError for a body that cannot become a message."""
        body = delivery.body
        if _word(body, "channel", CHANNEL) != CHANNEL:
            raise InputError(f"Mail is not the channel {body['channel']!r:.40}.", code="channel")
        contact = self._recipient(delivery)
        to = mail_address(contact.address)
        purpose, sender = _word(body, "purpose"), _word(body, "sender", "api")
        way_out = self._way_out(delivery.customer_id or "", purpose)
        answers = _word(body, "reply_to_message")
        by_machine = body["automatic"] is not False if "automatic" in body else sender not in PEOPLE
        automatic = ("auto-replied" if answers else "auto-generated") if by_machine else ""
        one = mail_id(self._setup.secret, delivery.idempotency_key)
        mail = SentMail(
            one, delivery.idempotency_key, message_id_of(one, self._setup.sender.domain), str(to),
            delivery.customer_id, purpose, _word(body, "thread"),
        )  # fmt: skip
        opened = opened_fields(self._setup.opening, delivery)
        own = self._written(delivery, contact, way_out, opened)
        others = [self._written(each, contact, way_out, {}) for each in delivery.parts]
        written = with_way_out(put_together([own, *others]) if others else own, way_out)
        kept = written
        if opened:
            kept = with_way_out(self._written(delivery, contact, way_out, dict.fromkeys(opened, BLANK)), way_out)
        return MailOrder(mail, to, written, contact.name, automatic, answers, way_out, kept)

    def _recipient(self, delivery: Delivery) -> Contact:
        known = self._contact(delivery.customer_id) if delivery.customer_id else None
        if to := _word(delivery.body, "to"):
            return replace_address(known, to)
        if known is None or not known.address:
            raise InputError("Nobody is named to write to, and the customer has no mail address.", code="no_address")
        return known

    def _written(
        self, delivery: Delivery, contact: Contact, way_out: Unsubscribe | None, opened: Mapping[str, str]
    ) -> Rendered:
        body = delivery.body
        language = _word(body, "language") or contact.language
        if name := _word(body, "template"):
            fields = body.get("fields") or {}
            if not isinstance(fields, dict):
                raise InputError("The fields of a message are an object.", code="template", field="fields")
            template = choose(self._templates(), name, language)
            given = {"unsubscribe": way_out.https} if way_out else {}
            wanted = template.wanted & LINKS
            if wanted:
                given |= {one: link for one, link in self._links(delivery).items() if one in wanted}
            return render_message(template, {**given, **fields, **opened})
        subject, text, html = (_text(body, name) for name in ("subject", "text", "html"))
        if not subject.strip() or not (text.strip() or html.strip()):
            raise InputError("A message has a template, or a subject and a text.", code="mail_text")
        for name, value in opened.items():
            text, html = text.replace(f"[[{name}]]", value), html.replace(f"[[{name}]]", escape(value))
        return Rendered(subject, text, html, language)


def opened_fields(secret: bytes, delivery: Delivery) -> dict[str, str]:
    """The sealed fields of a message, opened; InputError `sealed` where they were sealed elsewhere or for another."""
    sealed = delivery.body.get("sealed") or {}
    if not isinstance(sealed, dict) or len(sealed) > MAX_SEALED or not all(isinstance(o, str) for o in sealed.values()):
        raise InputError("The sealed fields of a message are a few texts by name.", code="sealed", field="sealed")
    if sealed and not secret:
        raise InputError("Sealed fields cannot be opened here.", code="sealed", field="sealed")
    return {str(name): unseal(secret, delivery.idempotency_key, value) for name, value in sealed.items()}


def replace_address(known: Contact | None, address: str) -> Contact:
    """The contact with another address; the name only stays with an address that is the customer's own first one."""
    if known is None:
        return Contact(address)
    return known._replace(address=address, name=known.name if known.address.lower() == address.lower() else "")


def put_together(messages: Sequence[Rendered]) -> Rendered:
    """One message of several, one under the other as text; InputError for one that has no text."""
    if not all(one.text.strip() for one in messages):
        raise InputError("A message without a text goes out by itself.", code="mail_text")
    subjects = list(dict.fromkeys(one.subject.strip() for one in messages))
    subject = " · ".join(subjects)
    if len(subject) > MAX_DIGEST_SUBJECT:
        subject = subject[: MAX_DIGEST_SUBJECT - 1].rstrip(" ·") + "…"
    parts = [f"{one.subject.strip()}\n{'=' * len(one.subject.strip())}\n\n{one.text.strip()}\n" for one in messages]
    return Rendered(subject, "\n\n".join(parts), "", messages[0].language)


def with_way_out(written: Rendered, way_out: Unsubscribe | None) -> Rendered:
    """With a line at the end that leads off the list, in text and HTML that do not have the link yet."""
    link = way_out.https if way_out else ""
    if not link:
        return written
    words = _OFF.get(written.language.partition("-")[0], _OFF["en"])
    text, html = written.text, written.html
    if text.strip() and link not in text:
        text = f"{text.rstrip()}\n\n--\n{words}:\n{link}\n"
    if html.strip() and escape(link) not in html and link not in html:
        line = f'<hr>\n<p><a href="{escape(link)}">{words}</a></p>\n'
        head, body_end, rest = html.rpartition("</body>")
        html = f"{head}{line}{body_end}{rest}" if body_end else html + line
    return written._replace(text=text, html=html)


def copy_for_keeping(setup: MailSetup, order: MailOrder, raw: bytes, at: datetime, earlier: tuple[str, ...]) -> str:
    """What is kept of a message that went out as `raw`: to the letter, but for sealed fields, which are blanked out."""
    if order.has_sealed:
        raw = letter_of(replace(setup, signer=None), replace(order, written=order.kept), at, earlier)
    return raw.decode("ascii", "replace")


def letter_of(setup: MailSetup, order: MailOrder, at: datetime, earlier: tuple[str, ...]) -> bytes:
    """The message as bytes, signed where the installation signs; `earlier` are Message-IDs of its thread."""
    letter = Letter(
        order.mail.message_id, setup.sender, order.to, order.written.subject, order.written.text, at,
        html=order.written.html or html_of_text(order.written.text), sender_name=setup.sender_name,
        to_name=order.to_name, reply_to=setup.reply_to, automatic=order.automatic, unsubscribe=order.way_out,
        references=earlier, in_reply_to=order.in_reply_to or (earlier[-1] if earlier else ""),
    )  # fmt: skip
    try:
        raw = build_mail(letter)
    except InputError as error:
        if error.fields.get("field") != "name":
            raise
        raw = build_mail(replace(letter, to_name=""))  # a name that no header can hold is left out, not the message
    return raw if setup.signer is None else setup.signer.sign(raw, at)


def _word(body: Mapping[str, Any], name: str, default: str = "") -> str:
    """A short text on one line; `default` where it is absent or null."""
    found = body.get(name)
    if found is None:
        return default
    if not isinstance(found, str) or len(found) > MAX_WORD * 2 or any(not one.isprintable() for one in found):
        raise InputError(f"{name} of a message is a short text on one line.", code="mail_text", field=name)
    return found.strip() or default


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    if found is not None and not isinstance(found, str):
        raise InputError(f"{name} of a message is a text.", code="mail_text", field=name)
    return found or ""
