"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, with RSA or Ed25519 keys."""

from __future__ import annotations

import base64
import hashlib
import re
import stat
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from fairlead.errors import InputError

LEAST_RSA_BITS = 2_048
SIGNED = (
    "from", "to", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version",
    "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted",
)  # fmt: skip
"""Signed where they stand."""
ALONE = frozenset({
    "from", "to", "reply-to", "subject", "date", "message-id", "content-type", "list-unsubscribe",
    "list-unsubscribe-post",
})  # fmt: skip
"""Named once more than they stand, so that nobody on the way can add another."""
_NAME = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*"
)
_LINE_CHARS = 64
Header = tuple[bytes, bytes]
"""Name and value of a header as they stand, the value with its folding."""


class DkimSigner:
    """Signs messages in the name of a domain; safe for threads."""

    def __init__(self, domain: str, selector: str, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        """InputError for a domain or selector that is no name, and for RSA keys under 2,048 bits."""
        for what, name in (("domain", domain), ("selector", selector)):
            if not _NAME.fullmatch(name) or len(name) > 253:  # noqa: PLR2004  of a name in DNS
                raise InputError(f"The DKIM {what} cannot be {name!r:.80}.", code="dkim", field=what)
        if isinstance(key, RSAPrivateKey) and key.key_size < LEAST_RSA_BITS:
            message = f"The DKIM key has {key.key_size} bits; receivers want at least {LEAST_RSA_BITS}."
            raise InputError(message, code="dkim")
        self.domain = domain.lower()
        self.selector = selector
        self._key = key
        self.algorithm = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"

    @classmethod
    def load(cls, path: Path, domain: str, selector: str) -> DkimSigner:
        """With the unencrypted PEM key of this file; InputError when it is none or others may read it."""
        try:
            mode, data = path.stat().st_mode, path.read_bytes()[:65_536]
        except OSError as error:
            raise InputError(f"The DKIM key {path} cannot be read: {error.strerror}.", code="dkim") from None
        if stat.S_IMODE(mode) & 0o077:
            raise InputError(f"Others may read the DKIM key {path}. Close it with: chmod 600 {path}", code="dkim")
        try:
            key = load_pem_private_key(data, password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, (RSAPrivateKey, Ed25519PrivateKey)):
            message = f"{path} holds no RSA or Ed25519 private key in PEM form without a password."
            raise InputError(message, code="dkim")
        return cls(domain, selector, key)

    def record(self) -> tuple[str, str]:
        """Name and content of the DNS TXT record that receivers look up."""
        public = self._key.public_key()
        if isinstance(self._key, RSAPrivateKey):
            kind, data = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, data = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k={kind}; p={base64.b64encode(data).decode()}"

    def sign(self, message: bytes, at: datetime) -> bytes:
        """The message with its signature before it; lines end in CRLF, as they will on the wire."""
        head, _, body = message.partition(b"\r\n\r\n")
        chosen = _chosen(split_headers(head + b"\r\n"))
        tags = [
            "v=1", f"a={self.algorithm}", "c=relaxed/relaxed", f"d={self.domain}", f"s={self.selector}",
            f"t={int(at.timestamp())}",
        ]  # fmt: skip
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        names = ":".join(name for name, _ in chosen)
        value = f" {'; '.join(tags)};\r\n\th={_folded(names, ':')};\r\n\tbh={digest};\r\n\tb="
        signed = b"".join(relaxed_header(*header) for _, header in chosen if header is not None)
        signed += relaxed_header(b"DKIM-Signature", value.encode()).removesuffix(b"\r\n")
        text = base64.b64encode(self._signature(signed)).decode()
        pieces = [text[at : at + _LINE_CHARS] for at in range(0, len(text), _LINE_CHARS)]
        return b"DKIM-Signature:" + value.encode() + "\r\n\t".join(pieces).encode() + b"\r\n" + message

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(signed, PKCS1v15(), SHA256())
        return self._key.sign(hashlib.sha256(signed).digest())  # RFC 8463, section 3


def split_headers(head: bytes) -> list[Header]:
    """The headers of a block whose lines end in CRLF; a line that is none is left out."""
    fields: list[bytes] = []
    for line in head.split(b"\r\n"):
        if line[:1] in {b" ", b"\t"} and fields:
            fields[-1] += b"\r\n" + line
        elif line:
            fields.append(line)
    parts = (field.partition(b":") for field in fields)
    return [(name, value) for name, colon, value in parts if colon]


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """RFC 6376, section 3.4.2."""
    flat = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + flat + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376, section 3.4.4."""
    body = re.sub(rb"[ \t]+", b" ", body)
    body = re.sub(rb" (?=\r\n|\Z)", b"", body).rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _chosen(headers: Sequence[Header]) -> list[tuple[str, Header | None]]:
    """What is signed, in order: of headers that stand twice the last first; None for one more that must not be."""
    found: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        found[header[0].strip(b" \t").lower().decode("latin-1")].append(header)
    chosen: list[tuple[str, Header | None]] = []
    for name in SIGNED:
        chosen += [(name, header) for header in reversed(found[name])]
        if name in ALONE:
            chosen.append((name, None))
    return chosen


def _folded(text: str, at: str) -> str:
    lines = [""]
    for number, part in enumerate(text.split(at)):
        piece = part if number == 0 else at + part
        if len(lines[-1]) + len(piece) > _LINE_CHARS:
            lines.append("")
        lines[-1] += piece
    return "\r\n\t ".join(lines)
