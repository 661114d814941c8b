"""Real mail servers for tests: one that keeps what it gets, one that hangs up where it is told to."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fairlead.connectors import Delivery, MailSetup, SqlMailJournal, Unsubscribe
from fairlead.connectors.mail_addresses import mail_address
from fairlead.connectors.mail_session import MailServer
from fairlead.connectors.smtp import SmtpConnector
from fairlead.kit.database import Database

SECRET = b"m" * 32
USER, PASSWORD = "fairlead", "correct horse"
SILENCE = "silence"
TEXT = {"subject": "About your enquiry", "text": "Hello Ada,\n\nshall we talk?\n", "to": "ada@nordwind.example"}


@dataclass
class Letterbox:
    """What a server accepted, and what it says instead where a test wants that: command → answers, one a time."""

    letters: list[Any] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    sessions: set[Any] = field(default_factory=set)
    logins: list[str] = field(default_factory=list)

    def _say(self, command: str) -> str | None:
        planned = self.answers.get(command)
        return planned.pop(0) if planned else None

    async def handle_MAIL(self, _server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Of aiosmtpd."""
        self.sessions.add(session.peer)
        if (said := self._say("MAIL")) is not None:
            return said
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Of aiosmtpd."""
        if (said := self._say("RCPT")) is not None:
            return said
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Of aiosmtpd."""
        if (said := self._say("DATA")) is not None:
            return said
        self.letters.append(envelope)
        return f"250 2.0.0 OK queued as {len(self.letters)}"

    def login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Of aiosmtpd."""
        good = data.login == USER.encode() and data.password == PASSWORD.encode()
        self.logins.append("in" if good else "out")
        return AuthResult(success=good, handled=False)

    def last(self) -> EmailMessage:
        """The newest letter as another program reads it, with plain line ends."""
        content = self.letters[-1].content.replace(b"\r\n", b"\n")
        found = BytesParser(policy=policy.default).parsebytes(content)
        assert isinstance(found, EmailMessage)
        return found


@contextmanager
def serving(box: Letterbox, *, tls: str = "none", certificate: Path | None = None, **options: Any) -> Iterator[int]:
    """A mail server process in a thread; its port."""
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    ssl_context = context if tls == "tls" else None
    server = Controller(box, hostname="127.0.0.1", port=port, ssl_context=ssl_context, **options)
    server.start()
    try:
        yield port
    finally:
        server.stop()


@contextmanager
def hanging_up(after: str, replies: Sequence[str] = ()) -> Iterator[tuple[int, list[str]]]:
    """A server that breaks the connection once it has read `after`; its port and the commands it read.

    `after` is a command, or `.` for the end of a message. With `replies` it says those first, then hangs up. After
    `SILENCE` it takes a message and says nothing.
    """
    heard: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                _talk(connection, after, list(replies), heard)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1]), heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _talk(connection: socket.socket, after: str, replies: list[str], heard: list[str]) -> None:
    file = connection.makefile("rwb", buffering=0)
    file.write(b"220 here\r\n")
    in_data = False
    while line := file.readline():
        text = line.decode("latin-1").rstrip("\r\n")
        word = "." if in_data and text == "." else "" if in_data else text.split(" ")[0].upper()
        if not word:
            continue
        heard.append(word)
        if word == "." and after == SILENCE:
            file.readline()  # until the other side gives up
            return
        if word == after:
            for reply in replies:
                file.write(reply.encode() + b"\r\n")
            return
        in_data = word == "DATA"
        file.write({"DATA": b"354 go on\r\n"}.get(word, b"250 OK\r\n"))


def make_certificate(folder: Path, name: str = "127.0.0.1") -> Path:
    """A self-signed certificate with its key in one file."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    alternative = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, SHA256())
    )  # fmt: skip
    path = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@contextmanager
def connected(database: Database, port: int, **options: Any) -> Iterator[SmtpConnector]:
    """A connector to the server at this port; `server` and `setup` hold what differs from the plainest."""
    server = MailServer(**{"host": "127.0.0.1", "port": port, "security": "none", "timeout_s": 5.0}
                        | options.pop("server", {}))  # fmt: skip
    setup = MailSetup(**{"server": server, "sender": mail_address("sales@example.com"), "secret": SECRET}
                      | options.pop("setup", {}))  # fmt: skip
    connector = SmtpConnector(setup, SqlMailJournal(database), database.clock.now, **options)
    try:
        yield connector
    finally:
        connector.close()


def delivery(key: str = "case_1/first", customer_id: str | None = None, **body: Any) -> Delivery:
    """A message by mail; `body` over the plainest one."""
    return Delivery(key, "message", {**TEXT, "channel": "email", "purpose": "sales", "sender": "sales", **body},
                    customer_id)  # fmt: skip


def way_out(customer_id: str, purpose: str) -> Unsubscribe | None:
    """A link that names both; an address of no customer needs none here."""
    if not customer_id:
        return None
    token = f"{customer_id}.{purpose}"
    return Unsubscribe(f"https://desk.example.com/u/{token}", f"mailto:sales@example.com?subject=unsubscribe%20{token}")
