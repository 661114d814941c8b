"""All SQL of imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.sales import tables as t


def insert_import(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Begin an import."""
    uow.execute(insert(t.lead_import).values(**values))


def read_import(reader: Reader, import_id: str) -> Row[Any]:
    """The import; NotFoundError when there is none."""
    row = reader.execute(select(t.lead_import).where(t.lead_import.c.id == import_id)).first()
    if row is None:
        message = f"there is no import {import_id}"
        raise NotFoundError(message)
    return row


def count_rows(uow: UnitOfWork, import_id: str, more: int) -> None:
    """So many more rows were taken in."""
    i = t.lead_import.c
    uow.execute(update(t.lead_import).where(i.id == import_id).values(rows=i.rows + more))


def finished_import_of(reader: Reader, digest: str, playbook: str) -> Row[Any] | None:
    """The first finished import of exactly this file into this playbook, None when there was none."""
    i = t.lead_import.c
    query = select(t.lead_import).where(i.digest == digest, i.playbook == playbook, i.state == "finished")
    return reader.execute(query.order_by(i.started_at).limit(1)).first()


def imports_of(reader: Reader, digest: str, playbook: str) -> list[str]:
    """Every import of this very file into this playbook, finished, killed or reading; oldest first."""
    i = t.lead_import.c
    query = select(i.id).where(i.digest == digest, i.playbook == playbook).order_by(i.started_at)
    return list(reader.execute(query).scalars())


def update_import(uow: UnitOfWork, import_id: str, values: Mapping[str, Any]) -> None:
    """Change an import's state and counts."""
    uow.execute(update(t.lead_import).where(t.lead_import.c.id == import_id).values(**values))


def insert_rejects(uow: UnitOfWork, rows: Sequence[Sequence[Any]]) -> None:
    """Rows that became no lead: (import, row, kind, code, words)."""
    uow.insert_many(t.lead_reject, ("import_id", "row_no", "kind", "code", "words"), rows)


def reject_counts(reader: Reader, import_id: str) -> dict[str, int]:
    """How many rows of an import became no lead, by kind."""
    r = t.lead_reject.c
    query = select(r.kind, func.count()).where(r.import_id == import_id).group_by(r.kind)
    return dict(tuple(row) for row in reader.execute(query))


def rejects(reader: Reader, import_id: str, after: int, limit: int) -> list[Row[Any]]:
    """Rows that became no lead, in the file's order, beyond row `after`."""
    r = t.lead_reject.c
    query = select(t.lead_reject).where(r.import_id == import_id, r.row_no > after)
    return list(reader.execute(query.order_by(r.row_no).limit(limit)))


def imports_page(reader: Reader, before: str | None, limit: int) -> list[Row[Any]]:
    """Imports, newest first; `before` is the last id of the page above."""
    query = select(t.lead_import)
    query = query.where(t.lead_import.c.id < before) if before else query
    return list(reader.execute(query.order_by(t.lead_import.c.id.desc()).limit(limit)))
