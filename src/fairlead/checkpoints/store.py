"""All SQL of rulings and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.checkpoints import tables as t
from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader, UnitOfWork

RULING_COLUMNS = (
    "id", "checkpoint", "decision_key", "case_id", "customer_id", "path", "segment", "producer", "policy_version",
    "grant_id", "score", "value_minor", "digest", "proposal", "facts", "record", "lottery", "lottery_p", "created_at",
)  # fmt: skip
DECISION_COLUMNS = ("ruling_id", "verdict", "answer", "decided_by", "reason", "decided_at", "effective_at")


def insert_rulings(uow: UnitOfWork, rulings: Sequence[Sequence[Any]], decisions: Sequence[Sequence[Any]]) -> None:
    """Rulings and the decisions of those that need no person, as plain values in column order."""
    if rulings:
        uow.insert_many(t.ruling, RULING_COLUMNS, rulings)
    if decisions:
        uow.insert_many(t.decision, DECISION_COLUMNS, decisions)


def read_ruling(reader: Reader, ruling_id: str) -> Row[Any]:
    """The stored ruling; NotFoundError when there is none."""
    row = reader.execute(select(t.ruling).where(t.ruling.c.id == ruling_id)).first()
    if row is None:
        message = f"there is no ruling {ruling_id}"
        raise NotFoundError(message, ruling=ruling_id)
    return row


def read_decision(reader: Reader, ruling_id: str) -> Row[Any] | None:
    """The decision on a ruling, None while nobody decided."""
    return reader.execute(select(t.decision).where(t.decision.c.ruling_id == ruling_id)).first()


def insert_decision(uow: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Store a decision; False when the ruling has one already."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    statement = dialect.insert(t.decision).values(**values).on_conflict_do_nothing(index_elements=["ruling_id"])
    return uow.execute(statement.returning(t.decision.c.ruling_id)).first() is not None


def delete_decision(uow: UnitOfWork, ruling_id: str) -> None:
    """Take a decision back before it had an effect."""
    uow.execute(delete(t.decision).where(t.decision.c.ruling_id == ruling_id))


def rulings_of_case(reader: Reader, case_id: str) -> list[Row[Any]]:
    """Every ruling of a case with its decision, oldest first."""
    joined = t.ruling.outerjoin(t.decision, t.decision.c.ruling_id == t.ruling.c.id)
    columns = [t.decision.c[name] for name in ("verdict", "answer", "decided_by", "reason", "decided_at")]
    query = select(t.ruling, *columns).select_from(joined).where(t.ruling.c.case_id == case_id)
    return list(reader.execute(query.order_by(t.ruling.c.created_at)))


def exists(reader: Reader, ruling_id: str) -> bool:
    """Whether there is a ruling with this id."""
    return reader.execute(select(t.ruling.c.id).where(t.ruling.c.id == ruling_id)).first() is not None


def scores_seen(reader: Reader, checkpoint: str, producer: str, limit: int) -> tuple[float, float] | None:
    """The lowest and highest score of this producer there among the newest `limit` rulings; None without any."""
    r = t.ruling.c
    newest = select(r.checkpoint, r.producer, r.score).order_by(r.id.desc()).limit(limit).subquery().c
    mine = (newest.checkpoint == checkpoint, newest.producer == producer, newest.score.is_not(None))
    ends = select(func.min(newest.score).label("low"), func.max(newest.score).label("high")).where(*mine)
    row: Any = reader.execute(ends).one()
    return None if row.low is None else (row.low, row.high)


def decisions_of_customer(
    reader: Reader, customer_id: str, limit: int, before: tuple[datetime, str] | None = None
) -> list[Row[Any]]:
    """What was decided about a customer, newest first; those before (decided_at, ruling id)."""
    r, d = t.ruling.c, t.decision.c
    columns = (r.id, r.checkpoint, r.case_id, r.proposal, d.verdict, d.answer, d.decided_by, d.reason, d.decided_at)
    query = select(*columns).join_from(t.ruling, t.decision, d.ruling_id == r.id).where(r.customer_id == customer_id)
    if before:
        query = query.where(or_(d.decided_at < before[0], and_(d.decided_at == before[0], r.id < before[1])))
    return list(reader.execute(query.order_by(d.decided_at.desc(), r.id.desc()).limit(limit)))


def rulings_of_cases(reader: Reader, case_ids: Sequence[str]) -> list[Row[Any]]:
    """(case, path, record) of every ruling of these cases, oldest first."""
    r = t.ruling.c
    query = select(r.case_id, r.path, r.record).where(r.case_id.in_(case_ids))
    return list(reader.execute(query.order_by(r.created_at, r.id)))


_BETWEEN = """SELECT id, created_at, path, case_id FROM ruling
    WHERE checkpoint = ? AND created_at >= ? AND created_at < ? AND case_id IS NOT NULL
    ORDER BY created_at DESC LIMIT ?"""


def rulings_between(reader: Reader, checkpoint: str, since: int, until: int, limit: int) -> list[Any]:
    """(id, created at, path, case) of the newest rulings on cases in a time given in microseconds."""
    return reader.fetch(_BETWEEN, checkpoint, since, until, limit)
