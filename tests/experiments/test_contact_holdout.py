"""The contact holdout through the gate: drawn once, kept for good, counted with what it kept back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail
from fairlead.customers import erase_customer, merge
from fairlead.errors import InputError, NotFoundError
from fairlead.experiments import HELD_OUT, HOLDOUT, Verdict, draws_of, experiments, held_out
from fairlead.insight import report_of, reports
from fairlead.kit.database import Database
from tests.guardrails.desk import RULES, USER, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

HALF = RULES + "holdout: {share: 0.5}\n"


@pytest.fixture
def desk(database_url: str, clock: FakeClock) -> Iterator[Desk]:
    """On both databases, with half of all customers held out."""
    database = Database(database_url, clock=clock, trail=Trail())
    one = Desk(database)
    one.deploy(HALF)
    yield one
    database.close()


def people(desk: Desk, count: int, start: int = 0) -> list[str]:
    """That many customers, each asked for a promotion."""
    made = [desk.customer(f"p{n}@example.test") for n in range(start, start + count)]
    for one in made:
        desk.ask(f"first {one}", one)
    return made


def out(desk: Desk, some: list[str]) -> set[str]:
    """Who of them is held out now."""
    return {one for one in some if desk.would(one).code == "holdout"}


def test_a_draw_outlives_every_later_share(desk: Desk) -> None:
    """Raised, lowered, or taken away and brought back: who was drawn stays on their side; new ones get the new share.

    Without a holdout in the rules nobody is held out, and nobody is drawn.
    """
    first = people(desk, 40)
    held = out(desk, first)
    assert 8 <= len(held) <= 32
    for share in ("0.01", "0.49"):
        desk.deploy(RULES + f"holdout: {{share: {share}}}\n")
        assert out(desk, first) == held
    desk.deploy(RULES)
    assert out(desk, first) == set()
    people(desk, 3, start=100)
    desk.deploy(HALF)
    assert out(desk, first) == held
    with desk.database.reading() as reader:
        stored = draws_of(reader, HOLDOUT, first)
        assert {key for key, one in stored.items() if one.arm == HELD_OUT} == held
        assert {one.probability for one in stored.values()} == {0.5}
        assert experiments(reader)[0].n == 40


def test_a_dry_run_draws_nobody_and_tells_the_truth(desk: Desk) -> None:
    """What it says of a customer who was never drawn is what the gate then does."""
    people(desk, 1, start=500)
    some = [desk.customer(f"d{n}@example.test") for n in range(12)]
    said = out(desk, some)
    with desk.database.reading() as reader:
        assert draws_of(reader, HOLDOUT, some) == {}
    assert {one for one in some if desk.ask(f"real {one}", one).code == "holdout"} == said


def test_a_merged_family_is_held_out_when_any_of_it_is(desk: Desk) -> None:
    """Whichever record survives, and each has its own draw again in the figures."""
    some = people(desk, 30)
    held = out(desk, some)
    free, kept = sorted(set(some) - held)[:2], sorted(held)[:2]
    for survivor, other in ((free[0], kept[0]), (kept[1], free[1])):
        with desk.database.transaction() as uow:
            merge(uow, USER, survivor, other, reason="one person")
        assert desk.would(survivor).code == "holdout"
        assert desk.ask(f"merged {survivor}", survivor).code == "holdout"
    with desk.database.reading() as reader:
        assert experiments(reader)[0].n == 30


def test_the_report_counts_who_and_what_was_kept_back(desk: Desk, clock: FakeClock) -> None:
    """A message asked for twice is one, other reasons are none, and only the last days count."""
    some = people(desk, 30)
    held = sorted(out(desk, some))
    desk.ask(f"first {held[0]}", held[0])
    desk.ask("second", held[0])
    desk.ask("order", held[1], "service")
    with desk.database.reading() as reader:
        report = report_of(reader, HOLDOUT, clock.now())
        assert report.unsent is not None
        assert (report.unsent.messages, report.unsent.customers) == (len(held) + 1, len(held))
        assert [tuple(one) for one in report.unsent.purposes] == [("sales", len(held) + 1, len(held))]
        assert {one.name: one.n for one in report.figures.arms} == {HELD_OUT: len(held), "written_to": 30 - len(held)}
        assert report.share_now == 0.5
        assert report.figures.check.verdict is Verdict.FITS
    clock.advance(timedelta(days=8))
    with desk.database.reading() as reader:
        later = report_of(reader, HOLDOUT, clock.now(), 7)
        assert later.unsent is not None
        assert (later.unsent.messages, later.figures.n) == (0, 30)


def test_a_holdout_without_anybody_yet_is_told(desk: Desk, clock: FakeClock) -> None:
    """Declared and not begun: shares without counts; not declared: no such experiment; no span without an end."""
    with desk.database.reading() as reader:
        only = reports(reader, clock.now())
        assert [(one.figures.name, one.figures.n, one.share_now) for one in only] == [(HOLDOUT, 0, 0.5)]
        for days in (0, -1, 10**9):
            with pytest.raises(InputError):
                report_of(reader, HOLDOUT, clock.now(), days)
    desk.deploy(RULES)
    with desk.database.reading() as reader:
        assert reports(reader, clock.now()) == []
        for name in (HOLDOUT, "", "'", "x" * 500):
            with pytest.raises(NotFoundError):
                report_of(reader, name, clock.now())


def test_a_share_too_small_to_draw_holds_out_nobody(desk: Desk) -> None:
    """The gate goes on with a share of one in a billion, which is nobody."""
    desk.deploy(RULES + "holdout: {share: 0.000000001}\n")
    assert out(desk, people(desk, 3)) == set()
    with desk.database.reading() as reader:
        assert held_out(reader, ["cus_1"], 1e-9) == frozenset()
        assert held_out(reader, [], 0.5) == frozenset()


def test_erased_customers_and_strangers_are_asked_without_harm(desk: Desk) -> None:
    """An erased customer is refused as erased, their draw stays in the counts; an address of nobody is never drawn."""
    some = people(desk, 4)
    fresh = desk.customer("late@example.test")
    with desk.database.transaction() as uow:
        erase_customer(uow, USER, some[0], reason="asked for")
        erase_customer(uow, USER, fresh, reason="asked for")
    for one in (some[0], fresh):
        assert desk.ask(f"gone {one}", one, address="p0@example.test", channel="chat").code == "erased"
    desk.ask("stranger", None, address="nobody@example.test")
    with desk.database.reading() as reader:
        assert experiments(reader)[0].n == 5
