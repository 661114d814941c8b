"""All SQL of alerts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.alerts import tables as t
from fairlead.alerts.model import AlertDraft, AlertState
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_a, _r = t.alert.c, t.alert_customer.c


def add(uow: UnitOfWork, draft: AlertDraft, by: str) -> bool:
    """Write an alert down; False when one of this id is there."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {"id": draft.id, "content": draft.content, "state": AlertState.OPEN.value, "raised_by": by, "at": uow.now}
    statement = dialect.insert(t.alert).values(**values).on_conflict_do_nothing(index_elements=["id"])
    return uow.execute(statement.returning(_a.id)).first() is not None


def row_of(reader: Reader, alert_id: str) -> Any:
    """The alert, None when there is none; in a transaction kept from others until the end."""
    query = select(t.alert).where(_a.id == alert_id)
    return reader.execute(query.with_for_update() if isinstance(reader, UnitOfWork) else query).first()


def close(uow: UnitOfWork, alert_id: str) -> None:
    """It goes to nobody else."""
    uow.execute(update(t.alert).where(_a.id == alert_id).values(state=AlertState.RESOLVED.value, resolved_at=uow.now))


def reached(reader: Reader, alert_id: str, customer_ids: Iterable[str]) -> set[str]:
    """Which of these records the alert was raised for."""
    mine = (_r.alert_id == alert_id) & among(reader, _r.customer_id, sorted(customer_ids))
    return set(reader.execute(select(_r.customer_id).where(mine)).scalars())


def reach(uow: UnitOfWork, alert_id: str, pairs: Sequence[tuple[str, str]]) -> None:
    """(customer, case) of those it is raised for."""
    uow.insert_many(
        t.alert_customer, ("alert_id", "customer_id", "case_id"), [(alert_id, one, case) for one, case in pairs]
    )


def count(reader: Reader, alert_id: str) -> int:
    """How many customers it was raised for."""
    query = select(func.count()).select_from(t.alert_customer).where(_r.alert_id == alert_id)
    return int(reader.execute(query).scalar() or 0)


def page(reader: Reader, alert_id: str, after: str, limit: int) -> list[tuple[str, str]]:
    """(customer, case) behind this customer, by rising id."""
    query = select(_r.customer_id, _r.case_id).where(_r.alert_id == alert_id, _r.customer_id > after)
    rows: list[Any] = list(reader.execute(query.order_by(_r.customer_id).limit(limit)))
    return [(one, case) for one, case in rows]
