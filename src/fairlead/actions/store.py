"""All SQL of the actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Executable,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.actions.model import (
    MAX_BODY_CHARS,
    ActionDraft,
    ActionState,
    Parcel,
    Scope,
    ScopeKind,
    Settled,
    Ticket,
    doubtful,
)
from fairlead.actions.tables import action, action_hold, outbox
from fairlead.errors import TooLargeError
from fairlead.kit.clock import to_micros
from fairlead.kit.jsons import dumps
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

VANISHED = "vanished"
_HELD = action.c.state == literal_column("'held'")  # no parameter, or the partial index could not be used
_LEASING = 0x0FA2  # advisory lock: whose turn it is to lease
_COLUMNS = {
    "id": Text, "idempotency_key": Text, "connector": Text, "kind": Text, "body": Text, "playbook": Text,
    "checkpoint": Text, "case_id": Text, "customer_id": Text, "serial_key": Text, "state": Text,
    "due_at": BigInteger, "expires_at": BigInteger, "attempt": Integer, "created_at": BigInteger,
    "thread": Text, "outlet": Text, "rank": BigInteger, "value_minor": BigInteger,
}  # fmt: skip
_OUTBOX = (
    "action_id", "serial_key", "thread", "outlet", "rank", "due_at", "ready_at", "attempt", "withdrawn", "sending",
)  # fmt: skip
_INSERT = (
    postgresql.insert(action)
    .from_select(
        list(_COLUMNS),
        select(*(func.unnest(bindparam(name, type_=ARRAY(kind))) for name, kind in _COLUMNS.items())),
    )
    .on_conflict_do_nothing(index_elements=["idempotency_key"])
    .returning(action.c.id)
)
_TICKET = (
    outbox.c.action_id, action.c.connector, action.c.kind, action.c.playbook, action.c.checkpoint,
    action.c.case_id, action.c.customer_id, action.c.expires_at,
    outbox.c.attempt, outbox.c.lease_token, outbox.c.withdrawn, outbox.c.outlet, outbox.c.sending,
)  # fmt: skip


def _rows(reader: Reader, query: Executable) -> list[Any]:
    return list(reader.execute(query))


def ids_of_keys(reader: Reader, keys: Iterable[str]) -> dict[str, str]:
    """Idempotency key → action id, for keys that are known."""
    sql = "SELECT idempotency_key, id FROM action WHERE idempotency_key = ANY(?)"
    return dict(reader.fetch(sql, list(keys)))


def _body(draft: ActionDraft) -> str:
    text = dumps(draft.body)
    if len(text) > MAX_BODY_CHARS:
        message = f"the body of a {draft.kind} action has {len(text)} characters; at most {MAX_BODY_CHARS}"
        raise TooLargeError(message, field="body", limit=MAX_BODY_CHARS)
    return text


def insert_actions(uow: UnitOfWork, drafts: Sequence[tuple[str, ActionDraft]]) -> set[str]:
    """Store queued actions under the ids given; answers with those stored, without keys others had first."""
    now = to_micros(uow.now)
    rows, queue = [], []
    for one_id, d in drafts:
        serial = (d.customer_id if d.serial_key is None else d.serial_key) or None
        due = now if d.due_at is None else to_micros(d.due_at)
        expires = None if d.expires_at is None else to_micros(d.expires_at)
        rows.append(
            (one_id, d.idempotency_key, d.connector, d.kind, _body(d), d.playbook, d.checkpoint, d.case_id,
             d.customer_id, serial, "queued", due, expires, 0, now, d.thread_key, d.outlet, d.rank, d.value_minor)
        )  # fmt: skip
        ready_at = due if expires is None else min(due, expires)
        queue.append((one_id, serial, d.thread_key, d.outlet, d.rank, due, ready_at, 0, False, False))
    if uow.dialect == "postgresql":
        rows.sort(key=lambda row: row[1])  # one order for all, so that nobody waits in a ring
        columns = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        stored = set(uow.execute(_INSERT, columns).scalars())
        queue = [row for row in queue if row[0] in stored]
    else:  # one writer: what was not there a moment ago is not there now
        uow.insert_many(action, tuple(_COLUMNS), rows)
        stored = {row[0] for row in rows}
    uow.insert_many(outbox, _OUTBOX, queue)
    return stored


def enqueue_again(uow: UnitOfWork, rows: Iterable[Any], *, afresh: bool) -> None:
    """Queue rows of actions as ready now, in their old place of the order; `afresh` counts attempts from 0.

    One that was perhaps delivered comes back with the token of a worker that vanished.
    """
    now = to_micros(uow.now)
    queue = []
    for row in rows:
        lost = not afresh and doubtful(row.result)
        token, until = (VANISHED, now) if lost else (None, None)
        attempt = 0 if afresh else row.attempt
        queue.append(
            (row.id, row.serial_key, row.thread, row.outlet, row.rank, to_micros(row.due_at), now, attempt, False, lost,
             token, until)
        )  # fmt: skip
    uow.insert_many(outbox, (*_OUTBOX, "lease_token", "lease_until"), queue)


def lock_leasing(uow: UnitOfWork) -> None:
    """One lease at a time, so that each sees whose serial keys the others took; SQLite has one writer."""
    if uow.dialect == "postgresql":
        uow.execute(select(func.pg_advisory_xact_lock(_LEASING)))


def _unblocked(now: datetime) -> ColumnElement[bool]:
    """No older queued action of the same serial key and thread, and none of the serial key under way."""
    other = outbox.alias("other")
    same = other.c.serial_key == outbox.c.serial_key
    same_thread = and_(same, other.c.thread == outbox.c.thread)
    older = tuple_(other.c.due_at, other.c.action_id) < tuple_(outbox.c.due_at, outbox.c.action_id)
    under_way = and_(other.c.lease_until > now, other.c.action_id != outbox.c.action_id)
    return and_(~exists().where(same_thread, older), ~exists().where(same, under_way))


def ready(uow: UnitOfWork, outlet: str, now: datetime, limit: int) -> list[tuple[Ticket, str | None]]:
    """Actions of an outlet that may be delivered now, by rank and then age, each with its serial key.

    One per serial key and thread: the caller takes one per serial key.
    """
    c = outbox.c
    query = select(*_TICKET, c.serial_key).join_from(outbox, action, action.c.id == c.action_id)
    # The sum keeps the planner on the index by rank, which it reads in order and only as far as the limit.
    query = query.where(c.outlet == outlet, literal_column("outbox.ready_at + 0") <= to_micros(now), _unblocked(now))
    query = query.order_by(c.rank, c.ready_at, c.action_id).limit(limit)
    rows = _rows(uow, query.with_for_update(skip_locked=True, of=outbox))
    return [(Ticket(*row[:-1]), row[-1]) for row in rows]


def lease(uow: UnitOfWork, action_ids: Sequence[str], token: str, until: datetime) -> None:
    """Mark queued actions as this token's; one more attempt each."""
    micros = to_micros(until)
    rows = [(token, micros, micros, one) for one in action_ids]
    changes = "lease_token = ?, lease_until = ?, ready_at = ?, attempt = attempt + 1"
    uow.update_many(outbox, changes, "action_id = ?", rows)


