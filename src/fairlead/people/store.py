"""All SQL about people, sessions and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.people.model import ApiKey, Person, Role, Session
from fairlead.people.tables import api_key, person, session, sign_in_link

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fairlead.kit.unit_of_work import Reader, UnitOfWork

MOST_LISTED = 1_000


def _person(row: Any) -> Person:
    return Person(row.id, row.name, row.email, tuple(row.roles), row.created_at, row.disabled_at)


def _api_key(row: Any) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        checkpoints=tuple(row.checkpoints),
        max_value_minor=row.max_value_minor,
        flags=tuple(row.flags),
        created_by=row.created_by,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def insert_person(uow: UnitOfWork, new: Person) -> bool:
    """False, and nothing stored, when somebody has this address already."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {
        "id": new.id,
        "name": new.name,
        "email": new.email,
        "roles": list(new.roles),
        "created_at": new.created_at,
        "disabled_at": new.disabled_at,
    }
    statement = dialect.insert(person).values(**values).on_conflict_do_nothing(index_elements=["email"])
    return uow.execute(statement.returning(person.c.id)).first() is not None


def find_person(reader: Reader, person_id: str) -> Person | None:
    """Disabled ones too."""
    row = reader.execute(select(person).where(person.c.id == person_id)).first()
    return _person(row) if row else None


def find_person_by_email(reader: Reader, email: str) -> Person | None:
    """By the address in lower case, disabled ones too."""
    row = reader.execute(select(person).where(person.c.email == email)).first()
    return _person(row) if row else None


def all_people(reader: Reader) -> Sequence[Person]:
    """By name, at most `MOST_LISTED`."""
    query = select(person).order_by(person.c.name, person.c.id).limit(MOST_LISTED)
    return [_person(row) for row in reader.execute(query)]


def lock_active_people(uow: UnitOfWork) -> Sequence[Person]:
    """Everybody who is not disabled, locked until commit so that two changes cannot both look away."""
    query = select(person).where(person.c.disabled_at.is_(None)).order_by(person.c.id).with_for_update()
    return [_person(row) for row in uow.execute(query)]


def has_active_admin(reader: Reader) -> bool:
    """Whether anybody can manage the rest."""
    query = select(person.c.roles).where(person.c.disabled_at.is_(None))
    return any(Role.ADMIN in row.roles for row in reader.execute(query))


def set_roles(uow: UnitOfWork, person_id: str, roles: Sequence[str]) -> None:
    """Takes effect with the next request of an open session."""
    uow.execute(update(person).where(person.c.id == person_id).values(roles=list(roles)))


def set_disabled(uow: UnitOfWork, person_id: str, at: datetime | None) -> None:
    """None enables again."""
    uow.execute(update(person).where(person.c.id == person_id).values(disabled_at=at))


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


def insert_api_key(uow: UnitOfWork, new: ApiKey, secret_hash: str, webhook_secret: str | None) -> None:
    """One key, of whose secret only the hash is kept."""
    values = {
        "id": new.id,
        "name": new.name,
        "secret_hash": secret_hash,
        "scopes": list(new.scopes),
        "checkpoints": list(new.checkpoints),
        "max_value_minor": new.max_value_minor,
        "flags": list(new.flags),
        "webhook_secret": webhook_secret,
        "created_by": new.created_by,
        "created_at": new.created_at,
    }
    uow.execute(insert(api_key).values(**values))


_FIND_API_KEY = select(api_key).where(api_key.c.id == bindparam("this_id"))  # asked on every request


def find_api_key(reader: Reader, key_id: str) -> tuple[ApiKey, str] | None:
    """The key and its secret's hash, revoked ones too."""
    row = reader.execute(_FIND_API_KEY, {"this_id": key_id}).first()
    return (_api_key(row), str(row.secret_hash)) if row else None


def find_webhook_secret(reader: Reader, key_id: str) -> str | None:
    """None for a revoked key, an unknown one, and one that never got any."""
    query = select(api_key.c.webhook_secret).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
    return reader.execute(query).scalar_one_or_none()


def find_webhook(reader: Reader, key_id: str) -> tuple[str, str] | None:
    """Address and secret of a key in force that registered one."""
    c = api_key.c
    mine = (c.id == key_id, c.revoked_at.is_(None), c.webhook_url.is_not(None), c.webhook_secret.is_not(None))
    row = reader.execute(select(c.webhook_url, c.webhook_secret).where(*mine)).first()
    return (row.webhook_url, row.webhook_secret) if row else None


def set_webhook_url(uow: UnitOfWork, key_id: str, url: str | None) -> bool:
    """False for a key that is unknown, revoked or has no secret to sign with."""
    c = api_key.c
    mine = (c.id == key_id, c.revoked_at.is_(None), c.webhook_secret.is_not(None))
    return uow.execute(update(api_key).where(*mine).values(webhook_url=url)).rowcount == 1


def all_api_keys(reader: Reader) -> Sequence[ApiKey]:
    """Newest first, revoked ones too, at most `MOST_LISTED`."""
    query = select(api_key).order_by(api_key.c.created_at.desc(), api_key.c.id.desc()).limit(MOST_LISTED)
    return [_api_key(row) for row in reader.execute(query)]


def revoke_api_key(uow: UnitOfWork, key_id: str) -> None:
    """The first revocation's time stays."""
    c = api_key.c
    uow.execute(update(api_key).where(c.id == key_id, c.revoked_at.is_(None)).values(revoked_at=uow.now))
