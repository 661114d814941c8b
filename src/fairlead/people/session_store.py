"""All SQL about sign-in links and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, or_, select, update

from fairlead.people.model import Person, Session
from fairlead.people.tables import person, session, sign_in_link

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.kit.unit_of_work import Reader, UnitOfWork


def insert_link(uow: UnitOfWork, token_hash: str, person_id: str, expires_at: datetime) -> None:
    """One sign-in link."""
    values = {
        "token_hash": token_hash,
        "person_id": person_id,
        "created_at": uow.now,
        "expires_at": expires_at,
    }
    uow.execute(insert(sign_in_link).values(**values))


def delete_links(uow: UnitOfWork, person_id: str) -> None:
    """Used or not; the audit record keeps their trace."""
    uow.execute(delete(sign_in_link).where(sign_in_link.c.person_id == person_id))


def use_link(uow: UnitOfWork, token_hash: str) -> str | None:
    """The person's id the first time within the link's life, by one compare-and-set; None ever after."""
    c = sign_in_link.c
    mine = (c.token_hash == token_hash, c.used_at.is_(None), c.expires_at > uow.now)
    statement = update(sign_in_link).where(*mine).values(used_at=uow.now)
    if uow.execute(statement).rowcount != 1:
        return None
    return str(uow.execute(select(c.person_id).where(c.token_hash == token_hash)).scalar_one())


def insert_session(uow: UnitOfWork, token_hash: str, person_id: str, expires_at: datetime) -> None:
    """One session, seen now."""
    values = {
        "token_hash": token_hash,
        "person_id": person_id,
        "created_at": uow.now,
        "seen_at": uow.now,
        "expires_at": expires_at,
    }
    uow.execute(insert(session).values(**values))


def delete_ended_sessions(uow: UnitOfWork, person_id: str) -> None:
    """Those of this person that were revoked or are past their end."""
    c = session.c
    ended = or_(c.revoked_at.is_not(None), c.expires_at <= uow.now)
    uow.execute(delete(session).where(c.person_id == person_id, ended))


def find_session(reader: Reader, token_hash: str) -> Session | None:
    """The session with its person, live or not."""
    query = (
        select(session, person.c.id, person.c.name, person.c.email, person.c.roles, person.c.disabled_at)
        .add_columns(person.c.created_at.label("person_created_at"))
        .join(person, person.c.id == session.c.person_id)
        .where(session.c.token_hash == token_hash)
    )
    row = reader.execute(query).first()
    if row is None:
        return None
    owner = Person(row.id, row.name, row.email, tuple(row.roles), row.person_created_at, row.disabled_at)
    return Session(row.token_hash, row.created_at, row.seen_at, row.expires_at, owner, row.revoked_at)


def touch_session(uow: UnitOfWork, token_hash: str) -> None:
    """Write the sign of life; never moves back when the clock does."""
    c = session.c
    mine = (c.token_hash == token_hash, c.seen_at < uow.now, c.revoked_at.is_(None))
    uow.execute(update(session).where(*mine).values(seen_at=uow.now))


def revoke_session(uow: UnitOfWork, token_hash: str) -> bool:
    """False when it was revoked already or never was."""
    c = session.c
    statement = update(session).where(c.token_hash == token_hash, c.revoked_at.is_(None))
    return uow.execute(statement.values(revoked_at=uow.now)).rowcount == 1


def revoke_sessions(uow: UnitOfWork, person_id: str) -> int:
    """How many of this person's sessions were open."""
    c = session.c
    statement = update(session).where(c.person_id == person_id, c.revoked_at.is_(None))
    return uow.execute(statement.values(revoked_at=uow.now)).rowcount
