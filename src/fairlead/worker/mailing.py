"""Mail as this process sends it: its templates, addresses and ways off a list are those of the moment of sending."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import select

from fairlead.actions.tables import action
from fairlead.checkpoints import rulings_of_case
from fairlead.connectors import (
    UNSENT,
    Contact,
    Delivery,
    MailSetup,
    SmtpConnector,
    SqlMailJournal,
    Templates,
    UnsentMail,
    Unsubscribe,
    mail_setup,
    templates_of,
)
from fairlead.connectors.mail_addresses import MailAddress, mail_address
from fairlead.connectors.mail_session import MailServer
from fairlead.customers import addressee_of
from fairlead.errors import InputError
from fairlead.evidence import AUTOMATIC
from fairlead.guardrails import PurposeClass, current_rules
from fairlead.kit.database import Database
from fairlead.kit.links import make_link
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks.store import bundle_files, current_bundle
from fairlead.settings import Settings
from fairlead.worker.runtime import derive

EMAIL = "email"
_NOBODY = MailAddress("nobody", "unset.example")


def mailer_of(settings: Settings, database: Database) -> SmtpConnector | None:
    """The connector for mail, None where no mail server is set; InputError for settings that do not fit."""
    assert settings.secret_key is not None  # noqa: S101  provide_secrets made or demanded it
    secret = settings.secret_key.get_secret_value()
    setup = mail_setup(settings, derive(secret, "mail"))
    if setup is None:
        return None
    view = _View(database)
    return SmtpConnector(
        setup, SqlMailJournal(database), database.clock.now, view=view.reading, templates=_Deployed(view).templates,
        contact=partial(contact_of, view),
        way_out=partial(way_out_of, view, settings.public_url, secret.encode(), str(setup.answers_to)),
        links=partial(links_of, view, settings.public_url, secret.encode()),
    )  # fmt: skip


def unsent_mailer_of(settings: Settings, database: Database) -> UnsentMail:
    """Where mail goes as long as no mail server is set: into the data folder, as it would be sent."""
    assert settings.secret_key is not None  # noqa: S101  provide_secrets made or demanded it
    secret = settings.secret_key.get_secret_value()
    sender = mail_address(settings.smtp_from) if settings.smtp_from else _NOBODY
    setup = MailSetup(MailServer("", 0), sender, settings.smtp_from_name, secret=derive(secret, "mail"),
                      opening=secret.encode())  # fmt: skip
    view = _View(database)
    return UnsentMail(
        settings.data_dir / UNSENT, setup, database.clock.now, templates=_Deployed(view).templates,
        contact=partial(contact_of, view),
        way_out=partial(way_out_of, view, settings.public_url, secret.encode(), str(setup.answers_to)),
        links=partial(links_of, view, settings.public_url, secret.encode()),
    )  # fmt: skip


class _View:
    """What one thread reads within `reading` is read in one go, however often it asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mine = threading.local()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        reader: Reader | None = getattr(self._mine, "reader", None)
        if reader is not None:
            yield reader
            return
        with self._database.reading() as reader:
            self._mine.reader = reader
            try:
                yield reader
            finally:
                self._mine.reader = None


class _Deployed:
    """The templates of what is deployed now; read anew when something else is."""

    def __init__(self, view: _View) -> None:
        self._view = view
        self._known: tuple[str | None, Templates] = (None, {})

    def templates(self) -> Templates:
        with self._view.reading() as reader:
            digest = current_bundle(reader)
            if digest is not None and digest != self._known[0]:
                self._known = (digest, templates_of(bundle_files(reader, digest)))
        return self._known[1]


def contact_of(view: _View, customer_id: str) -> Contact | None:
    """The customer's first mail address, with language and name; None when nobody has that id or they were erased."""
    with view.reading() as reader:
        known = addressee_of(reader, customer_id)
    return None if known is None else Contact(known.email, known.language, known.name)


def way_out_of(
    view: _View, public_url: str, secret: bytes, answers_to: str, customer_id: str, purpose: str
) -> Unsubscribe | None:
    """How a customer gets off a purpose: the page `/u/…` and a mail to us; None for transactional messages.

    A purpose that the contact rules do not know has a way out. InputError where one is needed and `customer_id` is
    "": a link says whose wish it is, so nobody's address cannot get one.
    """
    with view.reading() as reader:
        known = current_rules(reader).purposes.get(purpose)
    if known is not None and known.cls is PurposeClass.TRANSACTIONAL:
        return None
    if not customer_id:
        message = f"A message for {purpose!r:.40} needs a way out, which an address of no customer cannot have."
        raise InputError(message, code="no_way_out")
    token = make_link(secret, "unsubscribe", {"customer": customer_id, "purpose": purpose, "channel": EMAIL})
    return Unsubscribe(f"{public_url}/u/{token}", f"mailto:{answers_to}?subject=unsubscribe%20{token}")


def links_of(view: _View, public_url: str, secret: bytes, delivery: Delivery) -> dict[str, str]:
    """The recipient's own pages: where they choose, and why the case's last automatic decision came out as it did.

    Nothing without a customer; no `why_url` where the message belongs to no case, or only people decided in it.
    """
    if not delivery.customer_id:
        return {}
    parts = {"customer": delivery.customer_id, "channel": EMAIL}
    found = {"preferences_url": f"{public_url}/p/{make_link(secret, 'preferences', parts)}"}
    with view.reading() as reader:
        row = reader.execute(
            select(action.c.case_id).where(action.c.idempotency_key == delivery.idempotency_key)
        ).first()
        rulings = rulings_of_case(reader, row.case_id) if row is not None and row.case_id else []
    told = [one for one in rulings if one.verdict in AUTOMATIC and one.customer_id]
    if told:
        found["why_url"] = f"{public_url}/why/{make_link(secret, 'why', {'decision': told[-1].id})}"
    return found
