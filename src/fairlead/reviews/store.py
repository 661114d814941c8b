"""Rows of reviews: reading, opening in bulk, and the one compare-and-set through which all of them change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update

from fairlead.kit import jsons
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.clock import to_micros
from fairlead.kit.ids import new_id, new_ids
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.reviews.model import (
    OPEN_STATES,
    Bucket,
    Kind,
    Log,
    Review,
    ReviewDraft,
    State,
    Vote,
    answer_key,
    clean_title,
    rank_of,
    title_key,
)
from fairlead.reviews.tables import review, tally, verdict

COLUMNS: Final = tuple(review.c[field.name] for field in fields(Review))
MAX_SIBLINGS = 50
MAX_LOG = 500
MAX_OF_CASE = 200
DECIDES: Final = review.c.kind == Kind.DECISION.value
_LOG = tuple(verdict.c[field.name] for field in fields(Log))
_TALLY = ("id", "checkpoint", "role", "bucket", "change")

_OPENED = (
    "id", "ruling_id", "checkpoint", "kind", "playbook", "case_id", "customer_id", "path", "blind", "state", "shelf",
    "rank", "title", "title_key", "segment", "needs_information", "value_minor", "priority", "role", "quorum",
    "needs", "due_at", "on_expiry", "digest", "version", "created_at",
)  # fmt: skip


def insert_drafts(uow: UnitOfWork, drafts: Sequence[ReviewDraft]) -> list[str]:
    """Store new reviews, waiting and free, and count them; ids in the order of the drafts."""
    ids = new_ids("rev", len(drafts))
    at = to_micros(uow.now)
    ranks: dict[tuple[int, Kind], int] = {}
    rows: list[Sequence[Any]] = []
    counts: Counter[tuple[str, str, str]] = Counter()
    for key, draft in zip(ids, drafts, strict=True):
        title = clean_title(draft.title)
        place = (draft.priority, draft.kind)
        if place not in ranks:
            ranks[place] = rank_of(draft.priority, uow.now, draft.kind)
        counts[draft.checkpoint, draft.needs[0][0], Bucket.FREE.value] += 1
        if draft.needs_information:
            counts[draft.checkpoint, draft.needs[0][0], Bucket.NEEDS_INFORMATION.value] += 1
        if draft.kind is Kind.LABEL:
            counts[draft.checkpoint, draft.needs[0][0], Bucket.LABEL.value] += 1
        rows.append((
            key, draft.ruling_id, draft.checkpoint, draft.kind.value, draft.playbook, draft.case_id,
            draft.customer_id, draft.path, draft.blind, "waiting", "free", ranks[place], title, title_key(title),
            draft.segment, draft.needs_information, draft.value_minor, draft.priority, *draft.needs[0],
            jsons.dumps(draft.needs), None if draft.due_at is None else to_micros(draft.due_at),
            draft.on_expiry, draft.digest, 1, at,
        ))  # fmt: skip
    uow.insert_many(review, _OPENED, rows)
    _count(uow, counts)
    return ids


def as_review(row: Any) -> Review:
    """The review of a row that holds COLUMNS."""
    one = Review(*row)
    return replace(one, needs=tuple((role, count) for role, count in one.needs))


def find(reader: Reader, review_id: str) -> Review | None:
    """One review by its id; None when there is none."""
    row = reader.execute(select(*COLUMNS).where(review.c.id == review_id)).first()
    return as_review(row) if row else None


def find_many(reader: Reader, review_ids: Sequence[str]) -> dict[str, Review]:
    """At most 500 reviews by id; unknown ids are absent."""
    query = select(*COLUMNS).where(review.c.id.in_(review_ids[:500]))
    return {row.id: as_review(row) for row in reader.execute(query)}


def opened_since(reader: Reader, after: str, limit: int) -> list[tuple[str, str, str]]:
    """(id, role, checkpoint) of open reviews whose id sorts behind `after`, which is by when they were
    opened.
    """
    c = review.c
    query = select(c.id, c.role, c.checkpoint).where(c.id > after, c.closed_at.is_(None)).order_by(c.id).limit(limit)
    return [tuple(row) for row in reader.execute(query)]


def move(uow: UnitOfWork, before: Review, **changes: Any) -> Review | None:
    """Change what is stored if it still is what was read; None, and nothing changed, when it is not."""
    after = replace(before, version=before.version + 1, **changes)
    values = {name: getattr(after, name) for name in changes}
    values |= {"version": after.version, "shelf": str(after.shelf)}
    if "priority" in changes:
        values["rank"] = rank_of(after.priority, after.created_at, after.kind)
    same = (review.c.id == before.id, review.c.state == before.state, review.c.version == before.version)
    if uow.execute(update(review).where(*same).values(**values)).rowcount != 1:
        return None
    _count(uow, _difference(before, after))
    return after


def _difference(before: Review, after: Review) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for one, change in ((before, -1), (after, 1)):
        for bucket in one.buckets:
            counts[one.checkpoint, one.role, str(bucket)] += change
    return counts


def _count(uow: UnitOfWork, counts: Counter[tuple[str, str, str]]) -> None:
    changed = [(key, change) for key, change in counts.items() if change]
    ids = new_ids("tal", len(changed))
    rows = [(row_id, *key, change) for row_id, (key, change) in zip(ids, changed, strict=True)]
    uow.insert_many(tally, _TALLY, rows)


def fold_tallies(uow: UnitOfWork, limit: int) -> int:
    """Replace up to `limit` rows of counts by one per bucket; returns how many rows fewer there are."""
    query = select(*(tally.c[name] for name in _TALLY)).order_by(tally.c.id).limit(limit)
    rows = uow.execute(query.with_for_update(skip_locked=True) if uow.dialect == "postgresql" else query).all()
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        counts[row.checkpoint, row.role, row.bucket] += row.change
    left = sum(1 for change in counts.values() if change)
    if left == len(rows):
        return 0
    for start in range(0, len(rows), 500):
        some = [row.id for row in rows[start : start + 500]]
        uow.execute(tally.delete().where(tally.c.id.in_(some)))
    _count(uow, counts)
    return len(rows) - left


def lock_customer(uow: UnitOfWork, customer_id: str | None, *, wait: bool) -> bool:
    """Hold the right to claim a review of this customer until the transaction ends; False only without
    `wait`.

    SQLite has one writer at a time, which is the same.
    """
    if customer_id is None or uow.dialect != "postgresql":
        return True
    number = func.hashtextextended("review.customer:" + customer_id, 0)
    if not wait:
        return bool(uow.execute(select(func.pg_try_advisory_xact_lock(number))).scalar())
    uow.execute(select(func.pg_advisory_xact_lock(number)))
    return True


def siblings(reader: Reader, one: Review) -> list[Review]:
    """The other open reviews of the same customer, claimed ones first, at most 50; labels have and are none."""
    if one.customer_id is None or one.is_label:
        return []
    found: list[Review] = []
    for state in (State.CLAIMED, State.WAITING):
        mine = (review.c.customer_id == one.customer_id, review.c.state == state, review.c.id != one.id, DECIDES)
        query = select(*COLUMNS).where(*mine).order_by(review.c.rank, review.c.id).limit(MAX_SIBLINGS - len(found))
        found += [as_review(row) for row in reader.execute(query)]
    return found


def sibling_in_work(reader: Reader, one: Review, person: str, now: datetime) -> Review | None:
    """A review of the same customer that somebody else holds now; None when there is none.

    A label says nothing to the customer, so it neither waits for another review nor keeps one waiting.
    """
    if one.customer_id is None or one.is_label:
        return None
    held = (
        DECIDES,
        review.c.customer_id == one.customer_id,
        review.c.state == State.CLAIMED,
        review.c.id != one.id,
        review.c.claimed_by != person,
        review.c.claimed_until > now,
    )
    row = reader.execute(select(*COLUMNS).where(*held).limit(1)).first()
    return as_review(row) if row else None


def open_of(reader: Reader, column: ColumnElement[Any], value: str) -> list[Review]:
    """The open decisions of one case or ruling, always in the same order so that two writers cannot lock
    crosswise. Labels are left out: whatever becomes of the case, what was drawn is answered.
    """
    query = select(*COLUMNS).where(column == value, review.c.state.in_(OPEN_STATES), DECIDES)
    return sorted((as_review(row) for row in reader.execute(query)), key=lambda one: one.id)


def review_that_decides(reader: Reader, ruling_id: str) -> str | None:
    """The id of the newest review that decides this ruling, None when it needs none."""
    query = select(review.c.id).where(review.c.ruling_id == ruling_id, DECIDES).order_by(review.c.id.desc()).limit(1)
    return reader.execute(query).scalar()


def of_case(reader: Reader, case_id: str) -> list[Review]:
    """The first 200 reviews of a case, oldest first."""
    query = select(*COLUMNS).where(review.c.case_id == case_id).order_by(review.c.id).limit(MAX_OF_CASE)
    return [as_review(row) for row in reader.execute(query)]


def open_of_cases(reader: Reader, case_ids: Iterable[str]) -> dict[str, list[Review]]:
    """The open reviews of these cases, oldest first; cases without any are absent."""
    wanted, found = sorted(set(case_ids)), defaultdict(list)
    if wanted:
        mine = (among(reader, review.c.case_id, wanted), review.c.state.in_(OPEN_STATES))
        for row in reader.execute(select(*COLUMNS).where(*mine).order_by(review.c.id)):
            found[row.case_id].append(as_review(row))
    return dict(found)


def of_rulings(reader: Reader, ruling_ids: Sequence[str]) -> list[Review]:
    """The reviews of these rulings, oldest first."""
    if not ruling_ids:
        return []
    query = select(*COLUMNS).where(among(reader, review.c.ruling_id, ruling_ids)).order_by(review.c.id)
    return [as_review(row) for row in reader.execute(query)]


def add_log(
    uow: UnitOfWork, one: Review, word: str, who: tuple[str, str], *, answer: Any = None, reason: str = ""
) -> str:
    """Append to what was said about a review; `who` is the actor's text and the name to show."""
    row_id = new_id("ver")
    uow.execute(
        insert(verdict).values(
            id=row_id, review_id=one.id, verdict=word, actor=who[0], name=who[1], answer=answer,
            reason=reason, digest=one.digest, at=uow.now, undone_at=None,
        )
    )  # fmt: skip
    return row_id


