"""Mail as this process sends it: its templates, addresses and ways off a list are those of the moment of sending."""

from __future__ import annotations

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
from fairlead.customers import IdentityKind, profile
from fairlead.errors import NotFoundError
from fairlead.evidence import AUTOMATIC
from fairlead.guardrails import PurposeClass, current_rules
from fairlead.kit.database import Database
from fairlead.kit.links import make_link
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
    return SmtpConnector(
        setup, SqlMailJournal(database), database.clock.now, templates=_Deployed(database).templates,
        contact=partial(contact_of, database),
        way_out=partial(way_out_of, database, settings.public_url, secret.encode(), str(setup.answers_to)),
        links=partial(links_of, database, settings.public_url, secret.encode()),
    )  # fmt: skip


def unsent_mailer_of(settings: Settings, database: Database) -> UnsentMail:
    """Where mail goes as long as no mail server is set: into the data folder, as it would be sent."""
    assert settings.secret_key is not None  # noqa: S101  provide_secrets made or demanded it
    secret = settings.secret_key.get_secret_value()
    sender = mail_address(settings.smtp_from) if settings.smtp_from else _NOBODY
    setup = MailSetup(MailServer("", 0), sender, settings.smtp_from_name, secret=derive(secret, "mail"),
                      opening=secret.encode())  # fmt: skip
    return UnsentMail(
        settings.data_dir / UNSENT, setup, database.clock.now, templates=_Deployed(database).templates,
        contact=partial(contact_of, database),
        way_out=partial(way_out_of, database, settings.public_url, secret.encode(), str(setup.answers_to)),
        links=partial(links_of, database, settings.public_url, secret.encode()),
    )  # fmt: skip


class _Deployed:
    """The templates of what is deployed now; read anew when something else is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[str | None, Templates] = (None, {})

    def templates(self) -> Templates:
        with self._database.reading() as reader:
            digest = current_bundle(reader)
            if digest is not None and digest != self._known[0]:
                self._known = (digest, templates_of(bundle_files(reader, digest)))
        return self._known[1]


def contact_of(database: Database, customer_id: str) -> Contact | None:
    """The customer's first mail address, with language and name; None when nobody has that id or they were erased."""
    with database.reading() as reader:
        try:
            known = profile(reader, customer_id, database.clock.now())
        except NotFoundError:
            return None
    if known.erased_at is not None:
        return None
    address = next((one.value for one in known.identities if one.kind == IdentityKind.EMAIL), "")
    return Contact(address, known.facts["language"] or "", known.name)


def way_out_of(
    database: Database, public_url: str, secret: bytes, answers_to: str, customer_id: str, purpose: str
) -> Unsubscribe | None:
    """How a customer gets off a purpose: the page `/u/…` and a mail to us; None for transactional messages.

    A purpose that the contact rules do not know has a way out.
    """
    with database.reading() as reader:
        known = current_rules(reader).purposes.get(purpose)
    if known is not None and known.cls is PurposeClass.TRANSACTIONAL:
        return None
    token = make_link(secret, "unsubscribe", {"customer": customer_id, "purpose": purpose, "channel": EMAIL})
    return Unsubscribe(f"{public_url}/u/{token}", f"mailto:{answers_to}?subject=unsubscribe%20{token}")


def links_of(database: Database, public_url: str, secret: bytes, delivery: Delivery) -> dict[str, str]:
    """The recipient's own pages: where they choose, and why the case's last automatic decision came out as it did.

    Nothing without a customer; no `why_url` where the message belongs to no case, or only people decided in it.
    """
    if not delivery.customer_id:
        return {}
    parts = {"customer": delivery.customer_id, "channel": EMAIL}
    found = {"preferences_url": f"{public_url}/p/{make_link(secret, 'preferences', parts)}"}
    with database.reading() as reader:
        row = reader.execute(
            select(action.c.case_id).where(action.c.idempotency_key == delivery.idempotency_key)
        ).first()
        rulings = rulings_of_case(reader, row.case_id) if row is not None and row.case_id else []
    told = [one for one in rulings if one.verdict in AUTOMATIC and one.customer_id]
    if told:
        found["why_url"] = f"{public_url}/why/{make_link(secret, 'why', {'decision': told[-1].id})}"
    return found
