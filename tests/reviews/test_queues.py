"""Pages, search and counts show exactly what is there, in order, whoever asks."""

from __future__ import annotations

import base64
import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from fairlead import reviews
from fairlead.errors import ForbiddenError, InputError, TooLargeError
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.reviews import QueueFilter, Verb, View
from fairlead.reviews.store import fold_tallies
from fairlead.reviews.tables import review, tally
from tests.reviews.world import ANN, BOB, Desk, person


def _crowd(desk: Desk) -> dict[str, tuple[int, int, str]]:
    """60 reviews by id with what decides their order: priority, when, and the role."""
    dice = random.Random(3)
    made = {}
    for turn in range(20):
        desk.clock.advance(timedelta(seconds=1))
        for role in ("sales", "finance", "legal"):
            priority = dice.choice((10, 50, 90))
            (one,) = desk.open(role=role, priority=priority)
            made[one] = (-priority, turn, role)
    return made


@pytest.mark.parametrize("limit", [1, 7, 60, 200])
def test_pages_hold_every_review_once_by_priority_then_age(desk: Desk, limit: int) -> None:
    """Across roles and whatever the page size; the last page has no cursor."""
    made = _crowd(desk)
    seen: list[str] = []
    cursor = None
    with desk.database.reading() as reader:
        while True:
            found = reviews.page(reader, QueueFilter(), after=cursor, limit=limit)
            seen += [one.id for one in found.items]
            cursor = found.cursor
            if cursor is None:
                break
    assert sorted(made, key=lambda one: (*made[one][:2], one)) == seen


def test_a_page_shows_the_asked_roles_only(desk: Desk) -> None:
    """Who lacks a role does not see its reviews; no roles, no reviews."""
    made = _crowd(desk)
    legal = [one for one, (_, _, role) in made.items() if role == "legal"]
    assert set(legal) == set(desk.page(QueueFilter(roles=("legal",))))
    assert desk.page(QueueFilter(roles=())) == []
    assert desk.page(QueueFilter(roles=("nobody",))) == []


def test_a_page_moves_on_behind_what_was_decided_meanwhile(desk: Desk) -> None:
    """A keyset cursor skips and repeats nothing when earlier reviews leave the queue."""
    ids = desk.open(6)
    with desk.database.reading() as reader:
        first = reviews.page(reader, QueueFilter(), limit=3)
    for one in first.items:
        desk.claim(one.id)
        desk.decide(one.id, Verb.APPROVE)
    assert sorted(ids)[3:] == desk.page(after=first.cursor)


def test_each_view_shows_its_part(desk: Desk) -> None:
    """Claimed, passed on, valued, unclaimed."""
    plain, held, passed, dear = (desk.open(value_minor=value)[0] for value in (None, 100, 200, 900_000))
    desk.claim(held)
    desk.claim(passed)
    desk.decide(passed, Verb.ESCALATE, reason="knows them", to_person=BOB.id)
    assert {plain, held, passed, dear} == set(desk.page())
    assert [held] == desk.page(QueueFilter(View.MINE, person=ANN.id))
    assert [passed] == desk.page(QueueFilter(View.MINE, person=BOB.id))
    assert {plain, passed, dear} == set(desk.page(QueueFilter(View.UNCLAIMED)))
    assert [dear, passed] == desk.page(QueueFilter(View.HIGH_VALUE, min_value_minor=200))
    assert desk.page(QueueFilter(checkpoint="refund")) == []


def test_search_finds_by_how_a_title_begins_and_by_customer(desk: Desk) -> None:
    """Upper or lower case, any script; percent signs and underscores are letters like others."""
    titles = ("Zürich GmbH", "ZÜRICH AG", "Zug AG", "100% match", "1000 leads", "a_b", "axb", "日本の客")
    made = {title: desk.open(title=title, customer_id=f"cus_{title}")[0] for title in titles}
    with desk.database.reading() as reader:

        def found(words: str) -> set[str]:
            ids = {one.id for one in reviews.search(reader, words).items}
            return {title for title, one in made.items() if one in ids}

        assert found("züri") == {"Zürich GmbH", "ZÜRICH AG"}
        assert found("  ZÜRICH   ag ") == {"ZÜRICH AG"}
        assert found("100%") == {"100% match"}
        assert found("a_") == {"a_b"}
        assert found("日本") == {"日本の客"}
        assert found("ürich") == set()
        first = reviews.search(reader, "z", limit=2)
        rest = reviews.search(reader, "z", limit=2, after=first.cursor)
        assert ["Zug AG", "ZÜRICH AG", "Zürich GmbH"] == [one.title for one in [*first.items, *rest.items]]
        ids = [f"cus_{title}" for title in ("a_b", "axb")]
        assert {made["a_b"], made["axb"]} == {one.id for one in reviews.search_customers(reader, ids).items}
        assert not reviews.search_customers(reader, ids, roles=("legal",)).items
        assert not reviews.search(reader, "z", roles=("legal",)).items


