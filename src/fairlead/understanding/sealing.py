"""Models sealed with a key of the installation, and carried from one installation to another as files."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from fairlead.errors import InputError
from fairlead.kit import jsons

FORMAT = "fairlead-lead-score/1"
MAX_FILE = 32_000_000
_SEAL_BYTES = 32


def digest_of(packed: bytes) -> str:
    """SHA-256 of the document, 64 hex digits."""
    return hashlib.sha256(packed).hexdigest()


def seal(key: bytes, label: str, packed: bytes) -> str:
    """Keyed proof that this installation stored this document under this `name@version`; 64 hex digits."""
    return hmac.digest(key, f"{label}\0".encode() + packed, hashlib.sha256).hex()


def require_sealed(key: bytes, label: str, packed: bytes, given: str) -> None:
    """InputError `model_tampered` unless the seal is ours."""
    if not hmac.compare_digest(seal(key, label, packed), given):
        raise tampered("it is not what was stored here, or the secret key was changed since")


def to_file(label: str, packed: bytes, sealed: str) -> str:
    """One JSON text with everything that `from_file` needs."""
    return jsons.dumps({
        "format": FORMAT, "producer": label, "digest": digest_of(packed), "seal": sealed,
        "document": base64.b64encode(packed).decode(),
    })  # fmt: skip


def from_file(text: bytes, key: bytes, trusted: str | None) -> tuple[str, bytes]:
    """(label, document) of an exported model.

    InputError `model_tampered` when it was changed; `model_foreign` when it was exported by another installation
    and `trusted` is not its digest; `model_other_version` when it is of a form that this build does not read.
    """
    try:
        body = jsons.loads(text)
        form = str(body["format"])
        packed = base64.b64decode(body["document"], validate=True)
        label, sealed, digest = str(body["producer"]), str(body["seal"]), str(body["digest"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise tampered("it is no exported model, or was cut short") from None
    if form != FORMAT:
        message = f"the file is of form {form[:60]!r}; this build reads {FORMAT!r}. Export it with this build."
        raise InputError(message, code="model_other_version", form=form[:60])
    if digest_of(packed) != digest or len(sealed) != 2 * _SEAL_BYTES:
        raise tampered("its contents are not those that were exported")
    if trusted is not None and not hmac.compare_digest(trusted.strip().lower(), digest):
        raise tampered(f"its digest is {digest}, not the one you gave")
    if trusted is None and not hmac.compare_digest(seal(key, label, packed), sealed):
        message = (
            "the file was exported by another installation, so its seal says nothing here. "
            "Give the digest that the exporter printed: --digest HEX"
        )
        raise InputError(message, code="model_foreign")
    return label, packed


def tampered(what: str) -> InputError:
    """How every document that is not as it was stored is refused; `what` says why."""
    return InputError(f"the model is refused: {what}. Train it again or restore it.", code="model_tampered")