def _as_log(row: Any) -> Log:
    return Log(*row)


def log_of(reader: Reader, review_id: str) -> list[Log]:
    """What was said about a review, oldest first; the newest 500 when there is more."""
    query = select(*_LOG).where(verdict.c.review_id == review_id).order_by(verdict.c.id.desc()).limit(MAX_LOG)
    return [_as_log(row) for row in reader.execute(query)][::-1]


def votes_of(reader: Reader, review_id: str) -> list[Vote]:
    """The votes that count: verdicts given and not taken back; labels are none."""
    given = (verdict.c.review_id == review_id, verdict.c.verdict.in_(("approve", "edit", "answer", "reject")))
    columns = (verdict.c.actor, verdict.c.verdict, verdict.c.answer, verdict.c.digest)
    query = select(*columns).where(*given, verdict.c.undone_at.is_(None)).limit(MAX_LOG)
    return [Vote(row.actor, row.verdict, answer_key(row.answer), row.digest) for row in reader.execute(query)]


def who_know_case(reader: Reader, one: Review) -> frozenset[str]:
    """Ids of the people who claimed or answered another review of the same decision or the same case."""
    c, said = review.c, verdict.c
    same = c.ruling_id == one.ruling_id
    if one.case_id is not None:
        same = or_(same, c.case_id == one.case_id)
    others = select(c.id).where(same, c.id != one.id)
    claimed = reader.execute(select(c.claimed_by).where(same, c.id != one.id, c.claimed_by.is_not(None)).distinct())
    answered = reader.execute(select(said.actor).where(said.review_id.in_(others)).distinct()).scalars()
    actors = (Actor.parse(each) for each in answered)
    return frozenset(claimed.scalars()) | {each.id for each in actors if each.kind is ActorKind.USER}


def overdue_unseen(reader: Reader, limit: int) -> list[str]:
    """Rulings whose open review ran over its time and awaits an answer without the proposal; up to `limit`.

    Appeals are left out: nobody drew them.
    """
    c = review.c
    unseen = and_((c.path == "human") | c.blind.is_(True), c.kind != Kind.APPEAL.value)
    query = select(c.ruling_id).where(c.closed_at.is_(None), c.overdue_since.is_not(None), unseen)
    return list(reader.execute(query.limit(limit)).scalars())


def take_back(uow: UnitOfWork, log_id: str) -> None:
    """Mark a verdict as undone; it stays on record."""
    uow.execute(update(verdict).where(verdict.c.id == log_id).values(undone_at=uow.now))


def last_closing(reader: Reader, review_id: str) -> Log | None:
    """The verdict, expiry or withdrawal that closed a review, unless it was taken back."""
    closing = verdict.c.verdict.in_(("approve", "edit", "answer", "cannot_tell", "reject", "expired", "withdrawn"))
    query = select(*_LOG).where(verdict.c.review_id == review_id, closing, verdict.c.undone_at.is_(None))
    row = reader.execute(query.order_by(verdict.c.id.desc()).limit(1)).first()
    return _as_log(row) if row else None
