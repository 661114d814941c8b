"""Grants: autonomy that a person gives, replaces and takes away, and that holds no longer than it was given for."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead import checkpoints
from fairlead.audit import history
from fairlead.checkpoints import Level, Path
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind

if TYPE_CHECKING:
    from tests.checkpoints.desk import Desk

USER = Actor(ActorKind.USER, "usr_1")


def _in_force(desk: Desk, *, withdrawn: bool = False) -> list[Any]:
    with desk.database.reading() as reader:
        return checkpoints.grants_of(reader, "refund", withdrawn=withdrawn)


def test_without_a_grant_a_person_decides(light_desk: Desk) -> None:
    """Refused by default: a machine that nobody trusted acts on nothing."""
    assert light_desk.ruled("a").ruling.path is not Path.AUTO


def test_a_grant_lets_the_machine_act(desk: Desk) -> None:
    """What was signed is what the ruling finds, and the decision of the machine is stored with it."""
    made = desk.grant()

    one = desk.ruled("a", case_id="case_1")

    assert one.ruling.path is Path.AUTO
    assert one.ruling.trace.grant_id == made.id
    stored = desk.asked(one.id)
    assert (stored.verdict, stored.answer, stored.decided_by) == ("auto", {"amount": 5}, "machine:m@1")
    assert stored.effective_at == desk.clock.now()


@pytest.mark.parametrize(
    "changed",
    [
        {"checkpoint": "discount"},
        {"segment": "small"},
        {"producer": "m@2"},
        {"level": Level.ASSIST},
        {"level": Level.SHADOW},
        {"threshold": 0.91},
        {"policy_version": "another"},
    ],
)
def test_a_grant_covers_nothing_else(light_desk: Desk, changed: dict[str, Any]) -> None:
    """Another checkpoint, segment, producer, policy, level or score is not what was signed for."""
    light_desk.grant(**changed)

    assert light_desk.ruled("a").ruling.path is not Path.AUTO


def test_a_grant_ends_at_its_moment(light_desk: Desk) -> None:
    """Up to the last microsecond it holds, and at its expiry no longer."""
    light_desk.grant(expires_at=light_desk.clock.now() + timedelta(hours=1))

    light_desk.clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert light_desk.ruled("a").ruling.path is Path.AUTO
    light_desk.clock.advance(timedelta(microseconds=1))
    assert light_desk.ruled("b").ruling.path is not Path.AUTO


def test_a_new_grant_replaces_the_old_one(desk: Desk) -> None:
    """One per segment and producer is in force; the old one stays to be seen, with what took its place."""
    old = desk.grant(threshold=0.5)
    other = desk.grant(segment="small")
    desk.clock.advance(timedelta(minutes=1))
    new = desk.grant(threshold=0.95)

    assert sorted(row.id for row in _in_force(desk)) == sorted([new.id, other.id])
    (gone,) = [row for row in _in_force(desk, withdrawn=True) if row.withdrawn_at is not None]
    assert (gone.id, gone.withdrawn_at) == (old.id, desk.clock.now())
    assert new.id in gone.withdrawn_because
    assert desk.ruled("a").ruling.path is not Path.AUTO
    with desk.database.reading() as reader:
        (entry,) = history(reader, [new.id])
    assert (entry.verb, entry.actor) == ("grant.set", "user:usr_1")


def test_a_replacement_that_is_refused_replaces_nothing(light_desk: Desk) -> None:
    """A mistake in the new grant does not take the old one away."""
    old = light_desk.grant()

    with pytest.raises(InputError):
        light_desk.grant(threshold=math.nan)

    assert [row.id for row in _in_force(light_desk)] == [old.id]


def test_a_withdrawn_grant_holds_no_more(desk: Desk) -> None:
    """At once, with the reason kept; a second withdrawal finds nothing."""
    made, other = desk.grant(), desk.grant(segment="small")
    with desk.database.transaction() as uow:
        checkpoints.withdraw_grant(uow, USER, made.id, "three wrong refunds")

    assert desk.ruled("a").ruling.path is not Path.AUTO
    assert [row.id for row in _in_force(desk)] == [other.id]
    kept = {row.id: row.withdrawn_because for row in _in_force(desk, withdrawn=True)}
    assert kept == {made.id: "three wrong refunds", other.id: None}
    assert desk.verbs(made.id) == ["grant.set", "grant.withdrawn"]
    with desk.database.transaction() as uow, pytest.raises(NotFoundError):
        checkpoints.withdraw_grant(uow, USER, made.id, "again")


@pytest.mark.parametrize("grant_id", ["", "gra_0", "' OR 1=1 --", "gra_" + "x" * 10_000])
def test_withdrawing_what_is_none_touches_nothing(light_desk: Desk, grant_id: str) -> None:
    """An id that is no grant's leaves the others in force."""
    made = light_desk.grant()

    with light_desk.database.transaction() as uow, pytest.raises(NotFoundError):
        checkpoints.withdraw_grant(uow, USER, grant_id, "?")

    assert [row.id for row in _in_force(light_desk)] == [made.id]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"threshold": None}, "grant_threshold"),
        ({"threshold": math.nan}, "grant_threshold"),
        ({"threshold": math.inf}, "grant_threshold"),
        ({"threshold": -math.inf}, "grant_threshold"),
        ({"level": Level.ASSIST, "threshold": math.nan}, "grant_threshold"),
        ({"promised_error": 0.0}, "grant_promise"),
        ({"promised_error": 1.0}, "grant_promise"),
        ({"promised_error": -0.1}, "grant_promise"),
        ({"promised_error": math.nan}, "grant_promise"),
        ({"lottery_rate": -0.01}, "grant_lottery"),
        ({"lottery_rate": 1.01}, "grant_lottery"),
        ({"lottery_rate": math.nan}, "grant_lottery"),
    ],
)
def test_a_grant_that_could_not_work_is_refused(light_desk: Desk, changed: dict[str, Any], code: str) -> None:
    """Shares outside their range, thresholds that compare with nothing: nothing is stored."""
    with pytest.raises(InputError) as caught:
        light_desk.grant(**changed)

    assert caught.value.reason == code
    assert _in_force(light_desk, withdrawn=True) == []


@pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=1), timedelta(days=4_000)])
def test_a_grant_in_the_past_is_refused(light_desk: Desk, late: timedelta) -> None:
    """One that expires now or earlier would never hold, and its signer would think that it does."""
    with pytest.raises(InputError) as caught:
        light_desk.grant(expires_at=light_desk.clock.now() - late)

    assert caught.value.reason == "grant_expired"


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_grants_lottery_rate_replaces_the_policys(light_desk: Desk, rate: float) -> None:
    """Both ends are allowed: nobody is checked blind, or everybody."""
    light_desk.grant(lottery_rate=rate)

    lotteries = [light_desk.ruled(f"case_{n}", store=False).ruling.lottery for n in range(20)]

    assert {lottery.probability for lottery in lotteries} == {rate}
    assert {lottery.drawn for lottery in lotteries} == {rate == 1.0}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(threshold=st.floats(0, 1, allow_nan=False))
def test_the_threshold_is_the_least_score(light_desk: Desk, threshold: float) -> None:
    """Whatever was signed last decides, and a score equal to the threshold is enough."""
    light_desk.grant(threshold=threshold)

    assert (light_desk.ruled("a", store=False).ruling.path is Path.AUTO) == (threshold <= 0.9)


def test_the_epoch_moves_with_every_change(desk: Desk) -> None:
    """Setting, replacing and withdrawing are each seen, even within one microsecond of the clock."""
    seen = [desk.epoch()]
    first = desk.grant()
    seen.append(desk.epoch())
    second = desk.grant(segment="small")
    seen.append(desk.epoch())
    for one in (first, second):
        with desk.database.transaction() as uow:
            checkpoints.withdraw_grant(uow, USER, one.id, "?")
        seen.append(desk.epoch())

    assert len(set(seen)) == len(seen)


def test_the_epoch_moves_when_the_clock_went_back(desk: Desk) -> None:
    """A withdrawal that bears an earlier time than the last one still makes older rulings stale."""
    first, second = desk.grant(), desk.grant(segment="small")
    desk.clock.advance(timedelta(hours=1))
    with desk.database.transaction() as uow:
        checkpoints.withdraw_grant(uow, USER, first.id, "?")
    before = desk.epoch()
    desk.clock.advance(-timedelta(minutes=30))
    with desk.database.transaction() as uow:
        checkpoints.withdraw_grant(uow, USER, second.id, "?")

    assert desk.epoch() != before


def test_the_epoch_rests_while_nothing_changes(light_desk: Desk) -> None:
    """Time, rulings and decisions alone make nothing stale."""
    light_desk.grant()
    before = light_desk.epoch()
    light_desk.ruled("a")
    light_desk.clock.advance(timedelta(days=400))

    assert light_desk.epoch() == before
