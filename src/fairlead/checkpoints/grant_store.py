"""All SQL of grants and stop switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.checkpoints import tables as t
from fairlead.checkpoints.model import Grant, GrantKey, Level
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_EPOCH = """SELECT * FROM
    (SELECT count(*), max(created_at), count(withdrawn_at), max(withdrawn_at) FROM autonomy_grant) AS given,
    (SELECT count(*), max(at), count(withdrawn_at), max(withdrawn_at) FROM policy_signature) AS signed,
    (SELECT count(*), max(set_at), sum(set_at), min(scope), max(scope) FROM stop_switch) AS stopped"""


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
