"""All SQL of outlets: which have something to deliver, how each does, and what was handed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.actions import tables as t
from fairlead.actions.pacing import OutletState
from fairlead.kit.clock import to_micros
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

MAX_OUTLETS = 200
MAX_PROBLEM = 500
_FIELDS = ("name", "tokens", "tokens_at", "failures", "opened_at", "probe_at", "pauses", "problem")
_COPY = ("action_id", "state", "words", "attempt", "at", "content")


def names_queued(reader: Reader) -> list[str]:
    """Outlets of queued actions, at most 200, each found by one look into the index."""
    names: list[str] = []
    last = ""
    while len(names) < MAX_OUTLETS:
        rows = reader.fetch("SELECT min(outlet) FROM outbox WHERE outlet > ?", last)
        if not rows or rows[0][0] is None:
            break
        last = rows[0][0]
        names.append(last)
    return names


def states(reader: Reader) -> dict[str, OutletState]:
    """Every outlet that was ever limited or failed, by name."""
    rows = reader.execute(select(*(t.outlet.c[name] for name in _FIELDS)))
    return {row.name: _state(row) for row in rows}


def locked(uow: UnitOfWork, names: Iterable[str]) -> dict[str, OutletState]:
    """These outlets, kept from others until the end, in one order for all."""
    query = select(*(t.outlet.c[name] for name in _FIELDS)).where(among(uow, t.outlet.c.name, sorted(set(names))))
    return {row.name: _state(row) for row in uow.execute(query.order_by(t.outlet.c.name).with_for_update())}


def write(uow: UnitOfWork, changed: Iterable[OutletState]) -> None:
    """Store how these outlets do."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    for one in sorted(changed, key=lambda state: state.name):
        values = {name: getattr(one, name) for name in _FIELDS} | {"problem": one.problem[:MAX_PROBLEM]}
        statement = dialect.insert(t.outlet).values(**values)
        uow.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def keep_copies(uow: UnitOfWork, copies: Sequence[tuple[str, str, str, int, str]]) -> None:
    """(action, state, words, attempt, content): each takes the place of the action's copy so far."""
    if not copies:
        return
    ids = [one[0] for one in copies]
    uow.execute(delete(t.delivery_copy).where(among(uow, t.delivery_copy.c.action_id, ids)))
    now = to_micros(uow.now)
    rows = [(one, state, words, attempt, now, content) for one, state, words, attempt, content in copies]
    uow.insert_many(t.delivery_copy, _COPY, rows)


def copy_of(reader: Reader, action_id: str) -> Any:
    """The copy's row, None where nothing was handed over."""
    return reader.execute(select(t.delivery_copy).where(t.delivery_copy.c.action_id == action_id)).first()


def blank_copies(uow: UnitOfWork, customer_id: str) -> None:
    """Empty what was handed over for a customer."""
    mine = select(t.action.c.id).where(t.action.c.customer_id == customer_id)
    values = {"content": "", "words": ""}
    uow.execute(update(t.delivery_copy).where(t.delivery_copy.c.action_id.in_(mine)).values(**values))


def counts(reader: Reader) -> list[Any]:
    """(state, how many) of all actions that are not done, failed and ambiguous ones included."""
    c = t.action.c
    open_now = c.state.in_(["queued", "held", "failed", "ambiguous"])
    return list(reader.execute(select(c.state, func.count()).where(open_now).group_by(c.state)))


def waiting(reader: Reader) -> list[Any]:
    """(outlet, queued, due at first) of what is queued."""
    c = t.outbox.c
    return list(reader.execute(select(c.outlet, func.count(), func.min(c.ready_at)).group_by(c.outlet)))


def sooner(uow: UnitOfWork, name: str, now: datetime) -> None:
    """Let an open outlet be tried at once: its trial never reached it."""
    mine = (t.outlet.c.name == name) & t.outlet.c.opened_at.is_not(None)
    uow.execute(update(t.outlet).where(mine).values(probe_at=now))


def _state(row: Any) -> OutletState:
    return OutletState(*row)
