"""Decisions as an outside program sees them: one row of ruling, decision and approval, and where it stands
now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from fairlead.checkpoints import tables as t
from fairlead.kit.unit_of_work import Reader, UnitOfWork

WAITING, DECIDED, BLOCKED = "waiting", "decided", "blocked"
EXECUTABLE = frozenset({"auto", "approve", "edit", "answer"})
KEY_PREFIX = "key_"
BEGUN = {"state": "begun"}
"""What an approval's execution says between its use and the report."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A ruling with its decision and its approval; the fields after `created_at` are None where there is
    none.
    """

    id: str
    checkpoint: str
    decision_key: str
    customer_id: str | None
    path: str
    proposal: Mapping[str, Any]
    record: Mapping[str, Any]
    created_at: datetime
    verdict: str | None = None
    answer: Mapping[str, Any] | None = None
    decided_by: str | None = None
    reason: str | None = None
    effective_at: datetime | None = None
    token_hash: str | None = None
    digest: str | None = None
    expires_at: datetime | None = None
    consumed_at: datetime | None = None
    execution: Mapping[str, Any] | None = None

    @property
    def asker(self) -> str | None:
        """The API key that asked; None when a playbook did."""
        key = self.decision_key.partition("/")[0]
        return key if key.startswith(KEY_PREFIX) else None

    def state(self, now: datetime) -> str:
        """waiting, decided or blocked. A verdict that can still be taken back is not a decision yet."""
        if self.effective_at is None or self.effective_at > now:
            return WAITING
        return BLOCKED if self.verdict == "blocked" else DECIDED

    def to_execute(self, now: datetime) -> Mapping[str, Any] | None:
        """The answer that may be executed as decided; None when nothing may be, now or at all."""
        if self.state(now) != DECIDED or self.verdict not in EXECUTABLE:
            return None
        proposed: Mapping[str, Any] = self.proposal["answer"]
        return proposed if self.answer is None else self.answer


_RULING = ("id", "checkpoint", "decision_key", "customer_id", "path", "proposal", "record", "created_at")
_DECISION = ("verdict", "answer", "decided_by", "reason", "effective_at")
_APPROVAL = ("token_hash", "digest", "expires_at", "consumed_at", "execution")
assert (*_RULING, *_DECISION, *_APPROVAL) == tuple(field.name for field in fields(Asked))  # noqa: S101


def _query(*, approvals: bool = True) -> Select[Any]:
    joined = t.ruling.outerjoin(t.decision, t.decision.c.ruling_id == t.ruling.c.id)
    joined = joined.outerjoin(t.approval, t.approval.c.ruling_id == t.ruling.c.id) if approvals else joined
    columns = [t.ruling.c[name] for name in _RULING] + [t.decision.c[name] for name in _DECISION]
    return select(*columns, *([t.approval.c[name] for name in _APPROVAL] if approvals else ())).select_from(joined)


def find_asked(reader: Reader, ruling_id: str) -> Asked | None:
    """The decision with this id, None when there is none."""
    row = reader.execute(_query().where(t.ruling.c.id == ruling_id)).first()
    return _asked(row) if row else None


def lock_asked(uow: UnitOfWork, one: Asked) -> Asked:
    """As it is now and stays until this transaction ends: nobody else can issue or use its approval."""
    if uow.dialect != "postgresql":
        return one  # one writer
    uow.execute(select(t.ruling.c.id).where(t.ruling.c.id == one.id).with_for_update())
    return find_asked(uow, one.id) or one


def find_many_asked(reader: Reader, ruling_ids: Sequence[str]) -> list[Asked]:
    """Those of these decisions that outside programs asked for."""
    if not ruling_ids:
        return []
    of_keys = t.ruling.c.decision_key.startswith(KEY_PREFIX, autoescape=True)
    mine = (t.ruling.c.id.in_(ruling_ids), of_keys)
    return [_asked(row) for row in reader.execute(_query(approvals=False).where(*mine))]


def page_of_asked(
    reader: Reader, limit: int, *, key_id: str | None, checkpoint: str | None, before: str | None
) -> list[Asked]:
    """Decisions newest first, from the one after id `before` on.

    With `key_id`: those it asked for within the life of its idempotency keys; None: all, playbooks' included.
    """
    query = _query().order_by(t.ruling.c.id.desc()).limit(limit)
    if key_id is not None:
        r = t.request.c
        mine = select(r.ruling_id).where(r.api_key_id == key_id).order_by(r.ruling_id.desc()).limit(limit)
        mine = mine if checkpoint is None else mine.where(r.checkpoint == checkpoint)
        mine = mine if before is None else mine.where(r.ruling_id < before)
        query = query.where(t.ruling.c.id.in_(mine))
    else:
        query = query if checkpoint is None else query.where(t.ruling.c.checkpoint == checkpoint)
        query = query if before is None else query.where(t.ruling.c.id < before)
    return [_asked(row) for row in reader.execute(query)]


def effective_ones(reader: Reader, ruling_ids: Sequence[str], now: datetime) -> set[str]:
    """Which of these are decided and cannot be taken back any more; at most 500 are looked at."""
    d = t.decision.c
    query = select(d.ruling_id).where(d.ruling_id.in_(ruling_ids[:500]), d.effective_at <= now)
    return set(reader.execute(query).scalars())


def unexecuted(reader: Reader, limit: int, now: datetime, latest: datetime, before: str | None) -> list[Asked]:
    """What programs were allowed to do and never reported as done, newest first, from the one after `before`
    on.

    The approval expired, was begun and not reported since, or was never fetched though effective since
    `latest`.
    Looks at what was asked within the life of its idempotency key.
    """
    a, d = t.approval.c, t.decision.c
    expired = a.consumed_at.is_(None) & (a.expires_at <= now)
    begun = (a.execution == BEGUN) & (a.consumed_at <= latest)
    unfetched = a.ruling_id.is_(None) & (d.effective_at <= latest)
    asked = t.ruling.c.id.in_(select(t.request.c.ruling_id))
    query = _query().where(asked, d.verdict.in_(sorted(EXECUTABLE)), expired | begun | unfetched)
    query = query if before is None else query.where(t.ruling.c.id < before)
    return [_asked(row) for row in reader.execute(query.order_by(t.ruling.c.id.desc()).limit(limit))]


def _asked(row: Any) -> Asked:
    return Asked(*row)
