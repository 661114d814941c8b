"""All SQL of rulings, decisions, grants, stop switches and approvals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.checkpoints import tables as t
from fairlead.checkpoints.model import Grant, GrantKey, Level
from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader, UnitOfWork

RULING_COLUMNS = (
    "id", "checkpoint", "decision_key", "case_id", "customer_id", "path", "segment", "producer", "policy_version",
    "grant_id", "score", "value_minor", "digest", "proposal", "facts", "record", "lottery", "lottery_p", "created_at",
)  # fmt: skip
_EPOCH = """SELECT * FROM
    (SELECT count(*), max(created_at), count(withdrawn_at), max(withdrawn_at) FROM autonomy_grant) AS given,
    (SELECT count(*), max(at), count(withdrawn_at), max(withdrawn_at) FROM policy_signature) AS signed,
    (SELECT count(*), max(set_at), sum(set_at), min(scope), max(scope) FROM stop_switch) AS stopped"""
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


def grants_of(reader: Reader, checkpoint: str | None = None, *, withdrawn: bool = False) -> list[Row[Any]]:
    """Grants by checkpoint, segment, newest first; withdrawn ones only on request."""
    g = t.autonomy_grant.c
    query = select(t.autonomy_grant)
    query = query.where(g.checkpoint == checkpoint) if checkpoint else query
    query = query if withdrawn else query.where(g.withdrawn_at.is_(None))
    return list(reader.execute(query.order_by(g.checkpoint, g.segment, g.producer, g.created_at.desc(), g.id.desc())))


_GRANT = t.autonomy_grant.c
_IN_FORCE = (
    select(t.autonomy_grant)
    .where(_GRANT.checkpoint == bindparam("this_checkpoint"), _GRANT.withdrawn_at.is_(None))
    .order_by(_GRANT.created_at.desc(), _GRANT.id.desc())
)


def grants_by_key(reader: Reader, checkpoint: str) -> dict[GrantKey, Grant]:
    """The grant in force for each segment and producer; expired ones are among them."""
    found: dict[GrantKey, Grant] = {}
    for row in reader.execute(_IN_FORCE, {"this_checkpoint": checkpoint}):
        grant = Grant(
            row.id, row.checkpoint, row.segment, row.producer, Level(row.level), row.policy_version, row.expires_at,
            row.threshold, row.promised_error, row.lottery_rate,
        )  # fmt: skip
        found.setdefault(grant.key, grant)
    return found


def insert_grant(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Add a grant."""
    uow.execute(insert(t.autonomy_grant).values(**values))


def withdraw_grants(
    uow: UnitOfWork, checkpoint: str, segment: str, producer: str, because: str, grant_id: str | None = None
) -> list[str]:
    """End the grants in force of this key (or just `grant_id`); returns their ids."""
    g = t.autonomy_grant.c
    mine = [
        g.checkpoint == checkpoint,
        g.segment == segment,
        g.producer == producer,
        g.withdrawn_at.is_(None),
    ]
    if grant_id is not None:
        mine.append(g.id == grant_id)
    ids = [row.id for row in uow.execute(select(g.id).where(*mine))]
    if ids:
        change = update(t.autonomy_grant).where(g.id.in_(ids))
        uow.execute(change.values(withdrawn_at=uow.now, withdrawn_because=because))
    return ids


_STOPS = select(t.stop_switch).order_by(t.stop_switch.c.scope)


def stops(reader: Reader) -> list[Row[Any]]:
    """Every stop switch that is on."""
    return list(reader.execute(_STOPS))