def take_over(uow: UnitOfWork, token: str, runner: str, now: datetime) -> bool:
    """Give what is still leased under `token` to one runner; False when nothing is."""
    c = outbox.c
    mine = and_(c.lease_token == token, c.lease_until > now)
    return uow.execute(update(outbox).where(mine).values(lease_token=runner)).rowcount > 0


def extend(uow: UnitOfWork, runner: str, now: datetime, until: datetime) -> bool:
    """Keep what is leased under `runner` until then; False when it ran out, which is final."""
    c = outbox.c
    mine = and_(c.lease_token == runner, c.lease_until > now)
    return uow.execute(update(outbox).where(mine).values(lease_until=until, ready_at=until)).rowcount > 0


def leased(reader: Reader, runner: str) -> list[Parcel]:
    """Everything leased under `runner`, by rank, then in order of due time."""
    columns = (
        action.c.idempotency_key,
        action.c.body,
        outbox.c.lease_until,
        outbox.c.due_at,
        action.c.value_minor,
        action.c.result,
    )
    query = select(*_TICKET, *columns)
    query = query.join_from(outbox, action, action.c.id == outbox.c.action_id)
    query = query.where(outbox.c.lease_token == runner).order_by(outbox.c.rank, outbox.c.due_at, outbox.c.action_id)
    width = len(_TICKET)
    return [Parcel(Ticket(*row[:width]), *row[width:]) for row in _rows(reader, query)]


