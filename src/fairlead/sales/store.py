"""All SQL of leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, func, literal, select

from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.sales import tables as t

LEAD_COLUMNS = (
    "id", "import_id", "row_no", "playbook", "fingerprint", "customer_id", "case_id", "fields", "attributes",
    "problems", "value_minor", "currency", "outcome", "created_at",
)  # fmt: skip
_PAGE = 500


def take_turn(uow: UnitOfWork, playbook: str) -> None:
    """Wait until no other transaction takes rows into this playbook; the turn ends with the transaction.

    Without it two imports of the same row at once would each find it new. On SQLite the writer is alone.
    """
    if uow.dialect == "postgresql":
        key = func.hashtextextended(literal(f"fairlead intake {playbook}"), 0)
        uow.execute(select(func.pg_advisory_xact_lock(key)))


def known_fingerprints(reader: Reader, playbook: str, fingerprints: Sequence[str]) -> dict[str, str]:
    """Which of these rows are leads of the playbook already, with the lead's id."""
    sql = "SELECT fingerprint, id FROM lead WHERE playbook = ? AND fingerprint = ANY(?)"
    return dict(reader.fetch(sql, playbook, list(fingerprints)))


def insert_leads(uow: UnitOfWork, rows: Sequence[Sequence[Any]]) -> None:
    """Leads as plain values in the order of LEAD_COLUMNS."""
    uow.insert_many(t.lead, LEAD_COLUMNS, rows)


def lead_count(reader: Reader, import_id: str) -> int:
    """How many leads an import made."""
    query = select(func.count()).select_from(t.lead).where(t.lead.c.import_id == import_id)
    return int(reader.execute(query).scalar_one())


def lead_cases(reader: Reader, import_id: str) -> Iterator[list[Row[Any]]]:
    """(row, case, problems, id, when taken back) of an import's leads in pages, in the file's order."""
    after = -1
    columns = (t.lead.c.row_no, t.lead.c.case_id, t.lead.c.problems, t.lead.c.id, t.lead.c.cancelled_at)
    while True:
        query = select(*columns).where(t.lead.c.import_id == import_id, t.lead.c.row_no > after)
        page = list(reader.execute(query.order_by(t.lead.c.row_no).limit(_PAGE)))
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1].row_no


def leads_page(reader: Reader, import_id: str, after: int, limit: int) -> list[Row[Any]]:
    """Leads of an import in the file's order, beyond row `after`."""
    query = select(t.lead).where(t.lead.c.import_id == import_id, t.lead.c.row_no > after)
    return list(reader.execute(query.order_by(t.lead.c.row_no).limit(limit)))


def read_lead(reader: Reader, lead_id: str) -> Row[Any]:
    """The lead; NotFoundError when there is none."""
    row = reader.execute(select(t.lead).where(t.lead.c.id == lead_id)).first()
    if row is None:
        message = f"there is no lead {lead_id}"
        raise NotFoundError(message)
    return row