def test_hostile_input_to_the_queue_is_a_clear_refusal(desk: Desk) -> None:
    """Made-up cursors, empty searches, endless pages, too many customers, filters no index serves."""
    desk.open(3)
    wrong = [
        b"[]",
        b"[1]",
        b'["x","rev_1"]',
        b"[true,null]",
        b'[1e400,"a"]',
        b"\xff",
        b"[" * 400,
        b'[9,"%s"]' % (b"r" * 9),
    ]
    cursors = ["", "!", "A" * 2000, "é", *(base64.urlsafe_b64encode(one).decode() for one in wrong)]
    huge = base64.urlsafe_b64encode(b'[99999999999999999999,"rev_%s"]' % (b"0" * 24)).decode()
    with desk.database.reading() as reader:
        for cursor in [*cursors, huge]:
            with pytest.raises(InputError):
                reviews.page(reader, QueueFilter(), after=cursor)
        for limit in (0, -1, 201):
            with pytest.raises(InputError):
                reviews.page(reader, QueueFilter(), limit=limit)
        for words in ("", "   ", "\x00"):
            with pytest.raises(InputError):
                reviews.search(reader, words)
        with pytest.raises(TooLargeError):
            reviews.search_customers(reader, [f"cus_{n}" for n in range(51)])
        with pytest.raises(TooLargeError):
            reviews.page(reader, QueueFilter(roles=tuple(f"role{n}" for n in range(500))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"view": View.MINE},
        {"view": View.HIGH_VALUE},
        {"person": "per_1"},
        {"view": View.OVERDUE, "checkpoint": "route"},
        {"view": View.MINE, "person": "per_1", "checkpoint": "route"},
        {"min_value_minor": 5},
    ],
)
def test_a_filter_that_no_index_serves_is_refused(wrong: dict[str, object]) -> None:
    """Rather than reading a million rows."""
    with pytest.raises(InputError):
        QueueFilter(**wrong)  # type: ignore[arg-type]


def test_hostile_titles_are_stored_and_found(desk: Desk) -> None:
    """NUL, half a surrogate and 10,000 characters harm neither database nor neighbours."""
    titles = ("nul\x00l", "half \ud800 pair", "x" * 10_000)
    desk.open(1, title="neighbour")
    for title in titles:
        desk.open(title=title)
    with desk.database.reading() as reader:
        assert {"null", "half ? pair", "x" * 300, "neighbour"} == {
            one.title for one in reviews.page(reader, QueueFilter()).items
        }
        assert len(reviews.search(reader, "x" * 200).items) == 1


def test_counts_are_exact_and_survive_folding(desk: Desk) -> None:
    """What the badges say is what the views hold, before and after the sweep folds the running counts."""
    ids = desk.open(5, due_in=timedelta(minutes=1)) + desk.open(3, role="finance", needs_information=True)
    for one in ids[:3]:
        desk.claim(one)
    desk.decide(ids[0], Verb.APPROVE)
    desk.decide(ids[1], Verb.ESCALATE, reason="money", to_role="finance")
    desk.decide(ids[2], Verb.REQUEST_INFO, reason="which?")
    with desk.transaction() as uow:
        reviews.snooze(uow, ids[3], ANN, uow.now + timedelta(hours=1))
    desk.claim(ids[5], person("Fay", "finance"))
    desk.clock.advance(timedelta(minutes=1))

    def told() -> dict[str, str]:
        with desk.database.reading() as reader:
            found = reviews.counts(reader, person=ANN.id, min_value_minor=1)
        return {view.value: str(count) for view, count in found.items()}

    desk.sweep()
    expected = {
        "open": "5", "unclaimed": "4", "snoozed": "1", "overdue": "3", "needs_information": "4", "mine": "0",
        "high_value": "0", "labels": "0",
    }  # fmt: skip
    assert expected == told()
    with desk.transaction() as uow:
        while fold_tallies(uow, 1000):
            pass
        rows = uow.execute(select(func.count()).select_from(tally)).scalar_one()
        uow.record(AuditEntry("test.folded", "reviews"))
    assert expected == told()
    assert rows <= 12
    with desk.database.reading() as reader:
        assert 3 == reviews.counts(reader, roles=("finance",))[View.UNCLAIMED].number


def test_a_count_that_stops_says_so() -> None:
    """`1,000+` is a lower bound; without the plus it is exact."""
    assert ["1,000+", "12,345"] == [str(reviews.Count(1000, True)), str(reviews.Count(12345, False))]


def test_claim_next_walks_the_queue_in_order(desk: Desk) -> None:
    """Highest rank first over all of a person's roles; narrowed by role and checkpoint; then nothing."""
    made = _crowd(desk)
    both = person("Dee", "sales", "legal")
    mine = sorted((one for one in made if made[one][2] != "finance"), key=lambda one: (*made[one][:2], one))
    for expected in mine[:5]:
        claim = desk.claim_next(both)
        assert claim is not None
        assert expected == claim.review.id
    assert desk.claim_next(both, checkpoint="refund") is None
    legal = desk.claim_next(both, role="legal")
    assert legal is not None
    assert legal.review.role == "legal"
    with pytest.raises(ForbiddenError):
        desk.claim_next(both, role="finance")


def test_claim_next_is_not_held_up_by_a_busy_customer(desk: Desk) -> None:
    """Behind 120 reviews of a customer whom somebody else is serving, the next customer's is found."""
    crowd = desk.open(120, customer_id="cus_1", priority=90)
    (other,) = desk.open(customer_id="cus_2", priority=10)
    desk.claim(crowd[60], ANN)
    found = desk.claim_next(BOB)
    assert found is not None
    assert other == found.review.id


def test_claim_next_leaves_out_what_one_has_voted_on(desk: Desk) -> None:
    """The second vote is somebody else's."""
    (one,) = desk.open(quorum=2)
    desk.claim(one)
    desk.decide(one, Verb.APPROVE)
    assert desk.claim_next(ANN) is None
    found = desk.claim_next(BOB)
    assert found is not None


def test_opening_nothing_and_opening_many(desk: Desk) -> None:
    """Hundreds in one transaction, ids in order, each waiting and free."""
    with desk.database.reading() as reader:
        assert reviews.tallies(reader) == {}
    ids = desk.open(300)
    assert sorted(ids) == ids
    with desk.database.reading() as reader:
        assert reviews.tallies(reader) == {("route", "sales", "free"): 300}
        assert 300 == reader.execute(select(func.count()).select_from(review)).scalar_one()
