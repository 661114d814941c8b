"""Every request of the queue is served by an index, on both databases, whatever the number of reviews."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from fairlead import reviews
from fairlead.audit import Trail
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.reviews import QueueFilter, Reviewer, View
from fairlead.reviews.tables import verdict
from fairlead.testing.clock import FakeClock
from tests.reviews.world import ANN, LEASE, Decisions, Desk

ROWS = 20_000
ROLES = ("sales", "support", "finance")
Request = Callable[[Desk], Any]


def _page(**wanted: Any) -> Request:
    def first_and_next(desk: Desk) -> None:
        with desk.database.reading() as reader:
            found = reviews.page(reader, QueueFilter(**wanted), limit=20)
            if found.cursor:
                reviews.page(reader, QueueFilter(**wanted), after=found.cursor, limit=20)

    return first_and_next


def _read(call: Callable[[Any], Any]) -> Request:
    def request(desk: Desk) -> None:
        with desk.database.reading() as reader:
            call(reader)

    return request


def _write(call: Callable[[Any], Any]) -> Request:
    def request(desk: Desk) -> None:
        with desk.transaction() as uow:
            uow.record(AuditEntry("test.ran", "reviews"))
            call(uow)

    return request


ALL_ROLES = Reviewer("per_all", frozenset(ROLES), "All")
REQUESTS: dict[str, Request] = {
    "default page": _page(),
    "some roles": _page(roles=("sales", "finance")),
    "one checkpoint": _page(checkpoint="route", roles=("sales",)),
    "mine": _page(view=View.MINE, person=ANN.id),
    "unclaimed": _page(view=View.UNCLAIMED),
    "high value": _page(view=View.HIGH_VALUE, min_value_minor=500_000),
    "overdue": _page(view=View.OVERDUE),
    "needs information": _page(view=View.NEEDS_INFORMATION),
    "snoozed": _page(view=View.SNOOZED),
    "search by title": _read(lambda reader: reviews.search(reader, "lead 12")),
    "search by customer": _read(lambda reader: reviews.search_customers(reader, ["cus_1", "cus_2"])),
    "counts": _read(lambda reader: reviews.counts(reader, person=ANN.id, min_value_minor=500_000)),
    "next due": _read(reviews.next_due),
    "claim next": _write(lambda uow: reviews.claim_next(uow, ALL_ROLES, LEASE)),
    "claim next of a checkpoint": _write(lambda uow: reviews.claim_next(uow, ALL_ROLES, LEASE, checkpoint="refund")),
    "sweep": _write(lambda uow: reviews.sweep(uow, 50, settlement=Decisions())),
    "withdraw": _write(lambda uow: reviews.withdraw_for_case(uow, "case_7", SYSTEM, "opted out")),
}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """20,000 open reviews of three roles, analysed on Postgres; the tests look, or write a row or two."""
    from fairlead.schema import create_schema  # noqa: PLC0415  imports every feature

    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'crowded.db'}"
    else:
        url = request.getfixturevalue("postgres_server").create_database("crowded_reviews")
    create_schema(url)
    clock = FakeClock()
    desk = Desk(Database(url, clock=clock, trail=Trail()), clock)
    _crowd(desk)
    yield desk
    desk.database.close()


def _crowd(desk: Desk) -> None:
    (first,) = desk.open()
    ruling = desk.get(first).ruling_id
    with desk.transaction() as uow:
        drafts = [
            reviews.ReviewDraft(
                ruling_id=ruling, checkpoint=("route", "refund")[n % 2], path="assist", title=f"Lead {n}",
                segment="other", role=ROLES[n % 3], proposal_digest=f"{n:064x}", facts_digest=f"{n:064x}",
                needs_information=n % 20 == 0, priority=n % 101, case_id=f"case_{n}",
                customer_id=f"cus_{n % 7000}", value_minor=n * 100 if n % 2 else None,
                due_at=uow.now + timedelta(minutes=n - 200), on_expiry="wait",
            )
            for n in range(ROWS)
        ]  # fmt: skip
        ids = reviews.open_many(uow, drafts)
        uow.record(AuditEntry("test.opened", "reviews"))
        reviews.expire_due(uow, uow.now, 100, settlement=Decisions())
        for one in ids[1000:1100]:
            reviews.snooze(uow, one, ALL_ROLES, uow.now + timedelta(hours=1))
        said = [(f"ver_{one}", one, "return", str(ANN.actor), "Ann", "later", "d", 1) for one in ids[:5000]]
        uow.insert_many(verdict, ("id", "review_id", "verdict", "actor", "name", "reason", "digest", "at"), said)
        reviews.claim(uow, ids[5001], Reviewer(ANN.id, frozenset(ROLES)), LEASE)
    with desk.database.raw() as connection:
        if not desk.database.is_sqlite:
            connection.execute(text("ANALYZE"))


@contextmanager
def _statements(desk: Desk) -> Iterator[list[tuple[str, Any]]]:
    """What the block sends to the database about reviews."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, sql: str, params: Any, _context: Any, _many: bool) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE)", sql) and "review" in sql:
            seen.append((sql, params))

    engine = desk.database._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _plan(desk: Desk, sql: str, params: Any) -> list[str]:
    word = "EXPLAIN QUERY PLAN " if desk.database.is_sqlite else "EXPLAIN "
    with desk.database.raw() as connection:
        rows = connection.exec_driver_sql(word + sql, params).all()
    return [str(row[-1]) for row in rows]


@pytest.mark.parametrize("name", list(REQUESTS))
def test_no_request_reads_or_sorts_all_reviews(crowded: Desk, name: str) -> None:
    """Each statement finds its reviews by an index, and where it orders them the index already did."""
    with _statements(crowded) as seen:
        REQUESTS[name](crowded)
    assert seen
    for sql, params in seen:
        plan = _plan(crowded, sql, params)
        told = "\n".join([sql, *plan])
        if crowded.database.is_sqlite:
            assert not [line for line in plan if re.search(r"\bSCAN (review|other)\b", line)], told
            assert not [line for line in plan if "TEMP B-TREE" in line and "review_tally" not in sql], told
        else:
            assert not [line for line in plan if re.search(r"Seq Scan on (review|verdict)\b( |$)", line)], told
            # The few reviews of one customer, and what is only counted, may be sorted: both are bounded.
            if "LIMIT" in sql and not re.search(r"review_tally|customer_id = %|count\(\*\)", sql):
                assert not [line for line in plan if re.search(r"\bSort\b", line)], told


def test_the_partial_indexes_hold_open_reviews_only(crowded: Desk) -> None:
    """Decided reviews cost the queue nothing: every queue index is limited to rows that are not closed."""
    sql = (
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_review_open%'"
        if crowded.database.is_sqlite
        else "SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'ix_review_open%'"
    )
    with crowded.database.raw() as connection:
        found = [row[0] for row in connection.exec_driver_sql(sql.replace("%", "%%") if "pg_" in sql else sql)]
    assert len(found) == 11
    assert all("closed_at IS NULL" in one for one in found)
