"""Consents, zones, wishes and suppressions over whole lives of customers who are merged and told apart again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fairlead import customers
from fairlead.audit import Trail
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, Preference
from fairlead.customers.consents import covers
from fairlead.customers.zones import Evidence, Learnt, strongest
from fairlead.errors import ConflictError, InputError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = Actor(ActorKind.USER, "usr_1")
CREW = 4
WHO = st.integers(0, CREW - 1)
KEYS = [("news", "email"), ("news", "sms")]
PLACES = ["Europe/Berlin", "Asia/Tokyo", "America/Chicago"]
NO = "withdrawn"


class Lives(RuleBasedStateMachine):
    """Four records and a plain book of what was said about each, kept beside the database."""

    database: Database
    clock: FakeClock

    @initialize()
    def begin(self) -> None:
        """Four people nobody knows anything about, each with an address of their own."""
        self.addresses = [f"{new_id('x')}{number}@example.org" for number in range(CREW)]
        with self.database.transaction(lane=Lane.BULK) as uow:
            uow.record(AuditEntry("case.opened", "case_1"))
            drafts = [CustomerDraft(identities=(("email", one),), source="test") for one in self.addresses]
            self.crew = [one.id for one in customers.resolve_many(uow, drafts)]
        self.into: dict[int, tuple[int, str]] = {}
        """Who was merged into whom, and under which id."""
        self.zones: list[list[Learnt]] = [[] for _ in self.crew]
        self.wishes: list[Any] = [None] * CREW
        """What each record wishes, for those who were never merged; "?" for the others."""
        self.shut: set[int] = set()

    def do(self, verb: Any, *args: Any, **kwargs: Any) -> Any:
        """One verb in a transaction of its own, a second after the last."""
        self.clock.advance(timedelta(seconds=1))
        with self.database.transaction(lane=Lane.BULK) as uow:
            return verb(uow, USER, *args, **kwargs)

    def survivor(self, number: int) -> int:
        """Who stands for this record."""
        while number in self.into:
            number = self.into[number][0]
        return number

    def family(self, number: int) -> list[int]:
        """Everybody who is the same customer."""
        mine = self.survivor(number)
        return [one for one in range(CREW) if self.survivor(one) == mine]

    def standing(self, number: int, key: tuple[str, str]) -> str | None:
        """What counts for a purpose and a channel."""
        with self.database.reading() as reader:
            found = customers.consents_of(reader, [self.crew[number]], self.clock.now())[self.crew[number]]
        one = customers.standing_for(found, *key)
        return one.state if one else None

    def refused(self, number: int) -> set[tuple[str, str]]:
        """What was taken back and not given again."""
        return {key for key in KEYS if self.standing(number, key) == NO}

    @rule(who=WHO, key=st.sampled_from(KEYS))
    def gives(self, who: int, key: tuple[str, str]) -> None:
        """The newest word counts, whatever was withdrawn by whichever record before."""
        self.do(customers.record_consent, self.crew[who], ConsentRecord(*key, ConsentState.GIVEN, "form", "site"))
        assert self.standing(who, key) == "given"

    @rule(who=WHO, key=st.sampled_from([*KEYS, ("news", "*"), ("*", "*")]))
    def withdraws(self, who: int, key: tuple[str, str]) -> None:
        """It counts at once, for everything that it covers."""
        record = ConsentRecord(*key, ConsentState.WITHDRAWN, "link", "mail")
        self.do(customers.record_consent, self.crew[who], record)
        assert {one for one in KEYS if covers(key, one)} <= self.refused(who)

    @rule(who=WHO, kind=st.sampled_from([Evidence.STATED, Evidence.STAFF, Evidence.WEB]),
          zones=st.lists(st.sampled_from(PLACES), max_size=2, unique=True))  # fmt: skip
    def moves(self, who: int, kind: Evidence, zones: list[str]) -> None:
        """What is learnt is written down with the survivor."""
        self.do(customers.learn_zone, self.crew[who], zones, kind.value, "test")
        learnt = Learnt(self.clock.now(), kind.value, tuple(zones))
        self.zones[self.survivor(who)].append(learnt)

    @rule(who=WHO, rate=st.integers(1, 9) | st.none(), days=st.integers(0, 3))
    def wishes_for(self, who: int, rate: int | None, days: int) -> None:
        """The newest wish counts for the whole family."""
        until = self.clock.now() + timedelta(days=days) if days else None
        self.do(customers.set_preference, self.crew[who], Preference("news", "*", rate, until, "page"))
        assert self.wish(who) == (rate, until)
        self.wishes[self.survivor(who)] = (rate, until) if len(self.family(who)) == 1 else "?"

    def wish(self, number: int) -> tuple[int | None, Any] | None:
        """Messages a week, and until when nothing; None for never said."""
        with self.database.reading() as reader:
            found = customers.preferences_of(reader, [self.crew[number]], self.clock.now())[self.crew[number]]
        one = found.get(("news", "*"))
        return None if one is None else (one.per_week, one.paused_until)

    @rule(who=WHO, shut=st.booleans())
    def bounces(self, who: int, shut: bool) -> None:
        """An address is shut or opened, whoever's it is at that moment."""
        verb = customers.suppress if shut else customers.lift_suppression
        self.do(verb, "email", self.addresses[who], reason="bounce", source="smtp")
        self.shut = self.shut | {who} if shut else self.shut - {who}

    @rule(keep=WHO, other=WHO)
    def merges(self, keep: int, other: int) -> None:
        """Nothing that either had refused is allowed afterwards, and nobody hears more often than they wished."""
        refused, wishes = self.refused(keep) | self.refused(other), [self.wish(keep), self.wish(other)]
        try:
            merge_id = self.do(customers.merge, self.crew[keep], self.crew[other], reason="the same")
        except (ConflictError, InputError):
            assert keep == other or other in self.into or self.survivor(keep) == self.survivor(other)
            return
        self.into[other] = (self.survivor(keep), merge_id)
        assert self.refused(keep) == refused
        together = self.wish(keep)
        for wish in wishes:
            if wish is not None and wish[0] is not None:
                assert together is not None
                assert together[0] is not None
                assert together[0] <= wish[0]

    @rule(which=st.integers(0, CREW))
    def tells_apart(self, which: int) -> None:
        """Two customers again; what was withdrawn since the merge is withdrawn for the other, too."""
        if not self.into:
            return
        other = sorted(self.into)[which % len(self.into)]
        survivor = self.survivor(other)
        _, merge_id = self.into[other]
        stood = {key: self.standing(survivor, key) for key in KEYS}
        done = self.do(customers.unmerge, merge_id)
        del self.into[other]
        for key in KEYS:
            if any(covers(carried, key) for carried in done.carried):
                assert self.standing(other, key) == NO
                assert self.standing(survivor, key) == stood[key]  # withdrawn, or given again since
        assert len(self.family(other)) + len(self.family(survivor)) <= CREW

    @invariant()
    def a_family_is_one_customer(self) -> None:
        """Every record is answered by its survivor, with the zones and suppressions of all and the flags of none."""
        now = self.clock.now()
        with self.database.reading() as reader:
            zones = customers.zones_of(reader, self.crew, now)
            facts = customers.facts_of(reader, self.crew, now)
            wishes = customers.preferences_of(reader, self.crew, now)
        for number, one in enumerate(self.crew):
            family = self.family(number)
            head = self.crew[self.survivor(number)]
            assert facts[one]["id"] == head
            assert (facts[one]["consents"], wishes[one]) == (facts[head]["consents"], wishes[head])
            assert zones[one] == strongest([learnt for each in family for learnt in self.zones[each]])
            assert facts[one]["suppressed"] == (["email"] if self.shut.intersection(family) else [])
            if len(family) == 1 and self.wishes[number] != "?":
                self.alone(number, wishes[one].get(("news", "*")))

    def alone(self, number: int, found: Preference | None) -> None:
        """A record that is by itself wishes what was said about it while it was by itself."""
        said = self.wishes[number]
        if said is None:
            assert found is None
            return
        rate, until = said
        wanted = Preference("news", "*", rate, until if until and until > self.clock.now() else None, "page")
        assert found is not None
        assert replace(found, at=None) == wanted

    def teardown(self) -> None:
        """All told apart, in any order: each has its own rows again."""
        while getattr(self, "into", None):
            self.tells_apart(CREW - 1)
            self.a_family_is_one_customer()


