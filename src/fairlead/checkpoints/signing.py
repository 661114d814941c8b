"""Signing what a policy declares, and taking the signature back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.checkpoints.signatures import Signature, columns, declared, signatures_of
from fairlead.checkpoints.tables import policy_signature as table
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

if TYPE_CHECKING:
    from fairlead.checkpoints.policy import CheckpointPolicy
    from fairlead.kit.actors import Actor

MAX_REASON_CHARS = 4_000


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
        still = (columns.id == one.id, columns.withdrawn_at.is_(None))
        if uow.execute(update(table).where(*still).values(**end)).rowcount == 1:
            payload = {"checkpoint": checkpoint, "policy": one.policy_version, "reason": reason}
            uow.record(AuditEntry("policy.unsigned", one.id, payload, actor=actor))
    return found


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
