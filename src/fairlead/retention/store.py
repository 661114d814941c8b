"""All statements about old rows: which there are, why some stay, and taking the others away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from fairlead.kit.columns import metadata
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.retention.classes import DataClass, Part, column_of, where_of
from fairlead.retention.model import COMPLAINT, RetentionRules


def counts(
    reader: Reader, one: DataClass, part: Part, rules: RetentionRules, before: datetime, now: datetime
) -> list[tuple[str, int]]:
    """(reason or "", rows) of what is old enough; "" may go."""
    held: Any = [(condition, literal(name)) for name, condition in _held(one, part, rules, now).items()]
    reason = case(*held, else_=literal("")) if held else literal("")
    inner = select(reason.label("reason")).select_from(part.rows()).where(*_old(part, rules, before)).subquery()
    query = select(inner.c.reason, func.count()).group_by(inner.c.reason)
    found: list[Any] = list(reader.execute(query))
    return [(str(why), int(rows)) for why, rows in found]


def forget(uow: UnitOfWork, one: DataClass, part: Part, rules: RetentionRules, before: datetime, limit: int) -> int:
    """Delete or blank at most `limit` rows that are old enough and that nothing holds; how many."""
    table = part.rows()
    free = [~condition for condition in _held(one, part, rules, uow.now).values()]
    keys = [table.c[name] for name in part.key]
    chosen = select(*keys).where(*_old(part, rules, before), *free).limit(limit).correlate(None)
    if uow.execute(chosen.limit(1)).first() is None:
        return 0
    mine = keys[0].in_(chosen) if len(keys) == 1 else tuple_(*keys).in_(chosen)
    if part.blank is None:
        return uow.execute(delete(table).where(mine)).rowcount
    return uow.execute(update(table).where(mine).values(**part.blank(table.c))).rowcount


def _old(part: Part, rules: RetentionRules, before: datetime) -> list[ColumnElement[bool]]:
    besides = where_of(part, rules)
    return [column_of(part, part.at) < before, *([] if besides is None else [besides])]


def _held(one: DataClass, part: Part, rules: RetentionRules, now: datetime) -> dict[str, ColumnElement[bool]]:
    """Each reason that this class knows, as a condition on its rows."""
    if part.customer is None:
        return {}
    customer = column_of(part, part.customer)
    found: dict[str, Callable[[], ColumnElement[bool]]] = {
        "legal_hold": lambda: flagged(customer, sorted(rules.hold_flags), now),
        "open_complaint": lambda: flagged(customer, [COMPLAINT], now),
        "open_case": lambda: _at_work(customer),
    }
    return {name: build() for name, build in found.items() if name in one.held}


def _family(customer: ColumnElement[Any]) -> Select[Any]:
    """The ids of all records of the person whose record this is, by merges that stand."""
    mine, theirs = (metadata.tables["customer"].alias(name) for name in ("held_mine", "held_theirs"))
    root = func.coalesce(mine.c.merged_into, mine.c.id)
    same = or_(theirs.c.id == root, theirs.c.merged_into == root)
    return select(theirs.c.id).where(mine.c.id == customer, same).correlate_except(mine, theirs)


def _at_work(customer: ColumnElement[Any]) -> ColumnElement[bool]:
    cases = metadata.tables["playbook_case"].alias("held_case")
    mine = (cases.c.ended_at.is_(None), cases.c.customer_id.in_(_family(customer)))
    return select(cases.c.id).where(*mine).correlate_except(cases).exists()


def flagged(customer: ColumnElement[Any], names: list[str], now: datetime) -> ColumnElement[bool]:
    """Whether one of the flags counts for the person: its newest row that has not expired has a value."""
    flags = metadata.tables["customer_flag"]
    here, newer = flags.alias("held_flag"), flags.alias("held_newer")
    later = select(newer.c.id).where(
        newer.c.customer_id.in_(_family(here.c.customer_id)),
        newer.c.flag == here.c.flag,
        _alive(newer.c, now),
        or_(newer.c.set_at > here.c.set_at, and_(newer.c.set_at == here.c.set_at, newer.c.id > here.c.id)),
    )
    counting = select(here.c.id).where(
        here.c.customer_id.in_(_family(customer)),
        here.c.flag.in_(names),
        here.c.value.is_not(None),
        _alive(here.c, now),
        ~later.correlate_except(newer).exists(),
    )
    return counting.correlate_except(here).exists()


def _alive(c: Any, now: datetime) -> ColumnElement[bool]:
    return or_(c.expires_at.is_(None), c.expires_at > now)