@pytest.fixture(params=["sqlite", "postgres"])
def lives(request: pytest.FixtureRequest) -> Iterator[type[Lives]]:
    """The machine on one database of each kind, for all of its examples."""
    clock = FakeClock()
    database = Database(request.getfixturevalue(f"{request.param}_url"), clock=clock, trail=Trail())
    yield type("LivesThere", (Lives,), {"database": database, "clock": clock})
    database.close()


def test_whatever_is_merged_and_told_apart(lives: type[Lives]) -> None:
    """Over any history: nothing refused becomes allowed by a merge, nothing is lost, and each gets its own back."""
    run_state_machine_as_test(lives, settings=settings(max_examples=8, stateful_step_count=14, deadline=None))  # type: ignore[no-untyped-call]


def test_a_no_to_everything_while_merged_is_one_for_both(lives: type[Lives]) -> None:
    """By hand, since it is what must never break: three records, a stop, and everybody told apart."""
    state = lives()
    state.begin()
    for who in range(3):
        state.gives(who, ("news", "email"))
    state.merges(0, 1)
    state.merges(2, 0)
    state.withdraws(1, ("*", "*"))
    state.tells_apart(1)
    assert [state.refused(who) >= {("news", "email")} for who in (1, 2)] == [True, True]
    state.tells_apart(0)
    assert all(("news", "email") in state.refused(who) for who in range(3))


def test_a_yes_after_a_no_while_merged_is_the_survivors_alone(lives: type[Lives]) -> None:
    """Whoever was told apart did not say it, so the no that came before stands for them."""
    state = lives()
    state.begin()
    state.merges(0, 1)
    state.withdraws(0, ("news", "*"))
    state.gives(0, ("news", "email"))
    state.tells_apart(0)
    assert [state.standing(who, ("news", "email")) for who in (0, 1)] == ["given", NO]
