"""The rules by which pieces of knowledge about a customer become one answer, against the plainest reading of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import example, given, settings, strategies as st

from fairlead import customers
from fairlead.audit import Trail
from fairlead.customers import Preference, normalise_address, shown_address
from fairlead.customers.joining import Edge, Word, either, lent, told_together
from fairlead.customers.preferring import quieter
from fairlead.customers.zones import NOWHERE, Evidence, Learnt, strongest
from fairlead.errors import InputError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

START = datetime(2026, 1, 1, tzinfo=UTC)
USER = Actor(ActorKind.USER, "usr_1")
PLACES = ["Europe/Berlin", "Europe/Paris", "Asia/Tokyo", "America/Chicago"]


def day(number: int) -> datetime:
    """Days after the start."""
    return START + timedelta(days=number)


LEARNT = st.lists(
    st.builds(
        Learnt,
        st.integers(0, 5).map(day),
        st.sampled_from([*(one.value for one in Evidence), "horoscope"]),
        st.lists(st.sampled_from(PLACES), max_size=3, unique=True).map(tuple),
    ),
    max_size=12,
)


@given(LEARNT)
def test_the_strongest_evidence_then_the_newest(learnt: list[Learnt]) -> None:
    """The first kind in the list of kinds whose newest pieces name any zone; unknown kinds count for nothing."""
    expected: tuple[str, set[str]] = ("", set())
    for kind in Evidence:
        moments = [one.at for one in learnt if one.evidence == kind]
        zones = {zone for one in learnt if one.evidence == kind and one.at == max(moments) for zone in one.zones}
        if zones:
            expected = (kind.value, zones)
            break
    found = strongest(learnt)
    assert (found.evidence, found.zones) == (expected[0], tuple(sorted(expected[1])))
    assert (found == NOWHERE) == (not expected[1])


@given(LEARNT, st.randoms())
def test_the_order_of_arrival_does_not_matter(learnt: list[Learnt], mixed: Random) -> None:
    """Only when something was said counts, and saying it twice says no more."""
    found = strongest(learnt)
    mixed.shuffle(learnt)
    assert strongest(learnt) == found
    assert strongest([*learnt, *learnt]) == found


@given(LEARNT, st.sampled_from(PLACES))
def test_the_customers_own_word_overrules(learnt: list[Learnt], zone: str) -> None:
    """Said last it is the answer, alone; taken back, it is as if the customer had never said anything."""
    stated = Evidence.STATED.value
    found = strongest([*learnt, Learnt(day(9), stated, (zone,))])
    assert (found.zones, found.evidence) == ((zone,), stated)
    without = [one for one in learnt if one.evidence != stated]
    back = [*learnt, Learnt(day(9), stated, (zone,)), Learnt(day(10), stated, ())]
    assert strongest(back) == strongest(without)


SAID = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"]), st.integers(0, 9) | st.none()), max_size=12
)


def words_of(said: list[tuple[str, str, int | None]]) -> list[Word]:
    """Two days apart, so that a merge can stand between any two."""
    return [Word(day(2 * at), who, key, value) for at, (who, key, value) in enumerate(said)]


@given(SAID, st.randoms())
def test_without_a_merge_everybody_speaks_alone(said: list[tuple[str, str, int | None]], mixed: Random) -> None:
    """The newest word of each key, nothing where it was taken back, in whatever order the rows come."""
    words = words_of(said)
    mixed.shuffle(words)
    for who in "ab":
        newest = {key: value for one, key, value in said if one == who}
        expected = {key: value for key, value in newest.items() if value is not None}
        assert told_together(who, words, [], either) == expected


@given(SAID, SAID)
def test_after_a_merge_the_newest_word_counts_again(
    before: list[tuple[str, str, int | None]], after: list[tuple[str, str, int | None]]
) -> None:
    """Both are joined as they stood at that moment; what the survivor says then replaces what was joined."""
    later = [("a", key, value) for _, key, value in after]
    merged_at = day(2 * len(before) - 1)
    edges = [Edge(merged_at, "b", "a")]
    joined = either(told_together("a", words_of(before), [], either), told_together("b", words_of(before), [], either))
    expected = {**joined, **{key: value for _, key, value in later}}
    found = told_together("a", words_of([*before, *later]), edges, either)
    assert found == {key: value for key, value in expected.items() if value is not None}


WISHES = st.dictionaries(
    st.sampled_from([("news", "email"), ("news", "*"), ("*", "*")]),
    st.builds(
        lambda rate, pause: Preference("news", "email", rate, day(pause) if pause else None),
        st.integers(1, 1_000) | st.none(),
        st.integers(0, 9),
    ),
)


@given(WISHES, WISHES)
def test_of_two_wishes_the_quieter_counts(
    mine: dict[tuple[str, str], Preference], theirs: dict[tuple[str, str], Preference]
) -> None:
    """Never more often and never sooner than either wished, the same whichever record survives."""
    together, turned = quieter(mine, theirs), quieter(theirs, mine)
    assert together.keys() == mine.keys() | theirs.keys() == turned.keys()
    for key, one in together.items():
        assert (one.per_week, one.paused_until) == (turned[key].per_week, turned[key].paused_until)
        for wish in (mine.get(key), theirs.get(key)):
            if wish is not None and wish.per_week is not None:
                assert one.per_week is not None
                assert one.per_week <= wish.per_week
            if wish is not None and wish.paused_until is not None:
                assert one.paused_until is not None
                assert one.paused_until >= wish.paused_until
    assert quieter(mine, mine) == mine == quieter(mine, {})


COLUMNS = st.fixed_dictionaries({
    "name": st.sampled_from(["", "Ann", "Bo"]), "owner": st.sampled_from([None, "usr_1", "usr_2"]),
    "value_minor": st.integers(0, 5) | st.none(),
})  # fmt: skip


@given(COLUMNS, st.lists(COLUMNS, max_size=4))
def test_merged_records_lend_only_what_is_missing(base: dict[str, Any], others: list[dict[str, Any]]) -> None:
    """The survivor's own words stay, blanks take the first one known, the value is the largest of all."""
    found = lent(base, others)
    for name in ("name", "owner"):
        known = [one[name] for one in (base, *others) if one[name]]
        assert found[name] == (known[0] if known else base[name] if not others else found[name])
        assert bool(found[name]) == bool(known)
    values = [one["value_minor"] for one in (base, *others) if one["value_minor"] is not None]
    assert found["value_minor"] == max(values, default=None)
    assert lent(found, others) == found
    assert lent(base, []) == base


