"""The next review for somebody: what was passed to them, else the first that is free."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    select,
    tuple_,
)

from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.reviews import binding
from fairlead.reviews.model import Bucket, Kind, Review, Reviewer, State
from fairlead.reviews.store import COLUMNS, DECIDES, as_review
from fairlead.reviews.streams import (
    IS_OPEN,
)
from fairlead.reviews.tables import review, verdict


def next_assigned(reader: Reader, person: str) -> Review | None:
    """The first waiting review that was passed to this person; None when there is none."""
    mine = (IS_OPEN, review.c.assignee == person, review.c.shelf == Bucket.ASSIGNED)
    row = reader.execute(select(*COLUMNS).where(*mine).order_by(review.c.rank, review.c.id).limit(1)).first()
    return as_review(row) if row else None


def next_free(
    uow: UnitOfWork, role: str, reviewer: Reviewer, *, after: tuple[int, str] | None, checkpoint: str | None
) -> tuple[int, Review] | None:
    """The first free review of the role behind `after` that this person may take, with its rank.

    Left out are customers somebody else is busy with and reviews this person has voted on. On Postgres the
    row comes locked, and rows that others are just taking are passed over.
    """
    c = review.c
    query = select(c.rank, *COLUMNS).where(IS_OPEN, c.role == role, c.shelf == Bucket.FREE)
    query = query.where(~_busy(reviewer, uow.now), ~_voted(reviewer))
    if checkpoint is not None:
        query = query.where(c.checkpoint == checkpoint)
    if after is not None:
        query = query.where(tuple_(c.rank, c.id) > tuple_(*after))
    query = query.order_by(c.rank, c.id).limit(1)
    if uow.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True, of=review)
    row = uow.execute(query).first()
    return (row[0], as_review(row[1:])) if row else None


# Counted per candidate, not joined: the planner then looks each candidate up by its index and can never
# choose to read every claim or every verdict first.
def _busy(reviewer: Reviewer, now: datetime) -> ColumnElement[bool]:
    other = review.alias("other").c
    held = (other.state == State.CLAIMED, other.claimed_by != reviewer.id, other.claimed_until > now)
    live = other.kind == Kind.DECISION.value
    found = select(func.count(other.id)).where(other.customer_id == review.c.customer_id, *held, live)
    return and_(found.correlate(review).scalar_subquery() > 0, DECIDES)


def _voted(reviewer: Reviewer) -> ColumnElement[bool]:
    c = verdict.c
    same = [
        func.substr(c.digest, start, length) == func.substr(review.c.digest, start, length)
        for start, length in ((1, binding.MATTER_CHARS), (binding.TERMS_FROM, binding.MAX_DIGEST_CHARS))
    ]
    given = (c.verdict.in_(("approve", "edit", "answer")), c.undone_at.is_(None))
    mine = (c.review_id == review.c.id, c.actor == str(reviewer.actor))
    found = select(func.count(c.id)).where(*mine, *given, *same)
    return found.correlate(review).scalar_subquery() > 0