def waiting_beside(uow: UnitOfWork, parcel: Parcel, limit: int) -> list[Parcel]:
    """What else waits for the parcel's customer at its outlet, held or queued and in nobody's hands, oldest first.

    At most `limit` of either; locked until the end. In the order of ids, as everybody locks them.
    """
    mine = and_(
        action.c.customer_id == parcel.ticket.customer_id, action.c.outlet == parcel.ticket.outlet,
        action.c.connector == parcel.ticket.connector, action.c.id != parcel.ticket.id,
    )  # fmt: skip
    held = select(action, action.c.attempt.label("begun")).where(_HELD, mine).order_by(action.c.id).limit(limit)
    free = and_(outbox.c.lease_token.is_(None), outbox.c.withdrawn.is_(False))
    queued = select(action, outbox.c.attempt.label("begun")).join_from(
        outbox, action, action.c.id == outbox.c.action_id
    )
    queued = queued.where(free, mine).order_by(action.c.id).limit(limit)
    rows = _rows(uow, held.with_for_update(of=action))
    rows += _rows(uow, queued.with_for_update(skip_locked=True, of=outbox))
    rows.sort(key=lambda row: (row.due_at, row.id))
    return [
        Parcel(
            Ticket(row.id, row.connector, row.kind, row.playbook, row.checkpoint, row.case_id, row.customer_id,
                   row.expires_at, row.begun, None, withdrawn=False, outlet=row.outlet),
            row.idempotency_key, row.body, parcel.lease_until, row.due_at, row.value_minor, row.result,
        )
        for row in rows
    ]  # fmt: skip


def lease_beside(uow: UnitOfWork, runner: str, carrier_id: str, results: Mapping[str, dict[str, Any]]) -> None:
    """Lease what `waiting_beside` found together with the carrier, as leaving; `results` is kept with each."""
    until = to_micros(uow.execute(select(outbox.c.lease_until).where(outbox.c.action_id == carrier_id)).scalar_one())
    held = select(action).where(_HELD, among(uow, action.c.id, list(results)))
    enqueue_again(uow, _rows(uow, held), afresh=False)
    marks = [(dumps(result), one) for one, result in results.items()]
    uow.update_many(action, "state = 'queued', look_at = NULL, result = ?", "id = ?", marks)
    true = "TRUE" if uow.dialect == "postgresql" else "1"
    changes = f"lease_token = ?, lease_until = ?, ready_at = ?, attempt = attempt + 1, problem = NULL, sending = {true}"
    uow.update_many(outbox, changes, "action_id = ?", [(runner, until, until, one) for one in results])


def still_mine(uow: UnitOfWork, runner: str, action_ids: Sequence[str]) -> dict[str, bool]:
    """Action → whether it was withdrawn meanwhile, where it still carries the token; locked until the end."""
    c = outbox.c
    query = select(c.action_id, c.withdrawn).where(among(uow, c.action_id, action_ids), c.lease_token == runner)
    return {row.action_id: row.withdrawn for row in _rows(uow, query.order_by(c.action_id).with_for_update())}


def settle(uow: UnitOfWork, settled: Sequence[tuple[str, Settled]]) -> None:
    """Write what became of queued actions and take them off the queue."""
    now = to_micros(uow.now)
    rows = [
        (
            s.state.value,
            dumps(s.result),
            s.result["attempts"],
            None if s.state is ActionState.HELD else now,
            to_micros(s.look_at) if s.look_at else None,
            one,
        )
        for one, s in settled
    ]
    uow.update_many(action, "state = ?, result = ?, attempt = ?, done_at = ?, look_at = ?", "id = ?", rows)
    uow.execute(delete(outbox).where(among(uow, outbox.c.action_id, [one for one, _ in settled])))


def try_later(uow: UnitOfWork, rows: Sequence[tuple[str, datetime, str]]) -> None:
    """(action, not before, why) of deliveries to be tried again."""
    values = [(to_micros(at), problem, one) for one, at, problem in rows]
    changes = "ready_at = ?, problem = ?, lease_token = NULL, lease_until = NULL"
    uow.update_many(outbox, f"{changes}, sending = {_false(uow)}", "action_id = ?", values)


