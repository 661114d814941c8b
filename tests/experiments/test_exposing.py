"""Declared experiments in the database: deployed, met, stopped, withdrawn; arms that never change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.audit import Trail, history
from fairlead.customers import merge
from fairlead.errors import ConflictError, InputError, NotFoundError, SourceError
from fairlead.experiments import (
    PlanState,
    Verdict,
    draws_of,
    experiment_named,
    experiments,
    parse_plans,
    seed_of,
    standing_plan,
)
from fairlead.kit.database import Database
from tests.experiments.plans import PLAN, USER, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

SECOND = PLAN.replace("    facts", "    version: 2\n    facts").replace(
    "long: 0.5, short: 0.5", "long: 0.1, short: 0.9"
)
FOREIGN = {"country": "FR"}
REPLAY = """
import json, sys
from fairlead.experiments import arm_of, parse_plans
text, seed, units = json.load(sys.stdin)
plan = parse_plans(text)["first-mail"].experiment
print(json.dumps({one: arm_of(plan, bytes.fromhex(seed), one).name for one in units}))
"""


@pytest.fixture
def trial(database_url: str, clock: FakeClock) -> Iterator[Trial]:
    """On both databases, with the experiment deployed."""
    database = Database(database_url, clock=clock, trail=Trail())
    one = Trial(database)
    one.deploy()
    yield one
    database.close()


def test_a_draw_is_made_once_and_kept_over_new_shares(trial: Trial) -> None:
    """First met, it is written with version, facts' digest and case; a new version changes nobody, only who is new."""
    some = trial.customers(60)
    with trial.database.reading() as reader:
        assert experiments(reader) == []
    first = trial.meet(*some)
    assert trial.meet(*some, facts=FOREIGN) == first
    assert Counter(one.counted for one in first) == {True: 60}
    assert trial.deploy(SECOND) == ["first-mail"]
    assert trial.meet(*reversed(some)) == first[::-1]
    fresh = Counter(one.arm for one in trial.meet(*trial.customers(60)))
    assert fresh["short"] > 40
    with trial.database.reading() as reader:
        drawn = draws_of(reader, "first-mail", some)
        figures = experiment_named(reader, "first-mail")
        verbs = [one.verb for one in history(reader, some[:1])]
    assert {one.arm for one in drawn.values()} == {"long", "short"}
    assert len({(one.facts, one.probability) for one in drawn.values()}) == 1
    assert all(one.facts and one.case_id for one in drawn.values())
    assert [one.n for one in figures.versions] == [60, 60]
    assert figures.check.verdict is not Verdict.TOO_FEW
    assert "experiment.drawn" in verbs


def test_another_process_draws_the_same(trial: Trial) -> None:
    """From the file and the seed alone, by a Python of its own: every arm as it was written down."""
    some = trial.customers(40)
    arms = {one: given.arm for one, given in zip(some, trial.meet(*some), strict=True)}
    with trial.database.reading() as reader:
        seed = (seed_of(reader) or b"").hex()
    command = [sys.executable, "-c", REPLAY]
    done = subprocess.run(command, input=json.dumps([PLAN, seed, some]), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == arms


def test_who_is_not_eligible_is_written_down_and_stays_out(trial: Trial) -> None:
    """With the reason; eligible later, they still get the other arm and do not count. Nobody counts as nobody."""
    [one] = trial.customers(1)
    [given, nobody] = trial.meet(one, None, facts=FOREIGN)
    assert (given.arm, given.counted) == ("long", False)
    assert 'country == "DE" does not hold' in given.why
    assert (nobody.arm, nobody.why) == ("long", "the case has no customer")
    assert trial.meet(one) == [given]
    with trial.database.reading() as reader:
        figures = experiment_named(reader, "first-mail")
        [drawn] = draws_of(reader, "first-mail", [one]).values()
    assert (figures.n, figures.ineligible) == (0, 1)
    assert (drawn.arm, drawn.probability) == (None, 0.0)


def test_a_customer_twice_in_a_chunk_is_drawn_once(trial: Trial) -> None:
    """By the facts of the first case; more customers than one draw takes are drawn, too."""
    [one] = trial.customers(1)
    assert len(set(trial.meet(one, one, one))) == 1
    some = trial.customers(1_001)
    assert all(given.counted for given in trial.meet(*some))
    with trial.database.reading() as reader:
        assert experiment_named(reader, "first-mail").n == 1_002


def test_two_workers_give_one_arm(trial: Trial) -> None:
    """Eight transactions at once over the same customers: everybody is told what is written down."""
    some = trial.customers(20)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda turn: trial.meet(*(some if turn % 2 else some[::-1])), range(8)))
    for turn, given in enumerate(told):
        assert (given if turn % 2 else given[::-1]) == told[1]
    with trial.database.reading() as reader:
        assert experiment_named(reader, "first-mail").n == 20


def test_merged_records_have_the_older_draw(trial: Trial, clock: FakeClock) -> None:
    """Whichever record survives and is asked; one that was only found not eligible gives way to a draw."""
    [late] = trial.customers(1)
    clock.advance(timedelta(hours=1))
    some = trial.customers(30)
    arms = dict(zip(some, trial.meet(*some), strict=True))
    clock.advance(timedelta(hours=1))
    [young] = trial.meet(late)
    old = next(one for one in some if arms[one].arm != young.arm)
    [out] = trial.customers(1)
    trial.meet(out, facts=FOREIGN)
    with trial.database.transaction() as uow:
        merge(uow, USER, late, old, reason="the same")
        merge(uow, USER, out, some[-1], reason="the same")
    assert trial.meet(late, old) == [arms[old], arms[old]]
    assert trial.meet(out) == [arms[some[-1]]]


