"""All SQL of the trained scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.understanding.tables import score_model as m, score_model_in_use as u

_HEAD = (
    m.c.id, m.c.name, m.c.version, m.c.digest, m.c.data_fingerprint, m.c.report, m.c.origin, m.c.note, m.c.made_by,
    m.c.made_at,
)  # fmt: skip


def next_version(uow: UnitOfWork, name: str) -> int:
    """One above the highest; two at once are told apart by the table's constraint."""
    highest = uow.execute(select(func.max(m.c.version)).where(m.c.name == name)).scalar()
    return int(highest or 0) + 1


def insert_model(uow: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Append; False when this version was taken meanwhile."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    statement = dialect.insert(m).values(**values).on_conflict_do_nothing(index_elements=["name", "version"])
    return uow.execute(statement.returning(m.c.id)).first() is not None


def set_in_use(uow: UnitOfWork, name: str, version: int, by: str) -> None:
    """From now on this version scores."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {"version": version, "set_by": by, "set_at": uow.now}
    statement = dialect.insert(u).values(name=name, **values)
    uow.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def in_use(reader: Reader, name: str) -> tuple[int, str] | None:
    """(version, digest) that scores now, None when there is none."""
    sql = (
        "SELECT u.version, m.digest FROM score_model_in_use u "
        "JOIN score_model m ON m.name = u.name AND m.version = u.version WHERE u.name = ?"
    )
    found = reader.fetch(sql, name)
    return (int(found[0][0]), str(found[0][1])) if found else None


def read_model(reader: Reader, name: str, version: int) -> Row[Any] | None:
    """Everything of one version, with its document."""
    return reader.execute(select(m).where(m.c.name == name, m.c.version == version)).first()


def models(reader: Reader, name: str | None, limit: int, version: int | None = None) -> list[Row[Any]]:
    """Heads without documents, newest first; `used_since` is NULL for those that do not score now."""
    joined = m.outerjoin(u, and_(u.c.name == m.c.name, u.c.version == m.c.version))
    query = select(*_HEAD, u.c.set_at.label("used_since"), u.c.set_by.label("used_by")).select_from(joined)
    query = query.where(m.c.name == name) if name else query
    query = query.where(m.c.version == version) if version is not None else query
    return list(reader.execute(query.order_by(m.c.made_at.desc(), m.c.id.desc()).limit(limit)))


def versions(reader: Reader, name: str) -> list[int]:
    """Of this name, ascending."""
    return list(reader.execute(select(m.c.version).where(m.c.name == name).order_by(m.c.version)).scalars())


def names(reader: Reader) -> list[str]:
    """Every name that has a version."""
    return list(reader.execute(select(m.c.name).distinct().order_by(m.c.name)).scalars())
