"""Which word counts, against a plain reading of the rule: the newest that covers it, questions aside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from fairlead.customers.consents import Notices, Said, covers, standing_for, standings_of
from fairlead.customers.joining import Edge

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=100)
NONE = Notices({}, {})
KEYS = [("news", "email"), ("news", "sms"), ("sales", "email")]
WIDE = [("*", "*"), ("news", "*"), ("*", "email")]


@st.composite
def words(draw: st.DrawFn, who: str = "a") -> list[Said]:
    """Up to twelve words of one record, of which only withdrawals cover more than one pair."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        state = draw(st.sampled_from(["given", "withdrawn", "pending"]))
        key = draw(st.sampled_from(KEYS + WIDE if state == "withdrawn" else KEYS))
        at = START + timedelta(days=draw(st.integers(0, 99)))
        ends = draw(st.one_of(st.none(), st.integers(1, 200))) if state == "given" else None
        expires_at = at + timedelta(days=ends) if ends else None
        found.append(Said(at, f"{who}{number:02}", who, *key, state, "form", "site", expires_at, None))
    return found


def plainly(said: list[Said], key: tuple[str, str]) -> str | None:
    """The rule as it is told to people."""
    answer: tuple[str, datetime | None] | None = None
    for one in sorted(said, key=lambda one: (one.at, one.id)):
        if not covers((one.purpose, one.channel), key):
            continue
        stands = answer is not None and answer[0] == "given" and (answer[1] is None or answer[1] > NOW)
        if one.state != "pending" or not stands:
            answer = (one.state, one.expires_at)
    if answer is None:
        return None
    over = answer[0] == "given" and answer[1] is not None and answer[1] <= NOW
    return "expired" if over else answer[0]


def states(said: list[Said], edges: list[Edge] | None = None) -> dict[tuple[str, str], str | None]:
    """What counts for every pair."""
    found = standings_of("a", said, edges or [], NOW, NONE)
    return {key: one.state if (one := standing_for(found, *key)) else None for key in KEYS}


@given(words(), st.randoms())
def test_the_newest_word_that_covers_it_counts(said: list[Said], shuffled: object) -> None:
    """As the plain reading has it, in whatever order the rows come."""
    expected = {key: plainly(said, key) for key in KEYS}
    assert states(said) == expected
    mixed = list(said)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    assert states(mixed) == expected


@given(words())
def test_a_withdrawal_of_everything_leaves_nothing(said: list[Said]) -> None:
    """Said last, it counts for every pair, whatever had been said."""
    last = Said(NOW, "z", "a", "*", "*", "withdrawn", "call", "desk", None, None)
    assert set(states([*said, last]).values()) == {"withdrawn"}


@given(words(), words("b"), st.integers(0, 99))
def test_a_merge_never_allows_more(mine: list[Said], theirs: list[Said], day: int) -> None:
    """Right after a merge nothing is allowed that either record had withdrawn at that moment."""
    at = START + timedelta(days=day)
    mine, theirs = [one for one in mine if one.at <= at], [one for one in theirs if one.at <= at]
    together = states([*mine, *theirs], [Edge(at, "b", "a")])
    for key in KEYS:
        if "withdrawn" in (plainly(mine, key), plainly(theirs, key)):
            assert together[key] == "withdrawn"
        if together[key] == "given":
            assert "given" in (plainly(mine, key), plainly(theirs, key))
