"""What a comparison says: intervals by the books, a fixed horizon, false alarms, and draws that went wrong."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.experiments import Arm, Experiment, arm_of
from fairlead.insight import ArmOutcome, Comparison, Counted, Question, State, compare, difference
from fairlead.kit.intervals import Z95, wilson

BEGAN = datetime(2027, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
LATE = BEGAN + timedelta(days=3_650)
HALVES = (("old", 0.5), ("new", 0.5))


def question(per_arm: int, arms: tuple[tuple[str, float], ...] = HALVES, *, over: bool = False) -> Question:
    """With a week for the outcome."""
    return Question(1, arms, per_arm, WEEK, over)


def person(number: int, arm: str, *, hit: bool = False) -> Counted:
    """Drawn that many hours after the beginning."""
    return Counted(f"cus_{number:06}", arm, BEGAN + timedelta(hours=number), hit)


def outcome(name: str, hits: int, n: int) -> ArmOutcome:
    """An arm."""
    return ArmOutcome(name, n, hits, hits / n, *wilson(hits, n))


@pytest.mark.parametrize(
    ("other", "first", "low", "high"),
    [  # Newcombe (1998), Statistics in Medicine 17, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_differences_are_those_of_the_paper(
    other: tuple[int, int], first: tuple[int, int], low: float, high: float
) -> None:
    """To four digits."""
    found = difference(outcome("old", *first), outcome("new", *other), Z95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_nothing_is_told_before_every_arm_is_full_and_ripe() -> None:
    """Waiting while customers lack or have time left, then read, then unchanged by whoever comes later."""
    people = [person(n, "new" if n % 2 else "old", hit=n % 4 == 1) for n in range(60)]
    early = compare(question(31), people, LATE)
    assert (early.state, early.differences, early.arms[0].n) == (State.WAITING, (), 30)
    assert "old has 30 of the 31" in early.words
    ripe = people[39].at + WEEK
    assert compare(question(20), people, ripe - timedelta(microseconds=1)).state is State.WAITING
    read = compare(question(20), people, ripe)
    assert read.state is State.READ
    assert [(arm.name, arm.n, arm.hits) for arm in read.arms] == [("old", 20, 0), ("new", 20, 10)]
    assert read.differences[0].clear
    assert (read.open, read.later) == (20, 0)
    later = compare(question(20), people, LATE)
    assert (later.arms, later.differences, later.later) == (read.arms, read.differences, 20)


def test_an_experiment_that_ended_short_has_no_result() -> None:
    """Whatever the rates are; while somebody has time left it still waits."""
    people = [person(n, "new" if n % 2 else "old", hit=bool(n % 2)) for n in range(38)]
    asked = question(20, over=True)
    assert compare(asked, people, people[-1].at).state is State.WAITING
    found = compare(asked, people, LATE)
    assert (found.state, found.differences) == (State.OVER, ())
    assert found.words.startswith("No result")
    nobody = compare(asked, [], LATE)
    assert (nobody.state, nobody.arms[0].rate) == (State.OVER, None)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=80), st.integers(1, 12), st.integers(0, 40))
def test_the_reading_never_changes_once_it_is_there(drawn: list[tuple[bool, bool]], per_arm: int, hours: int) -> None:
    """However often one looks, and whatever comes later: whoever is read hangs on the draws alone."""
    people = [person(n, "new" if new else "old", hit=hit) for n, (new, hit) in enumerate(drawn)]
    asked = question(per_arm)
    first: Comparison | None = None
    for now in (BEGAN + WEEK + timedelta(hours=hours + 20 * turn) for turn in range(4)):
        found = compare(asked, [one for one in people if one.at <= now], now)
        if found.state is State.ALARM:
            return
        if first is not None:
            assert (found.state, found.arms, found.differences) == (State.READ, first.arms, first.differences)
        first = first or (found if found.state is State.READ else None)
        flipped = [one._replace(hit=not one.hit) for one in people if one.at <= now]
        other = compare(asked, flipped, now)
        assert (other.state, [arm.n for arm in other.arms]) == (found.state, [arm.n for arm in found.arms])


@pytest.mark.parametrize(("arms", "rate"), [(2, 0.1), (2, 0.5), (4, 0.2)])
def test_equal_arms_are_seldom_told_apart(arms: int, rate: float) -> None:
    """A/A, looked at after every tenth customer: told apart in at most 5 % of 400 experiments, within chance.

    37 is what 400 experiments with a true rate of 5 % pass in fewer than one of a thousand seeds.
    """
    names = tuple(f"a{n}" for n in range(arms))
    asked = question(50, tuple((name, 1 / arms) for name in names))
    rng = random.Random(f"{arms} {rate}")
    wrong = 0
    for _ in range(400):
        people = [person(n, rng.choice(names), hit=rng.random() < rate) for n in range(50 * arms + 60)]
        looks = [compare(asked, people[:some], LATE) for some in range(50 * arms, len(people) + 1, 10)]
        wrong += any(one.clear for look in looks for one in look.differences)
    assert wrong <= 37


def test_a_real_difference_is_seen() -> None:
    """20 % against 40 % at 200 each: in at least 95 of 100 experiments, and never the wrong way."""
    rng = random.Random(7)
    seen = 0
    for _ in range(100):
        people = [
            person(n, arm, hit=rng.random() < (0.4 if arm == "new" else 0.2))
            for n, arm in enumerate(rng.choices(("old", "new"), k=500))
        ]
        [one] = compare(question(200), people, LATE).differences
        assert one.high > 0
        seen += one.clear
    assert seen >= 95


def test_a_drawer_that_favours_an_arm_is_caught() -> None:
    """Half the units of one arm lost after the draw: the alarm, and no comparison however clear it would be."""
    plan, seed = Experiment("mail", (Arm("old", 0.5), Arm("new", 0.5))), bytes(range(32))
    whole = [person(n, arm_of(plan, seed, f"cus_{n}").name, hit=n % 3 == 0) for n in range(600)]
    kept = [one for n, one in enumerate(whole) if one.arm == "old" or n % 2]
    assert compare(question(100), whole, LATE).state is State.READ
    found = compare(question(100), kept, LATE)
    assert (found.state, found.differences) == (State.ALARM, ())
    assert "not as they were drawn" in found.words


def test_many_arms_share_the_error() -> None:
    """With three differences each is told at 98.33 %, so that together they err in at most one of twenty."""
    names = ("a", "b", "c", "d")
    people = [person(n, names[n % 4], hit=n % 8 == 1) for n in range(400)]
    found = compare(question(100, tuple((name, 0.25) for name in names)), people, LATE)
    assert found.level == pytest.approx(1 - 0.05 / 3)
    assert [one.arm for one in found.differences] == ["b", "c", "d"]
    lone = difference(found.arms[0], found.arms[1], Z95)
    assert found.differences[0].low < lone.low < lone.high < found.differences[0].high
