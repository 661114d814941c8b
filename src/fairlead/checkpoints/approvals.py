"""Approvals: leave to do once, soon, exactly what was decided.

A token is HMAC(secret, ruling, digest), so the same caller can be shown it again although only its hash is
stored.
The digest covers the checkpoint, the answer as decided and the customer: another answer needs another
decision.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fairlead.checkpoints import approval_store
from fairlead.checkpoints.asked import BEGUN, Asked
from fairlead.errors import ConflictError
from fairlead.kit import jsons
from fairlead.kit.actors import Actor
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

_PURPOSE = b"fairlead approval v1\0"


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave to execute the answer with this digest, once, before `expires_at`."""

    token: str = field(repr=False)
    digest: str
    expires_at: datetime


def digest_to_execute(checkpoint: str, answer: Mapping[str, Any], customer_id: str | None) -> str:
    """SHA-256 of what may be executed: canonical JSON of the three, customer null where none is known."""
    return jsons.digest({"answer": answer, "checkpoint": checkpoint, "customer": customer_id})


def token_of(secret: bytes, ruling_id: str, digest: str) -> str:
    """The token of this ruling and content, `fla_` and 43 characters."""
    mac = hmac.digest(secret, _PURPOSE + ruling_id.encode() + b"\0" + digest.encode(), hashlib.sha256)
    return "fla_" + base64.urlsafe_b64encode(mac).decode().rstrip("=")


def issue(uow: UnitOfWork, one: Asked, actor: Actor, secret: bytes, life: timedelta) -> Approval | None:
    """The approval of an effective decision: issued now if it never was, None once used or expired.

    None, too, where there is nothing to execute. The life begins with the first time that it is issued.
    """
    answer = one.to_execute(uow.now)
    if answer is None:
        return None
    if one.token_hash is not None:
        return current(one, secret, uow.now)
    digest = digest_to_execute(one.checkpoint, answer, one.customer_id)
    token = token_of(secret, one.id, digest)
    expires_at = uow.now + life
    stored = approval_store.insert_approval(
        uow,
        {
            "ruling_id": one.id,
            "token_hash": hash_of(token),
            "digest": digest,
            "issued_at": uow.now,
            "expires_at": expires_at,
            "consumed_at": None,
            "execution": None,
        },
    )
    if not stored:
        raise ConflictError("The approval is being issued to somebody else.", decision=one.id)
    payload = {"digest": digest, "expires_at": iso(expires_at)}
    uow.record(AuditEntry("approval.issued", one.id, payload, one.customer_id, actor))
    return Approval(token, digest, expires_at)


def current(one: Asked, secret: bytes, now: datetime) -> Approval | None:
    """The approval that was issued, as long as it can be used."""
    if one.digest is None or one.expires_at is None or one.consumed_at is not None or one.expires_at <= now:
        return None
    return Approval(token_of(secret, one.id, one.digest), one.digest, one.expires_at)


def stands(one: Asked, now: datetime) -> str:
    """none, open, expired, begun, executed or failed: what became of the leave to execute."""
    if one.token_hash is None:
        return "none"
    if one.consumed_at is not None:
        return str((one.execution or BEGUN)["state"])
    return "open" if one.expires_at is not None and one.expires_at > now else "expired"


def hash_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
