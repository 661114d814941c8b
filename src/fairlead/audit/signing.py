"""The Ed25519 key that signs heads; it lives in a file outside the database."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fairlead.errors import InputError, UnavailableError


class Signer:
    """Signs heads; its public half is what a third party verifies with."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        """Use `Signer.load` unless you have a key in hand."""
        self._private = private
        self.public_key = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(message)

    @classmethod
    def load(cls, path: Path, *, create: bool) -> Signer:
        """Read an Ed25519 private key in PEM (PKCS 8, no password) from `path`.

        With `create` a missing file is made, readable by its owner only; otherwise InputError.
        """
        if create and not path.exists():
            _write_new(path)
        try:
            private = load_pem_private_key(path.read_bytes(), None)
        except FileNotFoundError:
            cure = f"openssl genpkey -algorithm ed25519 -out {path}"
            message = f"no audit signing key at {path}; make one with: {cure}"
            raise InputError(message, code="audit_key_missing") from None
        except OSError as error:
            message = f"the audit signing key {path} cannot be read: {error.strerror}"
            raise InputError(message, code="audit_key_unreadable") from error
        except (ValueError, TypeError, UnsupportedAlgorithm):  # no PEM, one with a password, a key unheard of
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            message = f"{path} does not hold an audit signing key (Ed25519 in PEM, without a password)"
            raise InputError(message, code="audit_key_malformed")
        return cls(private)


def _write_new(path: Path) -> None:
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(private)
                file.flush()
                os.fsync(handle)  # heads signed with a key that a power cut took could not be trusted
            path.hardlink_to(draft)
        except FileExistsError:
            return  # another process was first; its key counts
        finally:
            Path(draft).unlink()
    except OSError as error:
        message = f"an audit signing key cannot be written to {path}: {error.strerror}"
        raise UnavailableError(message, file=str(path)) from error


def signature_holds(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the holder of the private half signed exactly this message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
