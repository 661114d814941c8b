"""Customers of whom nothing was heard for long: which there are, and what keeps the others.

Activity is any row that says that something happened with one of the person's records: a lead, case, decision, message
or mail either way, consent, wish, flag, address, note, touch, line of the timeline. What a proposal to erase them
writes about itself is none, or being proposed once would make everybody active again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select

from fairlead.kit.columns import metadata
from fairlead.kit.unit_of_work import Reader
from fairlead.retention.model import COMPLAINT, Silence
from fairlead.retention.store import flagged

LOOKED_AT = 20_000
"""Customers that one look goes through, so that it stays short where nearly all are active."""
_RIGHTS = "rights_request"


class _Sign(NamedTuple):
    table: str
    at: str


_MOMENTS = {
    "action": "created_at done_at", "assignment": "at", "consent": "recorded_at", "contact_log": "at",
    "customer_detail": "set_at", "customer_flag": "set_at", "customer_identity": "added_at verified_at",
    "customer_preference": "at", "customer_zone": "at", "form_submission": "at", "identity_check": "at",
    "lead": "created_at", "lead_touch": "at", "mail_sent": "at", "mail_taken": "at", "note": "added_at",
    "playbook_case": "changed_at", "record_change": "at undone_at", "repair": "done_at", "review": "closed_at",
    "rights_request": "asked_at decided_at", "ruling": "created_at", "timeline": "at",
}  # fmt: skip
"""Of each table, the columns that say when something happened."""
_SIGNS = tuple(_Sign(table, at) for table, moments in _MOMENTS.items() for at in moments.split())


class Look(NamedTuple):
    """What one look found: ids of inactive customers, and where to go on; None: from the beginning."""

    found: list[str]
    after: str | None


def inactive_counts(reader: Reader, rule: Silence, flags: frozenset[str], now: datetime) -> dict[str, int]:
    """How many silent customers there are, by what keeps them; "" for those that would be proposed."""
    c = metadata.tables["customer"].alias("silent").c
    held: Any = [(condition, literal(name)) for name, condition in _held(c, rule, flags, now).items()]
    inner = select(case(*held, else_=literal("")).label("reason")).where(_silent(c, now - rule.after)).subquery()
    rows: Any = reader.execute(select(inner.c.reason, func.count()).group_by(inner.c.reason)).all()
    return {str(row[0]): int(row[1]) for row in rows}


def look_for_inactive(
    reader: Reader, rule: Silence, flags: frozenset[str], now: datetime, after: str | None, limit: int
) -> Look:
    """At most `limit` inactive customers among the next 20,000 behind the id `after`, the oldest first."""
    known = metadata.tables["customer"].alias("window").c
    window = select(known.id).where(known.merged_into.is_(None), known.erased_at.is_(None))
    if after is not None:
        window = window.where(known.id > after)
    part = window.order_by(known.id).limit(LOOKED_AT).subquery()
    edge: Any = reader.execute(select(func.max(part.c.id), func.count()).select_from(part)).one()
    last, looked = edge
    if last is None:
        return Look([], None)
    c = metadata.tables["customer"].alias("silent").c
    free = [~condition for condition in _held(c, rule, flags, now).values()]
    query = select(c.id).where(_silent(c, now - rule.after), *free, c.id <= last).order_by(c.id).limit(limit)
    if after is not None:
        query = query.where(c.id > after)
    found = [str(one) for one in reader.execute(query).scalars()]
    if len(found) == limit:
        return Look(found, found[-1])
    return Look(found, str(last) if looked == LOOKED_AT else None)


def still_inactive(
    reader: Reader, rule: Silence, flags: frozenset[str], customer_id: str, silent_since: datetime, now: datetime
) -> bool:
    """Whether nothing was heard of them since, and nothing keeps them; what a proposal itself wrote does not count."""
    c = metadata.tables["customer"].alias("silent").c
    held = [~condition for name, condition in _held(c, rule, flags, now).items() if name not in _OF_PROPOSALS]
    return reader.execute(select(c.id).where(_silent(c, silent_since), *held, c.id == customer_id)).first() is not None


_OF_PROPOSALS = frozenset({"waiting_request", "rejected_before"})


def _silent(c: Any, before: datetime) -> ColumnElement[bool]:
    signs = [_happened(c, sign, before) for sign in _SIGNS]
    return and_(c.merged_into.is_(None), c.erased_at.is_(None), c.created_at < before, *(~one for one in signs))


def _happened(c: Any, sign: _Sign, before: datetime) -> ColumnElement[bool]:
    row = metadata.tables[sign.table].alias(f"sign_{sign.table}").c
    own = {
        "playbook_case": lambda: row.subject_kind != _RIGHTS,
        "timeline": lambda: ~row.kind.startswith("rights."),
        "rights_request": lambda: row.origin == "customer",
        "ruling": lambda: row.checkpoint != "rights-request",
        "review": lambda: row.checkpoint != "rights-request",
    }  # fmt: skip
    besides = [own[sign.table]()] if sign.table in own else []
    return exists().where(row.customer_id.in_(_family(c)), row[sign.at] >= before, *besides)


def _family(c: Any) -> Any:
    family = metadata.tables["customer"].alias("silent_family")
    theirs = family.c
    # Said outright: by itself a query within a query within a query is tied to the next one alone.
    return select(theirs.id).where(or_(theirs.id == c.id, theirs.merged_into == c.id)).correlate_except(family)


def _held(c: Any, rule: Silence, flags: frozenset[str], now: datetime) -> dict[str, ColumnElement[bool]]:
    def stands(name: str, *which: Any) -> ColumnElement[bool]:
        row = metadata.tables[name].alias(f"keeps_{name}").c
        return exists().where(row.customer_id.in_(_family(c)), *(condition(row) for condition in which))

    return {
        "legal_hold": flagged(c.id, sorted(flags), now),
        "open_complaint": flagged(c.id, [COMPLAINT], now),
        "open_case": stands("playbook_case", lambda r: r.ended_at.is_(None), lambda r: r.subject_kind != _RIGHTS),
        "unsent_message": stands("action", lambda r: r.done_at.is_(None)),
        "open_review": stands("review", lambda r: r.closed_at.is_(None), lambda r: r.checkpoint != "rights-request"),
        "waiting_request": stands("rights_request", lambda r: r.state == "asked"),
        "objection_only": _objection_only(c),
        "rejected_before": stands(
            "rights_request", lambda r: r.origin == "retention", lambda r: r.state == "refused",
            lambda r: r.decided_at >= now - rule.again,
        ),
    }  # fmt: skip


def _objection_only(c: Any) -> ColumnElement[bool]:
    """A record of nothing but an address that nobody may write to: it is kept for that."""
    known = metadata.tables["customer_identity"].alias("keeps_address").c
    shut = metadata.tables["suppression"].alias("keeps_suppression").c
    said = metadata.tables["consent"].alias("keeps_consent").c
    lead = metadata.tables["lead"].alias("keeps_lead").c
    suppressed = exists().where(known.customer_id.in_(_family(c)), shut.address == known.value)
    withdrawn = exists().where(said.customer_id.in_(_family(c)), said.state == "withdrawn")
    unnamed = and_(c.name == "", c.company == "", ~exists().where(lead.customer_id.in_(_family(c))))
    return and_(unnamed, or_(suppressed, withdrawn))
