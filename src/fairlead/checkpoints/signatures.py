"""Signatures under policies: by whose word a checkpoint that declares itself deterministic needs no grant.

A signature is bound to one version of the policy. Another version needs its own; running cases keep the version
that they began with, and so the signature of that one, until somebody withdraws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.checkpoints.tables import policy_signature as table
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

if TYPE_CHECKING:
    from fairlead.checkpoints.policy import CheckpointPolicy
    from fairlead.kit.actors import Actor

MAX_REASON_CHARS = 4_000
MEANINGS = {
    "deterministic": "It needs no grant and no score: wherever no rule asks for a person, the machine decides alone.",
    "stop": "It goes on, and what it does is delivered, while a stop switch is on.",
}
"""What each property that a policy can declare means once it is signed."""
_c = table.c


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's word for the declared properties (`covers`) of one version of a policy."""

    id: str
    checkpoint: str
    policy_version: str
    covers: tuple[str, ...]
    signed_by: str
    signed_role: str
    reason: str
    at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_because: str | None = None


def declared(policy: CheckpointPolicy) -> dict[str, str]:
    """The properties of this policy that count only when signed, each with what it means; {} for most."""
    found = {"deterministic": policy.deterministic, "stop": policy.never_stopped}
    return {name: MEANINGS[name] for name, declares in found.items() if declares}


def signature_of(reader: Reader, checkpoint: str, policy_version: str) -> Signature | None:
    """The signature in force under this version, None when nobody signed it."""
    mine = (_c.checkpoint == checkpoint, _c.policy_version == policy_version, _c.withdrawn_at.is_(None))
    row = reader.execute(select(table).where(*mine)).first()
    return None if row is None else _signature(row)


def signatures_of(reader: Reader, checkpoint: str | None = None, *, withdrawn: bool = False) -> list[Signature]:
    """Signatures in force by checkpoint, newest first; withdrawn ones only on request. At most 1,000."""
    query = select(table) if checkpoint is None else select(table).where(_c.checkpoint == checkpoint)
    query = query if withdrawn else query.where(_c.withdrawn_at.is_(None))
    return [_signature(row) for row in reader.execute(query.order_by(_c.checkpoint, _c.id.desc()).limit(1_000))]


def unsigned(reader: Reader, policies: Mapping[str, CheckpointPolicy]) -> list[str]:
    """Names of the checkpoints among these that declare what nobody signed, in order."""
    return [
        name for name, one in sorted(policies.items()) if declared(one) and not signature_of(reader, name, one.version)
    ]


def sign_policy(uow: UnitOfWork, actor: Actor, role: str, policy: CheckpointPolicy, reason: str) -> Signature:
    """Sign what this version declares; it counts from now on, for this version alone.

    `role` is the role under which the actor signs. InputError for a policy that declares nothing or a missing
    reason, ConflictError when this version is signed already.
    """
    reason = _checked(reason)
    covers = tuple(declared(policy))
    if not covers:
        message = f"{policy.checkpoint} declares nothing that needs a signature; it is governed by grants."
        raise InputError(message, code="nothing_to_sign", checkpoint=policy.checkpoint)
    one = Signature(
        new_id("sig"), policy.checkpoint, policy.version, covers, str(actor), role, reason, uow.now
    )  # fmt: skip
    if not _insert(uow, one):
        message = f"This version of {policy.checkpoint} is signed already."
        raise ConflictError(message, code="signed", checkpoint=policy.checkpoint, version=policy.version)
    payload = {
        "checkpoint": one.checkpoint, "policy": one.policy_version, "covers": list(covers), "role": role,
        "reason": reason,
    }  # fmt: skip
    uow.record(AuditEntry("policy.signed", one.id, payload, actor=actor))
    return one


def withdraw_signatures(uow: UnitOfWork, actor: Actor, checkpoint: str, reason: str) -> list[Signature]:
    """Take back every signature in force at a checkpoint, whatever its version; it counts for nothing at once.

    NotFoundError when there is none.
    """
    reason = _checked(reason)
    found = signatures_of(uow, checkpoint)
    if not found:
        message = f"No signature is in force at {checkpoint[:64]!r}."
        raise NotFoundError(message, checkpoint=checkpoint[:64])
    end = {"withdrawn_at": uow.now, "withdrawn_by": str(actor), "withdrawn_because": reason}
    for one in found:
        still = (_c.id == one.id, _c.withdrawn_at.is_(None))
        if uow.execute(update(table).where(*still).values(**end)).rowcount == 1:
            payload = {"checkpoint": checkpoint, "policy": one.policy_version, "reason": reason}
            uow.record(AuditEntry("policy.unsigned", one.id, payload, actor=actor))
    return found


def is_never_stopped(reader: Reader, checkpoint: str, policy_version: str) -> bool:
    """Whether a signature in force says that a stop switch does not reach this version of the policy."""
    one = signature_of(reader, checkpoint, policy_version)
    return one is not None and "stop" in one.covers


def _checked(reason: str) -> str:
    reason = " ".join(reason.replace("\x00", "").encode("utf-8", "replace").decode().split())
    if not reason:
        raise InputError("Say why: others will ask.", code="reason_missing", field="reason")
    if len(reason) > MAX_REASON_CHARS:
        raise InputError(f"A reason has at most {MAX_REASON_CHARS} characters.", code="reason_text", field="reason")
    return reason


def _insert(uow: UnitOfWork, one: Signature) -> bool:
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {
        "id": one.id, "checkpoint": one.checkpoint, "policy_version": one.policy_version, "covers": list(one.covers),
        "signed_by": one.signed_by, "signed_role": one.signed_role, "reason": one.reason, "at": one.at,
    }  # fmt: skip
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return uow.execute(statement.returning(table.c.id)).first() is not None


def _signature(row: Any) -> Signature:
    return Signature(**{**row._mapping, "covers": tuple(row.covers)})  # noqa: SLF001  SQLAlchemy's public name for it
