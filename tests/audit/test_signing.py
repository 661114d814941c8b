"""The signing key lives in a file of its own, closed to others, made once."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from fairlead.audit import Signer
from fairlead.errors import InputError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path


def _pem(key: Ed25519PrivateKey | X25519PrivateKey, lock: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """The file is readable by its owner only, and found again at the next start."""
    path = tmp_path / "deep" / "audit.pem"
    signer = Signer.load(path, create=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["audit.pem"]
    assert Signer.load(path, create=True).public_key == signer.public_key
    assert Signer.load(path, create=False).public_key == signer.public_key


def test_several_starts_agree_on_one_key(tmp_path: Path) -> None:
    """Processes that start together end with the same key."""
    keys: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: keys.append(Signer.load(tmp_path / "audit.pem", create=True).public_key))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_key_of_openssl_is_taken(tmp_path: Path) -> None:
    """The command in the error message makes a key that works."""
    path = tmp_path / "audit.pem"
    with pytest.raises(InputError, match="openssl genpkey -algorithm ed25519") as caught:
        Signer.load(path, create=False)
    assert caught.value.reason == "audit_key_missing"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True)
    assert len(Signer.load(path, create=False).sign(b"x")) == 64


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        b"0" * 64,
        _pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"password")),
        _pem(X25519PrivateKey.generate(), NoEncryption()),
    ],
)
def test_what_is_no_signing_key(tmp_path: Path, content: bytes) -> None:
    """Rubbish, locked keys and keys of another kind are refused, and never replaced."""
    path = tmp_path / "audit.pem"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Signer.load(path, create=True)
    assert caught.value.reason == "audit_key_malformed"
    assert path.read_bytes() == content


def test_a_path_that_cannot_hold_a_key(tmp_path: Path) -> None:
    """A folder is no key, and below a file there is no folder."""
    with pytest.raises(InputError, match="cannot be read"):
        Signer.load(tmp_path, create=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot be written"):
        Signer.load(tmp_path / "file" / "audit.pem", create=True)
