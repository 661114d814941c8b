"""A verifier of DKIM signatures, written from RFC 6376 and RFC 8463 and from nothing in the program."""

from __future__ import annotations

import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def tags_of(text: str) -> dict[str, str]:
    """A tag list of section 3.2, blanks within values taken out."""
    pairs = (one.split("=", 1) for one in text.split(";") if one.strip())
    return {name.strip(): re.sub(r"\s+", "", value) for name, value in pairs}


def fields_of(message: bytes) -> list[tuple[str, str]]:
    """Name and raw value of each header, top to bottom."""
    head = message.split(b"\r\n\r\n")[0].decode("latin-1") + "\r\n"
    return re.findall(r"^([!-9;-~]+)[ \t]*:((?:.*\r\n)(?:[ \t].*\r\n)*)", head, re.MULTILINE)


def _header(name: str, value: str) -> str:
    value = re.sub(r"[ \t]+", " ", value.replace("\r\n", ""))
    return f"{name.lower()}:{value.strip(' ')}"


def _body(message: bytes) -> bytes:
    lines = message.split(b"\r\n\r\n", 1)[1].split(b"\r\n") if b"\r\n\r\n" in message else []
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def signed_names(message: bytes) -> list[str]:
    """The `h=` tag of the first signature."""
    value = next(value for name, value in fields_of(message) if name.lower() == "dkim-signature")
    return tags_of(value)["h"].lower().split(":")


def verify(message: bytes, records: dict[str, str], which: int = 0) -> bool:
    """Whether the signature number `which` holds, by DNS records (name → text); relaxed/relaxed alone."""
    fields = fields_of(message)
    raw = [value for name, value in fields if name.lower() == "dkim-signature"][which]
    tags = tags_of(raw)
    assert tags["v"] == "1"
    assert tags["c"] == "relaxed/relaxed"
    if base64.b64decode(tags["bh"]) != hashlib.sha256(_body(message)).digest():
        return False
    left = [one for one in fields if one[0].lower() != "dkim-signature"]
    lines = []
    for wanted in tags["h"].lower().split(":"):
        index = next((at for at in range(len(left) - 1, -1, -1) if left[at][0].lower() == wanted), None)
        if index is not None:
            lines.append(_header(*left.pop(index)) + "\r\n")
    empty = re.sub(r"(^|;)(\s*b\s*=)[^;]*", r"\1\2", raw)
    data = ("".join(lines) + _header("dkim-signature", empty)).encode("latin-1")
    key = tags_of(records[f"{tags['s']}._domainkey.{tags['d']}"])
    try:
        _check(tags["a"], base64.b64decode(key["p"]), base64.b64decode(tags["b"]), data)
    except InvalidSignature:
        return False
    return True


def _check(algorithm: str, public: bytes, signature: bytes, data: bytes) -> None:
    if algorithm == "ed25519-sha256":
        Ed25519PublicKey.from_public_bytes(public).verify(signature, hashlib.sha256(data).digest())
        return
    assert algorithm == "rsa-sha256"
    key = load_der_public_key(public)
    assert isinstance(key, RSAPublicKey)
    key.verify(signature, data, PKCS1v15(), SHA256())
