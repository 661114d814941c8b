"""One connection to a mail server, kept open; every wait on it is bounded by the moment that the sender set."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fairlead.connectors.smtp_answers import AT_RECIPIENT, Answer, answer_of

IDLE_S = 30.0
MAX_IDLE = 8
MAX_MAILS = 200
"""So many messages go over one connection; many servers end it themselves around there."""
DONE, GOES_ON, BUSY = range(200, 300), range(354, 355), 421


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where messages are handed in. `security`: `starttls`, `tls` from the first byte on, or `none`.

    `timeout_s` bounds one delivery as a whole. `ca_file` None: the machine's own certificate authorities.
    """

    host: str
    port: int
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 15.0
    ca_file: Path | None = None


class NotSentError(Exception):
    """The message certainly was not accepted; the words say why. Trying again later may work."""


class UnknownFateError(Exception):
    """The last byte was handed over and no answer came: nobody can know whether it was accepted."""


class _Bounded:
    """For `smtplib.SMTP`: each read and write ends at `until`, on the monotonic clock."""

    until = float("inf")
    sock: socket.socket | None

    def _bound(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this delivery is over")
        if self.sock is not None and left != float("inf"):
            self.sock.settimeout(left)

    def send(self, s: Any) -> None:
        self._bound()
        super().send(s)  # type: ignore[misc]

    def getreply(self) -> tuple[int, bytes]:
        self._bound()
        code, words = super().getreply()  # type: ignore[misc]
        return int(code), bytes(words)


class _Plain(_Bounded, smtplib.SMTP):
    pass


class _Tls(_Bounded, smtplib.SMTP_SSL):
    pass


class Session(Protocol):
    """What the connector needs of a connection."""

    def send(self, sender: str, recipient: str, message: bytes) -> Answer:
        """The server's last word on the message."""
        ...


class MailSession:
    """An open connection, greeted, encrypted and signed in as the server's settings say."""

    def __init__(self, server: MailServer, until: float) -> None:
        """Connect; NotSentError when that fails in any way, a certificate that does not hold included."""
        self.mails = 0
        self.used_at = time.monotonic()
        self._wire: smtplib.SMTP | None = None
        try:
            self._wire = _connected(server, until)
            self._prepare(server)
        except smtplib.SMTPResponseException as error:
            self.close()
            answer = answer_of((error.smtp_code, _bytes(error.smtp_error)), "to the connection")
            raise NotSentError(f"the mail server {server.host} did not let us in: {answer}") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self.close()
            raise NotSentError(f"no connection to {server.host}:{server.port}: {_why(error)}") from None

    def _prepare(self, server: MailServer) -> None:
        wire = self.wire
        wire.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            if not wire.has_extn("starttls"):
                message = "the server offers no STARTTLS, and nothing is sent in the clear"
                raise smtplib.SMTPNotSupportedError(message)
            wire.starttls(context=_context(server))
            wire.ehlo()
        if server.user:
            wire.login(server.user, server.password)

    @property
    def wire(self) -> Any:
        """The connection itself."""
        assert self._wire is not None  # noqa: S101  closed sessions are not used
        return self._wire

    def fresh_for(self, until: float) -> bool:
        """Whether it may be used once more, and until when its waits last."""
        self.wire.until = until
        return self.mails < MAX_MAILS and time.monotonic() - self.used_at < IDLE_S and self.wire.sock is not None

    def send(self, sender: str, recipient: str, message: bytes) -> Answer:
        """The server's last word; both addresses are ASCII without blanks, as `mail_address` gives them.

        NotSentError, UnknownFateError: the connection broke, before or after the end of the message.
        """
        size = ""
        wire = self.wire
        if wire.has_extn("size"):
            most = str(wire.esmtp_features["size"]).strip()
            if most.isdigit() and 0 < int(most) < len(message):
                return Answer(552, f"the server takes {most} bytes at most, the message has {len(message)}", "by size")
            size = f" SIZE={len(message)}"
        try:
            for command, asked, expected in (
                (f"MAIL FROM:<{sender}>{size}", "to the sender", DONE),
                (f"RCPT TO:<{recipient}>", AT_RECIPIENT, DONE),
                ("DATA", "to DATA", GOES_ON),
            ):
                answer = answer_of(wire.docmd(command), asked)
                if answer.code not in expected:
                    return self._reset(answer)
            wire.send(_dotted(message))
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise NotSentError(f"the connection broke before the message was handed over: {_why(error)}") from None
        return self._last_word()

    def _last_word(self) -> Answer:
        try:
            answer = answer_of(self.wire.getreply(), "to the message")
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise UnknownFateError(f"the connection broke after the last byte: {_why(error)}") from None
        if answer.code == -1:
            self.close()
            raise UnknownFateError(f"the server's answer to the message cannot be read: {answer.words}")
        self.mails += 1
        self.used_at = time.monotonic()
        if answer.code == BUSY:
            self.close()
        return answer

    def _reset(self, answer: Answer) -> Answer:
        """After a refusal within a message the next one begins anew, on a new connection where that fails."""
        if answer.code < 400:  # noqa: PLR2004  SMTP's classes of refusals begin there
            self.close()
            raise NotSentError(f"the server's answer makes no sense: {answer}")
        if answer.code == BUSY:
            self.close()
            return answer
        try:
            code, _ = self.wire.rset()
        except (smtplib.SMTPException, OSError):
            code = BUSY
        self.used_at = time.monotonic()
        if code not in DONE:
            self.close()
        return answer

    def close(self, *, politely: bool = False) -> None:
        """End the connection; `politely` says QUIT before, for a second at most."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        if politely:
            wire.until = time.monotonic() + 1.0  # type: ignore[attr-defined]
            with suppress(smtplib.SMTPException, OSError):
                wire.quit()
        wire.close()

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return self._wire is not None and self._wire.sock is not None


class SessionPool:
    """Connections that wait for the next message; safe for threads."""

    def __init__(self, server: MailServer) -> None:
        """Opens nothing yet."""
        self.server = server
        self._idle: list[MailSession] = []
        self._lock = threading.Lock()

    def take(self, until: float) -> tuple[MailSession, bool]:
        """A connection, and whether it was used before; NotSentError when none can be had."""
        while True:
            with self._lock:
                session = self._idle.pop() if self._idle else None
            if session is None:
                return MailSession(self.server, until), False
            if session.is_open and session.fresh_for(until):
                return session, True
            session.close(politely=True)

    def give(self, session: MailSession) -> None:
        """Back for the next message; a closed one is forgotten."""
        if not session.is_open:
            return
        with self._lock:
            if len(self._idle) < MAX_IDLE:
                self._idle.append(session)
                return
        session.close(politely=True)

    def close(self) -> None:
        """End all that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close(politely=True)


def _connected(server: MailServer, until: float) -> smtplib.SMTP:
    kind = _Tls if server.security == "tls" else _Plain
    wire: Any = kind.__new__(kind)
    wire.until = until
    options: dict[str, Any] = {"context": _context(server)} if server.security == "tls" else {}
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for this delivery is over")
    wire.__init__(server.host, server.port, local_hostname=_own_name(), timeout=left, **options)
    found: smtplib.SMTP = wire
    return found


def _context(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _own_name() -> str:
    """What to say in EHLO. Not getfqdn, which may ask the network for a long time."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "localhost"


def _dotted(message: bytes) -> bytes:
    """With each leading dot doubled and the end marked."""
    lines = message.removesuffix(b"\r\n") + b"\r\n"
    lines = lines.replace(b"\r\n.", b"\r\n..")
    return (b"." + lines if lines.startswith(b".") else lines) + b".\r\n"


def _bytes(words: Any) -> bytes:
    return words if isinstance(words, bytes) else str(words).encode("utf-8", "replace")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate does not hold: {error.verify_message}"
    return str(error)[:200] or type(error).__name__
