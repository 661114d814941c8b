"""Ways out of Fairlead, and what comes back by them: a file, the log, mail to customers."""

from collections.abc import Callable
from pathlib import Path

from fairlead.connectors.dkim import DkimSigner
from fairlead.connectors.file import FileConnector
from fairlead.connectors.jobs import SqlMailJournal
from fairlead.connectors.log import LogConnector
from fairlead.connectors.mail_building import Unsubscribe
from fairlead.connectors.mail_intake import REPLIED, TakenMail, take_mail
from fairlead.connectors.mail_journal import MailJournal, allow_resend, forget_mail
from fairlead.connectors.mail_orders import Contact, FindContact, FindWayOut
from fairlead.connectors.mail_reading import MAX_BYTES as MAX_MAIL_BYTES, Incoming, MailKind, read_mail
from fairlead.connectors.mail_setup import MailSetup, mail_setup
from fairlead.connectors.message import MessageConnector
from fairlead.connectors.message_rendering import Rendered, render_message
from fairlead.connectors.message_templates import (
    Template,
    Templates,
    check_messages,
    choose,
    shipped_templates,
    templates_of,
)
from fairlead.connectors.ports import Connector, Delivery, Receipt, ReceiptState
from fairlead.connectors.reading_copies import MAX_SHOWN, Letter, read_copy
from fairlead.connectors.repairs import WORDS as SETTLEMENTS, retry_failed, settle_unknown
from fairlead.connectors.smtp import SmtpConnector
from fairlead.connectors.unsent import UnsentMail
from fairlead.connectors.webhook import WebhookConnector

UNSENT = "unsent"
"""Folder below the data folder for messages of channels that are not set up."""

registry: dict[str, Callable[[Path], Connector]] = {
    FileConnector.name: FileConnector,
    LogConnector.name: lambda _folder: LogConnector(),
    MessageConnector.name: lambda folder: MessageConnector({}, FileConnector(folder / UNSENT)),
}
"""How each connector is made, by name; the argument is the workspace's data folder."""


def connectors_for(
    data_dir: Path, *, email: Connector | None = None, unsent: Connector | None = None
) -> dict[str, Connector]:
    """One of each, by name, for `OutboxSource`; `email` None: messages by mail go to `unsent`, else into a file."""
    made = {name: make(data_dir) for name, make in registry.items()}
    if (mail := email or unsent) is not None:
        made[MessageConnector.name] = MessageConnector({"email": mail}, FileConnector(data_dir / UNSENT))
    if email is not None:
        made[email.name] = email
    return made


__all__ = [
    "MAX_MAIL_BYTES",
    "MAX_SHOWN",
    "REPLIED",
    "SETTLEMENTS",
    "UNSENT",
    "Connector",
    "Contact",
    "Delivery",
    "DkimSigner",
    "FileConnector",
    "FindContact",
    "FindWayOut",
    "Incoming",
    "Letter",
    "LogConnector",
    "MailJournal",
    "MailKind",
    "MailSetup",
    "MessageConnector",
    "Receipt",
    "ReceiptState",
    "Rendered",
    "SmtpConnector",
    "SqlMailJournal",
    "TakenMail",
    "Template",
    "Templates",
    "UnsentMail",
    "Unsubscribe",
    "WebhookConnector",
    "allow_resend",
    "check_messages",
    "choose",
    "connectors_for",
    "forget_mail",
    "mail_setup",
    "read_copy",
    "read_mail",
    "registry",
    "render_message",
    "retry_failed",
    "settle_unknown",
    "shipped_templates",
    "take_mail",
    "templates_of",
]