def test_a_stopped_experiment_gives_the_winner_uncounted(trial: Trial) -> None:
    """To everybody new, eligible or not; who was drawn keeps the arm. It is on record, and said once."""
    some = trial.customers(12)
    before = trial.meet(*some)
    assert trial.stop("short", "more replies")
    assert not trial.stop("short")
    with pytest.raises(ConflictError, match="stopped for short"):
        trial.stop("long")
    assert trial.meet(*some) == before
    for facts in ({"country": "DE"}, FOREIGN):
        assert {(one.arm, one.counted) for one in trial.meet(*trial.customers(5), None, facts=facts)} == {
            ("short", False)
        }
    assert trial.deploy() == []
    assert trial.deploy(PLAN.replace("Does", "Did")) == ["first-mail"]
    with trial.database.reading() as reader:
        standing = standing_plan(reader, "first-mail")
        verbs = [one.verb for one in history(reader, ["first-mail"])][::-1]
        assert experiment_named(reader, "first-mail").n == 12
    assert standing is not None
    assert (standing.state, standing.winner, standing.reason) == (PlanState.STOPPED, "short", "more replies")
    assert sorted(verbs) == ["experiment.deployed"] * 2 + ["experiment.stopped", "experiment.version_began"]
    trial.deploy(SECOND)
    assert all(one.counted for one in trial.meet(*trial.customers(3)))


def test_stopping_wants_names_that_are_there(trial: Trial) -> None:
    """Another arm, another experiment, one that was withdrawn, a reason without end."""
    with pytest.raises(InputError, match="short"):
        trial.stop("shor")
    with pytest.raises(InputError, match="reason"):
        trial.stop("short", "x" * 501)
    with pytest.raises(NotFoundError):
        trial.stop("short", name="'; DROP TABLE")
    trial.deploy(None)
    with pytest.raises(NotFoundError):
        trial.stop("short")


def test_what_was_begun_is_not_edited_under_the_same_version(trial: Trial) -> None:
    """Before the first draw anything may change; after it words and end only, or another version, never a lower one."""
    assert trial.deploy(PLAN.replace("per_arm: 20", "per_arm: 25")) == ["first-mail"]
    assert trial.deploy(PLAN.replace("per_arm: 20", "per_arm: 25")) == []
    assert trial.deploy() == ["first-mail"]
    trial.meet(*trial.customers(1))
    for old, new in (
        ("long: 0.5, short: 0.5", "long: 0.4, short: 0.6"), ("per_arm: 20", "per_arm: 21"), ("14d", "13d"),
        ('"DE"', '"FR"'), ("    per_arm", "    from: 2027-01-01\n    per_arm"),
    ):  # fmt: skip
        with pytest.raises(SourceError, match="version: 2") as caught:
            trial.deploy(PLAN.replace(old, new))
        assert caught.value.place.line == 2
    assert trial.deploy(PLAN.replace("    per_arm", "    until: 2099-01-01\n    per_arm")) == ["first-mail"]
    trial.deploy(SECOND)
    with pytest.raises(SourceError, match="lower") as caught:
        trial.deploy()
    assert "version: 3" in str(caught.value.suggestion)


def test_nobody_is_drawn_outside_its_time(trial: Trial, clock: FakeClock) -> None:
    """Before it begins, after it ends, and once withdrawn: the other arm, uncounted; who was drawn keeps theirs."""
    begins, ends = (clock.now() + timedelta(days=n) for n in (1, 2))
    timed = PLAN.replace(
        "    per_arm",
        f"    from: {begins.isoformat()}\n    until: {ends.isoformat()}\n    otherwise: short\n    per_arm",
    )
    trial.deploy(timed)
    [one] = trial.customers(1)
    assert trial.meet(one) == [("short", "the experiment has not begun")]
    clock.advance(timedelta(days=1))
    drawn = trial.meet(one)
    assert drawn[0].counted
    clock.advance(timedelta(days=1))
    [new] = trial.customers(1)
    assert trial.meet(one, new) == [*drawn, ("short", "the experiment is over")]
    trial.deploy(None)
    assert trial.meet(one, new) == [*drawn, ("short", "the experiment was taken out of the workspace")]
    with trial.database.reading() as reader:
        assert experiment_named(reader, "first-mail").n == 1
    with pytest.raises(NotFoundError):
        trial.meet(one, name="other")


def test_a_stopped_one_brought_back_stays_stopped(trial: Trial) -> None:
    """Taken out of the file and put back under the same version: the winner stands."""
    trial.stop("short")
    assert trial.deploy(None) == ["first-mail"]
    assert trial.meet(None)[0].arm == "short"
    assert trial.deploy() == ["first-mail"]
    with trial.database.reading() as reader:
        standing = standing_plan(reader, "first-mail")
    assert standing is not None
    assert (standing.state, standing.winner) == (PlanState.STOPPED, "short")
    assert standing.plan == parse_plans(PLAN)["first-mail"]
