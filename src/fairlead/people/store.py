"""All SQL about people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.people.model import Person, Role
from fairlead.people.tables import person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fairlead.kit.unit_of_work import Reader, UnitOfWork

MOST_LISTED = 1_000


def _person(row: Any) -> Person:
    return Person(row.id, row.name, row.email, tuple(row.roles), row.created_at, row.disabled_at)


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
