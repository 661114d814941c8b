"""All SQL of the routing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.kit.clock import to_micros
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.playbooks import CaseState, states_of
from fairlead.sales.routing import tables as t

COLUMNS = (
    "id", "case_id", "subject_id", "customer_id", "team_id", "team", "person_id", "at", "way", "made_by",
    "explanation", "open_until",
)  # fmt: skip
DAY_US = 86_400_000_000
_RAN_OUT_AT_ONCE = 500
_AGAIN = timedelta(days=1)


def lock_pools(uow: UnitOfWork, team_ids: Iterable[str]) -> None:
    """Wait until nobody else allocates in these teams; they are locked in the order of their ids until the end."""
    wanted = sorted(set(team_ids))
    if not wanted:
        return
    p = t.pool.c
    known = set(uow.execute(select(p.team_id).where(among(uow, p.team_id, wanted))).scalars())
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    for team_id in wanted:
        if team_id not in known:
            new = dialect.insert(t.pool).values(team_id=team_id, allocated=0, changed_at=uow.now)
            uow.execute(new.on_conflict_do_nothing())
    locked = select(p.team_id).where(among(uow, p.team_id, wanted)).order_by(p.team_id).with_for_update()
    uow.execute(locked).all()


def credits_of(reader: Reader, team_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """What each member is owed, by team; teams without books are absent."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in reader.execute(select(t.pool_credit).where(among(reader, t.pool_credit.c.team_id, team_ids))):
        found[row.team_id][row.person_id] = row.credit
    return found


