"""Keeping what came of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead.checkpoints import find_asked
from fairlead.errors import ConflictError, NotFoundError
from fairlead.evidence import store
from fairlead.evidence.model import Outcome, OutcomeReport
from fairlead.kit.actors import Actor
from fairlead.kit.clock import iso
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_SHOWN = 500


def report_outcome(uow: UnitOfWork, actor: Actor, report: OutcomeReport) -> tuple[Outcome, bool]:
    """Keep it once per actor and key; False when the same was reported before.

    ConflictError when the key was used for something else, NotFoundError for an unknown decision.
    """
    report.check(uow.now)
    asked = find_asked(uow, report.ruling_id)
    if asked is None:
        raise NotFoundError("There is no such decision.", decision=report.ruling_id)
    one = Outcome(
        new_id("out"),
        report.ruling_id,
        report.name,
        report.value,
        str(actor),
        report.key,
        report.happened_at,
        uow.now,
    )
    known = store.find_outcome(uow, str(actor), report.key)
    if known is None and not store.insert_outcome(uow, one):
        known = store.find_outcome(uow, str(actor), report.key)
        uow.record(AuditEntry("outcome.repeated", report.ruling_id, {"key": report.key}, asked.customer_id, actor))
    if known is not None:
        if not known.same_as(report):
            message = "This key was used for another outcome; use a new one."
            raise ConflictError(message, code="key_reused", key=report.key)
        return known, False
    payload = {
        "outcome": one.id, "name": one.name, "value": one.value, "happened_at": iso(one.happened_at),
        "key": one.key,
    }  # fmt: skip
    uow.record(AuditEntry("outcome.reported", one.ruling_id, payload, asked.customer_id, actor))
    return one, True


def outcomes_of(reader: Reader, ruling_id: str) -> list[Outcome]:
    """What came of a decision, oldest report first, at most 500."""
    return store.outcomes_of(reader, ruling_id, MAX_SHOWN)


def outcome_values(reader: Reader, ruling_ids: Sequence[str], name: str) -> dict[str, Any]:
    """What was reported last under this name of each of these decisions; those without a report are left out."""
    return store.values_of(reader, ruling_ids, name)