ADDRESSES = st.text("aA0 .+@-_/:;()ßäµ漢0123456789", min_size=1, max_size=24).filter(str.strip)


@settings(max_examples=200)
@example("phone", "0+00")
@given(st.sampled_from(["email", "phone", "sms", "post", "chat"]), ADDRESSES)
def test_the_form_of_an_address_is_its_own_form(channel: str, text: str) -> None:
    """Bringing it into form twice changes nothing, blanks around it do not matter, and people can be shown it."""
    try:
        once = normalise_address(channel, text)
    except InputError:
        return
    assert normalise_address(channel, once) == once
    assert normalise_address(channel, f"  {text}\t") == once
    assert shown_address(once)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Iterator[Database]:
    """One database for every example; each has addresses of its own."""
    path = tmp_path_factory.mktemp("rules") / "fairlead.db"
    path.write_bytes(_sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}", clock=FakeClock(), trail=Trail())
    yield database
    database.close()


SPELLINGS = ("{0}@example.org", " {0}@EXAMPLE.org ", "mailto:{0}@example.org")
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["suppress", "lift"]), st.sampled_from(["all", "promotional"]), st.sampled_from(SPELLINGS)
    ),
    max_size=8,
)


@settings(max_examples=25)
@example([("suppress", "promotional", SPELLINGS[0]), ("lift", "all", SPELLINGS[1])])
@example([("suppress", "all", SPELLINGS[2]), ("lift", "promotional", SPELLINGS[0])])
@given(DEEDS)
def test_a_suppression_stands_until_it_is_lifted(desk: Database, deeds: list[tuple[str, str, str]]) -> None:
    """Each scope by itself, lifting all lifts both, whatever the spelling; another channel knows nothing of it."""
    standing: set[str] = set()
    who = uuid4().hex  # the same deeds may be played twice, for instance while a failure is made smaller
    for verb, scope, spelling in deeds:
        clock = desk.clock
        assert isinstance(clock, FakeClock)
        clock.advance(timedelta(seconds=1))
        with desk.transaction(lane=Lane.BULK) as uow:
            done = customers.suppress if verb == "suppress" else customers.lift_suppression
            done(uow, USER, "email", spelling.format(who), reason="asked", source="test", scope=scope)
        if verb == "suppress":
            standing.add(scope)
        else:
            standing -= {scope} if scope == "promotional" else {"all", "promotional"}
    asked = [("email", spelling.format(who)) for spelling in SPELLINGS]
    with desk.reading() as reader:
        found = customers.suppressions_of(reader, [*asked, ("post", asked[0][1])])
    strictest = "all" if "all" in standing else "promotional"
    assert {reach: one.scope for reach, one in found.items()} == (dict.fromkeys(asked, strictest) if standing else {})