def give_back(uow: UnitOfWork, runner: str, action_ids: Sequence[str], now: datetime) -> None:
    """Put actions that nobody tried to deliver back into the queue, as if they had never been leased."""
    rows = [(to_micros(now), one, runner) for one in action_ids]
    changes = "ready_at = ?, attempt = attempt - 1, lease_token = NULL, lease_until = NULL"
    uow.update_many(outbox, changes, "action_id = ? AND lease_token = ?", rows)


def standing(reader: Reader, runner: str, action_id: str, now: datetime) -> tuple[bool, bool]:
    """(whether it is still leased under `runner`, whether it was withdrawn meanwhile)."""
    sql = "SELECT withdrawn FROM outbox WHERE action_id = ? AND lease_token = ? AND lease_until > ?"
    rows = reader.fetch(sql, action_id, runner, to_micros(now))
    return bool(rows), bool(rows and rows[0][0])


def begin_sending(uow: UnitOfWork, runner: str, action_id: str, now: datetime) -> bool:
    """Write down that a message may leave from now on; False when it is not the runner's any more, or withdrawn."""
    where = f"action_id = ? AND lease_token = ? AND lease_until > ? AND withdrawn = {_false(uow)}"
    row = (action_id, runner, to_micros(now))
    return uow.update_many(outbox, f"sending = {'TRUE' if uow.dialect == 'postgresql' else '1'}", where, [row]) == 1


def _false(uow: UnitOfWork) -> str:
    return "FALSE" if uow.dialect == "postgresql" else "0"


def next_ready(reader: Reader, outlet: str, now: datetime) -> datetime | None:
    """When the next action of an outlet that nothing blocks may be delivered."""
    c = outbox.c
    query = select(c.ready_at).where(c.outlet == outlet, _unblocked(now)).order_by(c.ready_at).limit(1)
    return reader.execute(query).scalar()


def next_held(reader: Reader) -> datetime | None:
    """When the next held action expires or is looked at again."""
    moments = [
        reader.execute(select(func.min(c)).where(_HELD)).scalar() for c in (action.c.expires_at, action.c.look_at)
    ]
    return min((moment for moment in moments if moment is not None), default=None)


def held_to_look_at(uow: UnitOfWork, now: datetime, limit: int) -> list[Any]:
    """Rows of held actions about which the gate is to be asked again."""
    c = action.c
    query = select(action).where(_HELD, c.look_at <= now).order_by(c.look_at, c.id).limit(limit)
    return list(uow.execute(query.with_for_update(skip_locked=True)))


def held_and_expired(uow: UnitOfWork, now: datetime, limit: int) -> list[Any]:
    """Rows of held actions whose time is over."""
    c = action.c
    query = select(action).where(_HELD, c.expires_at <= now).order_by(c.expires_at).limit(limit)
    return list(uow.execute(query.with_for_update(skip_locked=True)))


def change_states(
    uow: UnitOfWork, ids: Sequence[str], state: ActionState, result: dict[str, Any] | None, *, done: bool
) -> None:
    """Write one state to many actions; None keeps the result that is there."""
    values: dict[str, Any] = {"state": state.value, "done_at": uow.now if done else None, "look_at": None}
    if result is not None:
        values["result"] = result
    uow.execute(update(action).where(among(uow, action.c.id, ids)).values(**values))


