"""Fair shares: exact, bounded, and never upset by who comes and goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings, strategies as st

from fairlead.sales.routing import fair


@dataclass
class Team:
    """Members by weight in thousandths; who is out takes nothing."""

    weights: dict[str, int]
    out: set[str] = field(default_factory=set)
    owed: dict[str, int] = field(default_factory=dict)
    due: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    def lead(self, skilled: set[str] | None = None) -> str | None:
        """One lead arrives; only `skilled` could take it, None: everybody."""
        self.owed = fair.settle(self.owed, self.weights)
        able = {
            one: w for one, w in self.weights.items() if w and one not in self.out and (not skilled or one in skilled)
        }
        if not able:
            return None
        parts = fair.parts(able)
        winner = fair.turn(self.owed, parts)
        fair.take(self.owed, parts, winner)
        self.due.update(parts)
        self.taken[winner] += 1
        return winner

    def run(self, count: int) -> Counter[str]:
        """What `count` leads give to whom."""
        return Counter(filter(None, (self.lead() for _ in range(count))))


weights = st.lists(st.integers(1, 5_000), min_size=1, max_size=8)
changes = st.lists(
    st.tuples(
        st.sampled_from(["leads", "skill", "leads", "away", "back", "join", "leave", "weigh"]),
        st.integers(0, 9), st.integers(1, 3_000),
    ),
    max_size=80,
)  # fmt: skip


@settings(max_examples=150)
@given(weights, changes)
def test_nobody_is_ever_far_from_what_they_were_due(start: list[int], happens: list[tuple[str, int, int]]) -> None:
    """Through absences, joining, leaving and new weights, credits sum up to 0 and stay within the team's size.

    What somebody got differs from what they were due, of the leads they could take, by less than the most that
    were ever in the team, plus what leavers passed on.
    """
    team = Team({f"p{number}": weight for number, weight in enumerate(start)})
    most, left, names = len(start), 0, len(start)
    for what, number, weight in happens:
        one = f"p{number}"
        if what == "leads":
            team.run(weight % 7)
        elif what == "skill":
            team.lead({one, "p0"})
        elif what == "away":
            team.out.add(one)
        elif what == "back":
            team.out.discard(one)
        elif what == "join":
            team.weights[f"p{names}"] = weight
            names += 1
        elif what == "leave" and len(team.weights) > 1:
            left += team.weights.pop(one, None) is not None
        elif what == "weigh" and one in team.weights:
            team.weights[one] = weight
        most = max(most, len(team.weights))
        team.owed = fair.settle(team.owed, team.weights)
        assert sum(team.owed.values()) == 0
        assert all(abs(credit) < most * fair.UNIT for credit in team.owed.values())
    for one in team.weights:
        assert abs(team.due[one] - team.taken[one] * fair.UNIT) < (most + left) * fair.UNIT


@settings(max_examples=60)
@given(weights, st.integers(0, 400))
def test_with_the_same_people_shares_are_exact_to_a_lead_or_two(given_weights: list[int], count: int) -> None:
    """At every moment, not only in the end: nobody is a lead ahead, and few are two behind."""
    team = Team({f"p{number}": weight for number, weight in enumerate(given_weights)})
    total = sum(given_weights)
    for number in range(1, count + 1):
        team.lead()
        for one, weight in team.weights.items():
            off = team.taken[one] - number * weight / total
            assert -2 < off < 1.01


@given(st.permutations([f"p{n}" for n in range(6)]), st.integers(1, 100))
def test_the_order_in_which_members_are_listed_changes_nothing(order: list[str], count: int) -> None:
    """Ids decide ties, lists never do."""
    plain = {f"p{n}": 1_000 + n % 3 * 500 for n in range(6)}
    assert Team({one: plain[one] for one in order}).run(count) == Team(plain).run(count)


def test_who_comes_back_from_leave_gets_no_flood() -> None:
    """Two weeks away, then the same third as everybody else."""
    team = Team({"a": 1_000, "b": 1_000, "c": 1_000}, out={"c"})
    assert team.run(200) == {"a": 100, "b": 100}
    team.out.clear()
    assert team.run(30) == {"a": 10, "b": 10, "c": 10}


def test_who_joins_gets_no_flood_and_the_others_keep_their_place() -> None:
    """The list of owners changes in mid-round; the round goes on."""
    team = Team({"a": 1_000, "b": 1_000, "c": 1_000})
    assert [team.lead() for _ in range(4)] == ["a", "b", "c", "a"]
    team.weights["d"] = 1_000
    assert team.lead() in {"b", "c", "d"}
    assert team.run(80)["d"] in {20, 21}


def test_another_weight_counts_from_now_on() -> None:
    """Nothing is made up for the time before."""
    team = Team({"a": 1_000, "b": 1_000})
    team.run(100)
    team.weights["a"] = 3_000
    assert team.run(40) == {"a": 30, "b": 10}


def test_who_leaves_takes_no_share_along() -> None:
    """What they were owed or ahead is spread over all, so that nobody gains a place by it."""
    assert fair.settle({"a": 300, "b": -200, "gone": -100}, ["a", "b"]) == {"a": 250, "b": -250}
    assert fair.settle({"a": -7, "b": 0, "c": 7}, ["a", "b", "c"]) == {"a": -7, "b": 0, "c": 7}
    assert fair.settle({"gone": 5}, []) == {}


def test_a_lead_given_back_never_was() -> None:
    """After a misroute the books are what they were, to the last billionth."""
    owed = {"a": 5, "b": -5, "c": 0}
    parts = fair.parts({"a": 1, "b": 1, "c": 1})
    after = dict(owed)
    fair.take(after, parts, "b")
    fair.give_back(after, parts, "b")
    assert after == owed


def test_a_lead_that_only_one_could_take_costs_them_no_turn() -> None:
    """The only one who speaks French keeps her place in the round."""
    team = Team({"a": 1_000, "b": 1_000})
    team.lead()
    for _ in range(10):
        team.lead({"b"})
    assert team.lead() == "b"
