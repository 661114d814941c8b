"""How this installation sends mail, from its settings; refused as a whole where two of them do not fit."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.connectors.dkim import DkimSigner
from fairlead.connectors.mail_addresses import MailAddress, mail_address, same_mailbox_domain
from fairlead.connectors.mail_session import MailServer
from fairlead.errors import InputError
from fairlead.settings import Settings, env_name


@dataclass(frozen=True, slots=True)
class MailSetup:
    """Everything a message needs besides itself.

    `bounce_to` None: bounces go to `sender`, and are told apart by Message-ID alone. `signer` None: no signature.
    `secret` makes the ids by which answers are recognised, `opening` opens the sealed fields of messages.
    """

    server: MailServer
    sender: MailAddress
    sender_name: str = ""
    reply_to: MailAddress | None = None
    bounce_to: MailAddress | None = None
    signer: DkimSigner | None = None
    secret: bytes = field(default=b"", repr=False)
    opening: bytes = field(default=b"", repr=False)

    def envelope(self, mail: str) -> str:
        """The envelope sender of the message with this id."""
        return str(self.sender) if self.bounce_to is None else self.bounce_to.tagged(mail)

    @property
    def answers_to(self) -> MailAddress:
        """Where people's answers, and their wishes to be left alone, come in."""
        return self.reply_to or self.sender


def mail_setup(settings: Settings, secret: bytes) -> MailSetup | None:
    """None where no mail server is set; InputError names the variables that are missing or do not fit."""
    if not settings.smtp_host:
        return None
    if not settings.smtp_from:
        raise _refused("A mail server is set, but not who writes", "smtp_from")
    sender = _address(settings, "smtp_from")
    assert sender is not None  # noqa: S101  it is not empty
    return MailSetup(
        _server(settings), sender, settings.smtp_from_name, _address(settings, "smtp_reply_to"),
        _address(settings, "smtp_bounce_to"), _signer(settings, sender), secret,
        opening_key(settings),
    )  # fmt: skip


def opening_key(settings: Settings) -> bytes:
    """What sealed fields of messages are opened with; empty, so that none can be, without a secret key."""
    return settings.secret_key.get_secret_value().encode() if settings.secret_key else b""


def _server(settings: Settings) -> MailServer:
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    if bool(password) != bool(settings.smtp_user):
        raise _refused("Signing in needs both or neither", "smtp_user", "smtp_password")
    if password and settings.smtp_security == "none" and not _is_here(settings.smtp_host):
        raise _refused("A password is never sent in the clear to another machine", "smtp_security", "smtp_password")
    return MailServer(
        settings.smtp_host, settings.smtp_port, settings.smtp_security, settings.smtp_user, password,
        float(settings.smtp_timeout_s), settings.smtp_ca_file,
    )  # fmt: skip


def _signer(settings: Settings, sender: MailAddress) -> DkimSigner | None:
    path: Path | None = settings.smtp_dkim_key_file
    if path is None and not settings.smtp_dkim_selector and not settings.smtp_dkim_domain:
        return None
    if path is None or not settings.smtp_dkim_selector:
        raise _refused("A signature needs both", "smtp_dkim_key_file", "smtp_dkim_selector")
    domain = settings.smtp_dkim_domain.lower() or sender.domain
    if not same_mailbox_domain(sender.domain, domain):
        words = f"A signature of {domain} says nothing about mail from {sender.domain}"
        raise _refused(words, "smtp_dkim_domain", "smtp_from")
    return DkimSigner.load(path, domain, settings.smtp_dkim_selector)


def _address(settings: Settings, name: str) -> MailAddress | None:
    text = str(getattr(settings, name))
    if not text:
        return None
    try:
        return mail_address(text)
    except InputError as error:
        raise _refused(error.message.rstrip("."), name) from None


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _refused(words: str, *fields: str) -> InputError:
    names = [env_name(one) for one in fields]
    return InputError(f"{words}: {', '.join(names)}.", code="mail_settings", variables=names)
