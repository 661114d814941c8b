"""Signatures under policies: by whose word a checkpoint that declares itself deterministic needs no grant.

A signature is bound to one version of the policy. Another version needs its own; running cases keep the version
that they began with, and so the signature of that one, until somebody withdraws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from fairlead.checkpoints.tables import policy_signature as table
from fairlead.kit.unit_of_work import Reader

if TYPE_CHECKING:
    from fairlead.checkpoints.policy import CheckpointPolicy

MEANINGS = {
    "deterministic": "It needs no grant and no score: wherever no rule asks for a person, the machine decides alone.",
    "stop": "It goes on, and what it does is delivered, while a stop switch is on.",
}
"""What each property that a policy can declare means once it is signed."""
columns = table.c


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
    mine = (columns.checkpoint == checkpoint, columns.policy_version == policy_version, columns.withdrawn_at.is_(None))
    row = reader.execute(select(table).where(*mine)).first()
    return None if row is None else _signature(row)


def signatures_of(reader: Reader, checkpoint: str | None = None, *, withdrawn: bool = False) -> list[Signature]:
    """Signatures in force by checkpoint, newest first; withdrawn ones only on request. At most 1,000."""
    query = select(table) if checkpoint is None else select(table).where(columns.checkpoint == checkpoint)
    query = query if withdrawn else query.where(columns.withdrawn_at.is_(None))
    return [
        _signature(row) for row in reader.execute(query.order_by(columns.checkpoint, columns.id.desc()).limit(1_000))
    ]


def unsigned(reader: Reader, policies: Mapping[str, CheckpointPolicy]) -> list[str]:
    """Names of the checkpoints among these that declare what nobody signed, in order."""
    return [
        name for name, one in sorted(policies.items()) if declared(one) and not signature_of(reader, name, one.version)
    ]


def is_never_stopped(reader: Reader, checkpoint: str, policy_version: str) -> bool:
    """Whether a signature in force says that a stop switch does not reach this version of the policy."""
    one = signature_of(reader, checkpoint, policy_version)
    return one is not None and "stop" in one.covers


def _signature(row: Any) -> Signature:
    return Signature(**{**row._mapping, "covers": tuple(row.covers)})  # noqa: SLF001  SQLAlchemy's public name for it