def insert_stop(uow: UnitOfWork, scope: str, words: str, by: str) -> bool:
    """Switch on; False when it was on already."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    statement = dialect.insert(t.stop_switch).values(scope=scope, words=words, set_by=by, set_at=uow.now)
    statement = statement.on_conflict_do_nothing(index_elements=["scope"])
    return uow.execute(statement.returning(t.stop_switch.c.scope)).first() is not None


def delete_stop(uow: UnitOfWork, scope: str) -> bool:
    """Switch off; False when it was off."""
    return uow.execute(delete(t.stop_switch).where(t.stop_switch.c.scope == scope)).rowcount == 1


def autonomy_epoch(reader: Reader) -> str:
    """A text that changes whenever a grant, signature or stop switch does; what was ruled under another is stale."""
    return repr(reader.fetch(_EPOCH))


_INSERT_APPROVAL = {
    module.__name__.rpartition(".")[2]: module.insert(t.approval)
    .on_conflict_do_nothing(index_elements=["ruling_id"])
    .returning(t.approval.c.ruling_id)
    for module in (postgresql, sqlite)
}


def insert_approval(uow: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Keep an approval that was issued, only the token's hash of it; False when there is one already."""
    return uow.execute(_INSERT_APPROVAL[uow.dialect], values).first() is not None


def read_approval(reader: Reader, ruling_id: str) -> Row[Any] | None:
    """The approval of a ruling, None when none was issued."""
    return reader.execute(select(t.approval).where(t.approval.c.ruling_id == ruling_id)).first()


def consume_approval(uow: UnitOfWork, ruling_id: str, token_hash: str, execution: Mapping[str, Any]) -> bool:
    """Use it up; False when it was used, has expired, or the token is another."""
    a = t.approval.c
    mine = (
        a.ruling_id == ruling_id,
        a.token_hash == token_hash,
        a.consumed_at.is_(None),
        a.expires_at > uow.now,
    )
    change = update(t.approval).where(*mine).values(consumed_at=uow.now, execution=dict(execution))
    return uow.execute(change).rowcount == 1


def complete_execution(uow: UnitOfWork, ruling_id: str, begun: Mapping[str, Any], execution: Mapping[str, Any]) -> bool:
    """Put the result in the place of `begun`; False when somebody reported it already."""
    a = t.approval.c
    mine = (a.ruling_id == ruling_id, a.execution == dict(begun))
    return uow.execute(update(t.approval).where(*mine).values(execution=dict(execution))).rowcount == 1


def insert_unasked(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Keep an execution that no approval allowed."""
    uow.execute(insert(t.unasked).values(**values))


def unasked_executions(reader: Reader, limit: int, before: str | None = None) -> list[Row[Any]]:
    """Executions without a valid approval, newest first, from the one after id `before` on."""
    query = select(t.unasked).order_by(t.unasked.c.id.desc()).limit(limit)
    return list(reader.execute(query if before is None else query.where(t.unasked.c.id < before)))


_READ_REQUEST = select(t.request).where(
    *(t.request.c[name] == bindparam(f"this_{name}") for name in ("api_key_id", "checkpoint", "key"))
)
_INSERT_REQUEST = {
    module.__name__.rpartition(".")[2]: module.insert(t.request).on_conflict_do_nothing().returning(t.request.c.key)
    for module in (postgresql, sqlite)
}


def read_request(reader: Reader, api_key_id: str, checkpoint: str, key: str) -> Row[Any] | None:
    """What was asked under this idempotency key, None when nothing was."""
    these = {"this_api_key_id": api_key_id, "this_checkpoint": checkpoint, "this_key": key}
    return reader.execute(_READ_REQUEST, these).first()


def insert_request(uow: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Reserve an idempotency key; False when it is taken."""
    return uow.execute(_INSERT_REQUEST[uow.dialect], values).first() is not None


def drop_request(uow: UnitOfWork, api_key_id: str, checkpoint: str, key: str, before: datetime) -> None:
    """Free one idempotency key, if it was used before that moment."""
    r = t.request.c
    mine = (r.api_key_id == api_key_id, r.checkpoint == checkpoint, r.key == key, r.at < before)
    uow.execute(delete(t.request).where(*mine))


def forget_requests(uow: UnitOfWork, before: datetime, limit: int) -> int:
    """Drop idempotency keys older than `before`; how many went."""
    r = t.request.c
    old = select(r.ruling_id).where(r.at < before).limit(limit)
    return uow.execute(delete(t.request).where(r.ruling_id.in_(old), r.at < before)).rowcount


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
