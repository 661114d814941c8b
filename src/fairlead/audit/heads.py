"""The heads of the chain, published to a file outside the database and read back."""

from __future__ import annotations

import fcntl
import os
from itertools import count
from typing import TYPE_CHECKING

from fairlead.audit import store
from fairlead.audit.model import SealRow
from fairlead.errors import InputError, UnavailableError
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, iso
from fairlead.kit.unit_of_work import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.audit.signing import Signer


def publish_heads(reader: Reader, signer: Signer, heads_file: Path) -> int:
    """Append every head that the file does not have yet, so also what a crash kept an earlier call from."""
    try:
        heads_file.parent.mkdir(parents=True, exist_ok=True)
        with heads_file.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another process may be publishing the same heads
            file.seek(0)
            text = file.read()
            known = _heads_in(text)
            above = next(number for number in count() if number + 1 not in known)
            lines = [_head_line(seal, signer) for seal in store.seals(reader, above) if seal.no not in known]
            if lines:
                # A crash may have left half a line; ours must not join it.
                file.write(b"".join([b"" if text.endswith(b"\n") or not text else b"\n", *lines]))
                file.flush()
                os.fsync(file.fileno())
            return len(lines)
    except OSError as error:
        message = f"audit heads cannot be published to {heads_file}: {error.strerror}"
        raise UnavailableError(message, file=str(heads_file)) from error


def _head_line(seal: SealRow, signer: Signer) -> bytes:
    line = {
        "no": seal.no,
        "at": iso(from_micros(seal.at)),
        "rows": len(seal.ids),
        "last_row": seal.highest,
        "head": seal.head.hex(),
        "signature": seal.signature.hex(),
        "public_key": signer.public_key.hex(),
    }
    return jsons.dumps(line).encode() + b"\n"


def read_heads(heads_file: Path) -> dict[int, bytes]:
    """Published heads by seal number; {} when there is no file.

    Lines that a crash left half-written are passed over. Where two lines disagree, the first counts: nobody
    takes back what was published.
    """
    try:
        return _heads_in(heads_file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        message = f"the published audit heads {heads_file} cannot be read: {error.strerror}"
        raise InputError(message, code="audit_heads", file=str(heads_file)) from error


def _heads_in(text: bytes) -> dict[int, bytes]:
    heads: dict[int, bytes] = {}
    for line in text.splitlines():
        try:
            record = jsons.loads(line)
            heads.setdefault(int(record["no"]), bytes.fromhex(record["head"]))
        except (ValueError, KeyError, TypeError):
            continue
    return heads
