"""All SQL of the gate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, insert, or_, select, update

from fairlead.guardrails import tables as t
from fairlead.guardrails.model import Attempt, GateAnswer, LogState, PurposeClass, Sent
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.ids import new_id
from fairlead.kit.jsons import dumps, loads
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

MAX_SENT = 20_000
"""How many counted messages of one customer are read; with more, every cap counts as full."""
_log, _answer, _rules = t.contact_log.c, t.contact_answer.c, t.contact_rules.c
_RULES = "SELECT text FROM contact_rules ORDER BY at DESC, id DESC LIMIT 1"
_MINE = (
    "SELECT at, channel, purpose, class, tags, key FROM contact_log "
    "WHERE customer_id = ANY(?) AND at > ? AND state <> 'released' ORDER BY at DESC LIMIT ?"
)
_NOBODYS = (
    "SELECT at, channel, purpose, class, tags, key FROM contact_log "
    "WHERE customer_id IS NULL AND address_digest = ? AND at > ? AND state <> 'released' ORDER BY at DESC LIMIT ?"
)
_ENTRIES = "SELECT key, id, state, customer_id, class, released_at FROM contact_log WHERE key = ANY(?)"
_ANSWER = (
    "id", "key", "customer_id", "channel", "purpose", "class", "sender", "kind", "case_id", "verdict", "code",
    "words", "facts", "checks", "memory", "allowed_at", "at",
)  # fmt: skip


def rules_text(reader: Reader) -> str:
    """The text of the rules in force, "" where the built-in ones are."""
    rows = reader.fetch(_RULES)
    return str(rows[0][0]) if rows else ""


def rules_row(reader: Reader) -> Any:
    """Who deployed the rules in force and when; None before the first deploy."""
    return reader.execute(select(t.contact_rules).order_by(_rules.at.desc(), _rules.id.desc()).limit(1)).first()


def insert_rules(uow: UnitOfWork, version: str, text: str, actor: str) -> str:
    """Put rules into force; the row's id."""
    row_id = new_id("crl")
    values = {"id": row_id, "version": version, "text": text, "deployed_by": actor, "at": uow.now}
    uow.execute(insert(t.contact_rules).values(**values))
    return row_id


def sent_since(
    reader: Reader, family: Collection[str], digest: str, since: datetime, but: str
) -> tuple[tuple[Sent, ...], bool]:
    """What takes up places: of these records, or where there are none, of the address; False: there was more."""
    after = to_micros(since)
    if family:
        rows = reader.fetch(_MINE, sorted(family), after, MAX_SENT + 1)
        rows += reader.fetch(_NOBODYS, digest, after, MAX_SENT + 1) if digest else []
    else:
        rows = reader.fetch(_NOBODYS, digest, after, MAX_SENT + 1)
    found = tuple(
        Sent(from_micros(at), channel, purpose, PurposeClass(cls), frozenset(loads(tags)))
        for at, channel, purpose, cls, tags, key in rows
        if key != but
    )
    return found, len(rows) <= MAX_SENT


class Entry(NamedTuple):
    """A message's place; `released_at` is when its last try was given back."""

    id: str
    state: LogState
    customer_id: str | None
    cls: str
    released_at: datetime | None


def entry(reader: Reader, key: str) -> Entry | None:
    """The message's place, None when it never had one."""
    return entries(reader, [key]).get(key)


def entries(reader: Reader, keys: Collection[str]) -> dict[str, Entry]:
    """Places by key; keys that never had one are absent."""
    return {
        key: Entry(row_id, LogState(state), customer_id, cls, from_micros(released) if released else None)
        for key, row_id, state, customer_id, cls, released in reader.fetch(_ENTRIES, sorted(keys))
    }


