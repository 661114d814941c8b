"""Grants set and withdrawn by hand: what could not work is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fairlead.checkpoints import grant_store, store
from fairlead.checkpoints.model import Grant, Level
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import iso
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_SCORES_SEEN = 5_000


def set_grant(uow: UnitOfWork, actor: Actor, role: str, grant: Grant, evidence: Mapping[str, Any]) -> Grant:
    """Give autonomy by hand; it replaces the one in force for the same segment and producer.

    `role` is the role under which the actor signs. InputError for a grant that could not work: auto without a
    threshold, an expiry that has passed, an error promise or a lottery rate outside 0 to 1, a threshold outside
    0 to 1 where no score of the producer was ever outside it.
    """
    if grant.expires_at <= uow.now:
        message = f"a grant that expires at {iso(grant.expires_at)} would never hold"
        raise InputError(message, code="grant_expired")
    if grant.level is Level.AUTO and grant.threshold is None:
        message = "an auto grant needs a threshold: the least score that may act alone"
        raise InputError(message, code="grant_threshold")
    if grant.threshold is not None and not math.isfinite(grant.threshold):
        message = f"{grant.threshold} is no threshold: no score compares with it"
        raise InputError(message, code="grant_threshold")
    if grant.threshold is not None and not 0.0 <= grant.threshold <= 1.0:
        _check_reach(uow, grant, grant.threshold)
    if grant.promised_error is not None and not 0.0 < grant.promised_error < 1.0:
        message = "the promised error is a share between 0 and 1, such as 0.02"
        raise InputError(message, code="grant_promise")
    if grant.lottery_rate is not None and not 0.0 <= grant.lottery_rate <= 1.0:
        message = "the lottery rate is a share from 0 to 1, such as 0.05"
        raise InputError(message, code="grant_lottery")
    made = Grant(
        new_id("gra"), grant.checkpoint, grant.segment, grant.producer, grant.level, grant.policy_version,
        grant.expires_at, grant.threshold, grant.promised_error, grant.lottery_rate,
    )  # fmt: skip
    replaced = grant_store.withdraw_grants(
        uow, grant.checkpoint, grant.segment, grant.producer, f"replaced by {made.id}"
    )
    grant_store.insert_grant(
        uow,
        {
            "id": made.id,
            "checkpoint": made.checkpoint,
            "segment": made.segment,
            "producer": made.producer,
            "level": made.level.value,
            "threshold": made.threshold,
            "promised_error": made.promised_error,
            "lottery_rate": made.lottery_rate,
            "policy_version": made.policy_version,
            "evidence": dict(evidence),
            "signed_by": str(actor),
            "signed_role": role,
            "created_at": uow.now,
            "expires_at": made.expires_at,
        },
    )
    payload = {
        "checkpoint": made.checkpoint, "segment": made.segment, "producer": made.producer, "level": made.level.value,
        "threshold": made.threshold, "expires_at": iso(made.expires_at), "replaced": replaced, "role": role,
        "evidence": dict(evidence),
    }  # fmt: skip
    uow.record(AuditEntry("grant.set", made.id, payload, actor=actor))
    return made


def _check_reach(reader: Reader, grant: Grant, threshold: float) -> None:
    """InputError unless this producer's scores leave 0 to 1, as those of a probability never do."""
    seen = store.scores_seen(reader, grant.checkpoint, grant.producer, MAX_SCORES_SEEN)
    if seen is not None and (seen[0] < 0.0 or seen[1] > 1.0):
        return
    effect = "lets every case through" if threshold < 0.0 else "is never reached"
    where = f"{grant.producer} at {grant.checkpoint}"
    if seen is None:
        known = f"no score of {where} is recorded yet, so it counts as a probability"
        cure = "let it run in shadow first, if its scores go further"
    else:
        known, cure = f"scores of {where} run from {seen[0]:.3g} to {seen[1]:.3g}", ""
    if 1.0 < threshold <= 100.0:  # noqa: PLR2004  a percentage
        cure = f"did you mean {threshold / 100:g}?"
    message = f"a threshold of {threshold:g} {effect}: {known}; {cure or 'give one from 0 to 1'}"
    raise InputError(message, code="grant_threshold", threshold=threshold, seen=seen)


def withdraw_grant(uow: UnitOfWork, actor: Actor, grant_id: str, because: str) -> None:
    """End a grant at once; NotFoundError when there is none in force with this id."""
    for row in grant_store.grants_of(uow):
        if row.id == grant_id:
            grant_store.withdraw_grants(uow, row.checkpoint, row.segment, row.producer, because, grant_id)
            uow.record(AuditEntry("grant.withdrawn", grant_id, {"because": because}, actor=actor))
            return
    message = f"no grant {grant_id} is in force"
    raise NotFoundError(message, grant=grant_id)