def mark_withdrawn(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """Say of actions under way that they are not to be tried again."""
    if ids:
        uow.execute(update(outbox).where(among(uow, outbox.c.action_id, ids)).values(withdrawn=True))


def queued_where(uow: UnitOfWork, condition: ColumnElement[bool]) -> list[Any]:
    """Rows of queued actions with their `lease_token` and the deliveries `begun`, locked until the end.

    Nobody leases meanwhile. Who is recording a result is waited for: both lock the queue, in order of id.
    """
    lock_leasing(uow)
    query = select(action, outbox.c.lease_token, outbox.c.attempt.label("begun"))
    query = query.join_from(outbox, action, action.c.id == outbox.c.action_id).where(condition)
    return _rows(uow, query.order_by(outbox.c.action_id).with_for_update(of=(outbox, action)))


def held_where(uow: UnitOfWork, condition: ColumnElement[bool]) -> list[Any]:
    """Rows of held actions, as `queued_where` gives them; none has a lease."""
    query = select(action, null().label("lease_token"), action.c.attempt.label("begun"))
    query = query.where(_HELD, condition).order_by(action.c.id)
    return _rows(uow, query.with_for_update(of=action))


def of_cases(case_ids: Sequence[str]) -> ColumnElement[bool]:
    """Actions of these cases."""
    return action.c.case_id.in_(case_ids)


def of_customer(customer_id: str) -> ColumnElement[bool]:
    """Actions that concern this customer."""
    return action.c.customer_id == customer_id


def automatic_of(scope: Scope) -> ColumnElement[bool]:
    """Automatic actions of a scope, whatever their state."""
    c = action.c
    if scope.kind is ScopeKind.WORKSPACE:
        return c.checkpoint.is_not(None)
    if scope.kind is ScopeKind.PLAYBOOK:
        return and_(c.checkpoint.is_not(None), c.playbook == scope.name)
    return c.checkpoint == scope.name


def stops(reader: Reader) -> list[Scope]:
    """Stop switches that are on."""
    rows = reader.fetch("SELECT kind, name FROM action_hold")  # asked for every message
    return [Scope(ScopeKind(kind), name) for kind, name in rows]


def add_stop(uow: UnitOfWork, scope: Scope, actor: str) -> bool:
    """False when it was on already."""
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {"kind": scope.kind.value, "name": scope.name, "actor": actor, "at": uow.now}
    statement = dialect.insert(action_hold).values(**values).on_conflict_do_nothing()
    # An INSERT's rowcount is not kept on Postgres; a row that comes back is.
    return uow.execute(statement.returning(action_hold.c.kind)).first() is not None


def remove_stop(uow: UnitOfWork, scope: Scope) -> bool:
    """False when it was not on."""
    c = action_hold.c
    mine = and_(c.kind == scope.kind.value, c.name == scope.name)
    return uow.execute(delete(action_hold).where(mine)).rowcount == 1


def matching(states: Sequence[str], wanted: Mapping[str, str], before: str | None) -> ColumnElement[bool]:
    """Actions in one of these states (none: any) with these values, older than `before`."""
    parts = [action.c[name] == value for name, value in wanted.items()]
    if states:
        # No parameters, or the partial indexes could not be used.
        parts.append(or_(*(action.c.state == literal_column(f"'{ActionState(one)}'") for one in states)))
    if before:
        parts.append(action.c.id < before)
    return and_(true(), *parts)


def in_time(now: datetime) -> ColumnElement[bool]:
    """Actions that may still be delivered at this moment."""
    return or_(action.c.expires_at.is_(None), action.c.expires_at > now)


def rows_of(reader: Reader, condition: ColumnElement[bool], limit: int, *, newest: bool = False) -> list[Any]:
    """Rows of actions, oldest first, with why the last delivery is tried again (`problem`)."""
    query: Select[Any] = select(action, outbox.c.problem, outbox.c.attempt.label("begun"))
    query = query.select_from(action.outerjoin(outbox, outbox.c.action_id == action.c.id)).where(condition)
    order = (action.c.id.desc(),) if newest else (action.c.created_at, action.c.id)
    return list(reader.execute(query.order_by(*order).limit(limit)))


def lock_action(uow: UnitOfWork, action_id: str) -> Any:
    """The action's row, kept from others until the end; None when there is none."""
    return uow.execute(select(action).where(action.c.id == action_id).with_for_update()).first()


def blank(uow: UnitOfWork, customer_id: str) -> int:
    """Empty body and result of everything that was done for a customer; returns how many."""
    mine = and_(action.c.customer_id == customer_id, action.c.done_at.is_not(None))
    return uow.execute(update(action).where(mine).values(body={}, result=None)).rowcount


def ways_out(reader: Reader) -> list[Any]:
    """(connector, outlet) of all actions, each pair once."""
    return _rows(reader, select(action.c.connector, action.c.outlet).distinct())


def with_ids(ids: Sequence[str]) -> ColumnElement[bool]:
    """These actions."""
    return action.c.id.in_(ids)


def states(reader: Reader, ids: Sequence[str]) -> list[Any]:
    """(id, state) of these actions."""
    return _rows(reader, select(action.c.id, action.c.state).where(among(reader, action.c.id, ids)))


def states_of_gate_keys(reader: Reader, keys: Sequence[str]) -> dict[str, ActionState]:
    """State of the action by the gate's key; keys of no action, and digests of long ones, are absent."""
    query = select(action.c.idempotency_key, action.c.state).where(among(reader, action.c.idempotency_key, keys))
    return {row.idempotency_key: ActionState(row.state) for row in reader.execute(query)}