def write_credits(uow: UnitOfWork, team_id: str, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Make the books of one locked team say `after`."""
    c = t.pool_credit.c
    if gone := sorted(before.keys() - after.keys()):
        uow.execute(delete(t.pool_credit).where(c.team_id == team_id, among(uow, c.person_id, gone)))
    fresh = [(team_id, one, after[one]) for one in sorted(after.keys() - before.keys())]
    if fresh:
        uow.insert_many(t.pool_credit, ("team_id", "person_id", "credit"), fresh)
    changed = [(after[one], team_id, one) for one in sorted(after.keys() & before.keys()) if after[one] != before[one]]
    uow.update_many(t.pool_credit, "credit = ?", "team_id = ? AND person_id = ?", changed)


def add_to_day(uow: UnitOfWork, team_id: str, day: int, changes: Mapping[str, tuple[int, int]]) -> None:
    """Add (due, taken) by person to one UTC day of a locked team."""
    d = t.pool_day.c
    known = set(uow.execute(select(d.person_id).where(d.team_id == team_id, d.day == day)).scalars())
    fresh = [(team_id, one, day, *changes[one]) for one in sorted(changes.keys() - known)]
    if fresh:
        uow.insert_many(t.pool_day, ("team_id", "person_id", "day", "due", "taken"), fresh)
    more = [(*changes[one], team_id, day, one) for one in sorted(changes.keys() & known)]
    uow.update_many(
        t.pool_day, "due = due + ?, taken = taken + ?", "team_id = ? AND day = ? AND person_id = ?", more
    )  # fmt: skip


def count_allocated(uow: UnitOfWork, team_id: str, count: int) -> None:
    """So many leads more."""
    rows = [(count, to_micros(uow.now), team_id)]
    uow.update_many(t.pool, "allocated = allocated + ?, changed_at = ?", "team_id = ?", rows)


def share_totals(reader: Reader, team_ids: Sequence[str], since: datetime) -> dict[tuple[str, str], tuple[int, int]]:
    """(due in billionths, taken) by (team, person) since the UTC day of `since`."""
    d = t.pool_day.c
    query = select(d.team_id, d.person_id, func.sum(d.due).label("due"), func.sum(d.taken).label("taken")).where(
        among(reader, d.team_id, team_ids), d.day >= day_number(since)
    )
    rows = reader.execute(query.group_by(d.team_id, d.person_id))
    return {(row.team_id, row.person_id): (int(row.due), int(row.taken)) for row in rows}


def day_number(moment: datetime) -> int:
    """Days since 1970, UTC."""
    return to_micros(moment) // DAY_US


def insert_assignments(uow: UnitOfWork, rows: Sequence[tuple[Any, ...]]) -> None:
    """Assignments as plain values in the order of COLUMNS."""
    if rows:
        uow.insert_many(t.assignment, COLUMNS, rows)


def supersede(uow: UnitOfWork, rows: Sequence[tuple[str, str]]) -> None:
    """(assignment, why) of those that another takes the place of."""
    now = to_micros(uow.now)
    uow.update_many(
        t.assignment, "superseded_at = ?, superseded_why = ?", "id = ? AND superseded_at IS NULL",
        [(now, why, assignment_id) for assignment_id, why in rows],
    )  # fmt: skip


def release(uow: UnitOfWork, assignment_id: str) -> None:
    """It no longer counts as open."""
    uow.update_many(t.assignment, "released_at = ?", "id = ?", [(to_micros(uow.now), assignment_id)])


def lock_current(uow: UnitOfWork, case_id: str) -> Row[Any] | None:
    """The assignment of a case that counts now, kept from others until the end."""
    a = t.assignment.c
    query = select(t.assignment).where(a.case_id == case_id, a.superseded_at.is_(None))
    return uow.execute(query.with_for_update()).first()


def current_of(reader: Reader, case_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """The assignment that counts now, by case; cases without one are absent."""
    a = t.assignment.c
    query = select(t.assignment).where(among(reader, a.case_id, case_ids), a.superseded_at.is_(None))
    return {row.case_id: row for row in reader.execute(query)} if case_ids else {}


def current_of_subjects(reader: Reader, subject_ids: Sequence[str]) -> list[Row[Any]]:
    """(lead, case, team, person, when) of the assignments that count now, oldest first."""
    a = t.assignment.c
    query = select(a.subject_id, a.case_id, a.team, a.person_id, a.at).where(
        among(reader, a.subject_id, subject_ids), a.superseded_at.is_(None)
    )
    return list(reader.execute(query.order_by(a.at, a.id))) if subject_ids else []


def all_of_case(reader: Reader, case_id: str, limit: int = 50) -> list[Row[Any]]:
    """Every assignment of a case, newest first."""
    a = t.assignment.c
    query = select(t.assignment).where(a.case_id == case_id).order_by(a.at.desc(), a.id.desc()).limit(limit)
    return list(reader.execute(query))


def case_of_subject(reader: Reader, subject_id: str) -> str | None:
    """The case of a lead's newest assignment."""
    a = t.assignment.c
    query = select(a.case_id).where(a.subject_id == subject_id).order_by(a.at.desc(), a.id.desc()).limit(1)
    return reader.execute(query).scalar()


def open_leads(reader: Reader, team_ids: Sequence[str], now: datetime) -> dict[tuple[str, str], int]:
    """Open leads by (team, person): neither worked nor passed on, and within their days or with a running case."""
    a = t.assignment.c
    query = select(a.team_id, a.person_id, func.count().label("held"))
    query = query.where(_open_ones(reader, team_ids), a.open_until > now)
    rows = reader.execute(query.group_by(a.team_id, a.person_id))
    found = {(row.team_id, row.person_id): int(row.held) for row in rows}
    for row in _ran_out(reader, team_ids, now):
        key = (row.team_id, row.person_id)
        found[key] = found.get(key, 0) + int(row.runs)
    return found


class RanOut:
    """An assignment whose days are over, and whether its case still runs."""

    __slots__ = ("case_id", "customer_id", "id", "person_id", "runs", "team_id")

    def __init__(self, row: Any, *, runs: bool) -> None:
        """Of a row with these columns."""
        self.case_id, self.customer_id = row.case_id, row.customer_id
        self.id, self.team_id, self.person_id, self.runs = row.id, row.team_id, row.person_id, runs


def _open_ones(reader: Reader, team_ids: Sequence[str]) -> Any:
    a = t.assignment.c
    mine = among(reader, a.team_id, team_ids)
    return mine & a.superseded_at.is_(None) & a.released_at.is_(None) & a.person_id.is_not(None)


def _ran_out(reader: Reader, team_ids: Sequence[str], now: datetime) -> list[RanOut]:
    a = t.assignment.c
    query = select(a.id, a.team_id, a.person_id, a.case_id, a.customer_id).where(
        _open_ones(reader, team_ids), a.open_until <= now
    )
    rows = list(reader.execute(query.order_by(a.open_until, a.id).limit(_RAN_OUT_AT_ONCE)))
    states = states_of(reader, [row.case_id for row in rows]) if rows else {}
    return [RanOut(row, runs=states.get(row.case_id, CaseState.ENDED) != CaseState.ENDED) for row in rows]


def tidy_open(uow: UnitOfWork, team_ids: Sequence[str]) -> list[RanOut]:
    """Let leads whose days are over and whose case has ended count no more, and return them.

    Those whose case still runs are looked at again tomorrow.
    """
    rows = _ran_out(uow, team_ids, uow.now)
    over = [row for row in rows if not row.runs]
    now, running = to_micros(uow.now), [row.id for row in rows if row.runs]
    uow.update_many(t.assignment, "released_at = ?", "id = ?", [(now, row.id) for row in over])
    if running:
        uow.bookkeep(t.assignment, among(uow, t.assignment.c.id, running), {"open_until": uow.now + _AGAIN})
    return over


def given_since(
    reader: Reader, team_ids: Sequence[str], person_ids: Sequence[str], since: datetime
) -> dict[tuple[str, str], int]:
    """Leads of these teams that these people got since a moment and that were not passed on, by (team, person)."""
    a = t.assignment.c
    query = select(a.team_id, a.person_id, func.count().label("given")).where(
        among(reader, a.team_id, team_ids), a.at >= since, a.superseded_at.is_(None),
        among(reader, a.person_id, person_ids),
    )  # fmt: skip
    rows = reader.execute(query.group_by(a.team_id, a.person_id))
    return {(row.team_id, row.person_id): int(row.given) for row in rows}


def without_person(reader: Reader, limit: int) -> list[Row[Any]]:
    """Current assignments that nobody could take, oldest first."""
    a = t.assignment.c
    query = select(t.assignment).where(a.superseded_at.is_(None), a.person_id.is_(None))
    return list(reader.execute(query.order_by(a.at, a.id).limit(limit)))


def routed_since(reader: Reader, since: datetime) -> list[Row[Any]]:
    """(team, way, why superseded, how many) of what was assigned since a moment."""
    a = t.assignment.c
    query = select(a.team, a.way, a.superseded_why, func.count().label("number")).where(
        a.at >= since, a.person_id.is_not(None)
    )
    return list(reader.execute(query.group_by(a.team, a.way, a.superseded_why)))


def first_ones(reader: Reader, since: datetime, after: tuple[datetime, str] | None, limit: int) -> list[Row[Any]]:
    """Assignments made by routing since a moment in their order, beyond (at, id)."""
    a = t.assignment.c
    query = select(t.assignment).where(a.at >= since, a.way == "routing")
    if after:
        query = query.where(or_(a.at > after[0], (a.at == after[0]) & (a.id > after[1])))
    return list(reader.execute(query.order_by(a.at, a.id).limit(limit)))