def insert_entry(uow: UnitOfWork, attempt: Attempt, customer_id: str | None, cls: str, digest: str) -> str:
    """Take a place; its id. ConflictError when another transaction took one for the same key."""
    row_id = new_id("ctc")
    values = (
        row_id, attempt.key, customer_id, attempt.channel, attempt.purpose, cls, attempt.sender, attempt.kind,
        dumps(sorted(set(attempt.tags))), to_micros(uow.now), LogState.RESERVED.value, digest, attempt.case_id,
    )  # fmt: skip
    columns = (
        "id", "key", "customer_id", "channel", "purpose", "class", "sender", "kind", "tags", "at", "state",
        "address_digest", "case_id",
    )  # fmt: skip
    uow.insert_many(t.contact_log, columns, [values])
    return row_id


def renew_entry(uow: UnitOfWork, row_id: str, cls: str, state: LogState, tags: Iterable[str]) -> None:
    """Date a place anew, as of this very evaluation."""
    row = (cls, dumps(sorted(set(tags))), to_micros(uow.now), state.value, None, row_id)
    uow.update_many(t.contact_log, "class = ?, tags = ?, at = ?, state = ?, released_at = ?", "id = ?", [row])


def set_states(uow: UnitOfWork, changed: Mapping[str, LogState]) -> None:
    """Say what became of places, by id."""
    now = to_micros(uow.now)
    freed = [(state.value, now, now, one) for one, state in changed.items() if state is LogState.RELEASED]
    kept = [(state.value, now, one) for one, state in changed.items() if state is not LogState.RELEASED]
    uow.update_many(t.contact_log, "state = ?, settled_at = ?, released_at = ?", "id = ?", freed)
    uow.update_many(t.contact_log, "state = ?, settled_at = ?", "id = ?", kept)


def stale(reader: Reader, before: datetime, limit: int) -> list[tuple[str, str | None]]:
    """(key, customer) of places reserved before that moment and never settled, oldest first."""
    query = select(_log.key, _log.customer_id).where(_log.state == LogState.RESERVED.value, _log.at < before)
    rows: list[Any] = list(reader.execute(query.order_by(_log.at).limit(limit)))
    return [(row.key, row.customer_id) for row in rows]


def insert_answer(
    uow: UnitOfWork, attempt: Attempt, customer_id: str | None, answer: GateAnswer, memory: Mapping[str, Any]
) -> None:
    """Write down what was asked and said, and what it was judged by."""
    values = (
        new_id("cta"), attempt.key, customer_id, attempt.channel, attempt.purpose, answer.facts["class"],
        attempt.sender, attempt.kind, attempt.case_id, answer.verdict.value, answer.code.value, answer.words,
        dumps(answer.facts), dumps([list(one) for one in answer.checks]), dumps(memory),
        to_micros(answer.allowed_at) if answer.allowed_at else None, to_micros(uow.now),
    )  # fmt: skip
    uow.insert_many(t.contact_answer, _ANSWER, [values])


def answers(
    reader: Reader, filters: dict[str, str], family: Sequence[str], before: tuple[datetime, str] | None, limit: int
) -> list[Any]:
    """Answers with the place's state now, newest first; `family` empty: of everybody."""
    query: Select[Any] = select(t.contact_answer, _log.state, _log.tags).outerjoin(
        t.contact_log, and_(_log.key == _answer.key, _answer.verdict == "allowed")
    )
    for name, value in filters.items():
        query = query.where(t.contact_answer.c[name] == value)
    if family:
        query = query.where(among(reader, _answer.customer_id, family))
    if before:
        query = query.where(or_(_answer.at < before[0], and_(_answer.at == before[0], _answer.id < before[1])))
        query = query.where(_answer.at <= before[0])
    return list(reader.execute(query.order_by(_answer.at.desc(), _answer.id.desc()).limit(limit)))


def forget(uow: UnitOfWork, customer_ids: Sequence[str]) -> None:
    """Take what tells of the person out of answers and places of these records; counts and reasons stay."""
    blank = {"words": "", "facts": {}, "checks": [], "memory": {}}
    uow.execute(update(t.contact_answer).where(among(uow, _answer.customer_id, customer_ids)).values(**blank))
    uow.execute(
        update(t.contact_log).where(among(uow, _log.customer_id, customer_ids)).values(address_digest="", tags=[])
    )  # fmt: skip
