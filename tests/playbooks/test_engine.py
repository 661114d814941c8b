"""Chunks: neighbours never pay for one another, nothing is lost, and nothing runs for ever."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.checkpoints import Level, grants_of, withdraw_grant
from fairlead.errors import TooLargeError
from fairlead.jobs import WorkLane
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import CaseSource, CaseVerb
from fairlead.playbooks.engine import MAX_LEASES
from fairlead.playbooks.results import MAX_FACTS_CHARS
from fairlead.playbooks.tables import case as case_table
from tests.playbooks.world import OFFER, batch_step, playbook, step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.playbooks import StepInput
    from tests.playbooks.world import World

ONE = "  a: {step: one@1, next: z}\n  z: {end: z}"


def leased(world: World, token: str = "t", count: int = 500) -> CaseSource:
    """The source, with what is ready leased under `token`."""
    source = CaseSource(world.engine, WorkLane.INTERACTIVE)
    assert source.lease(count, 60.0, token)
    return source


def test_a_chunk_is_one_call(make_world: Callable[..., World]) -> None:
    """Cases at the same stage are given to the step together."""
    calls: list[int] = []

    def run(cases: Sequence[StepInput]) -> list[dict[str, int]]:
        calls.append(len(cases))
        return [{"n": case.facts["n"]} for case in cases]

    world = make_world(batch_step("one@1", run))
    world.deploy(playbook(ONE))
    cases = world.open_many([{"n": n} for n in range(50)])
    world.run()
    assert calls == [50]
    assert [world.case(one).end for one in cases] == ["z"] * 50


def test_a_poison_case_stands_alone(make_world: Callable[..., World]) -> None:
    """A call that crashes is halved until the culprit is found; only it lands in the exceptions queue."""

    def run(cases: Sequence[StepInput]) -> list[dict[str, int]]:
        return [{"m": 1 // case.facts["n"]} for case in cases]

    world = make_world(batch_step("one@1", run))
    world.deploy(playbook(ONE))
    cases = world.open_many([{"n": n} for n in range(40)])
    world.run()
    assert Counter(world.case(one).state for one in cases) == {"exception": 1, "ended": 39}
    problem = world.case(cases[0]).problem
    assert problem["code"] == "step_crashed"
    assert "ZeroDivisionError" in problem["words"]


def cycle() -> dict[str, Any]:
    """A mapping that holds itself."""
    found: dict[str, Any] = {}
    found["x"] = found
    return found


BAD: dict[str, Callable[[], Any]] = {
    "an object": lambda: {"x": object()},
    "a cycle": cycle,
    "not a mapping": lambda: "abc",
    "nothing": lambda: None,
    "a list": lambda: [1],
    "a number as a name": lambda: {1: 2},
    "a lone surrogate": lambda: {"x": "\ud800"},
    "too deep": lambda: {"x": json.loads("[" * 99 + "]" * 99)},
    "too much": lambda: {"x": "x" * MAX_FACTS_CHARS},
    "much of little": lambda: {str(n): "x" * 9 for n in range(20_000)},
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_what_cannot_be_kept_is_an_exception(make_world: Callable[..., World], kind: str) -> None:
    """A step may return anything; what is not JSON or too large stops its case alone, where it was."""
    world = make_world(step("one@1", lambda case: BAD[kind]() if case.facts["bad"] else {"fine": True}))
    world.deploy(playbook(ONE))
    bad, good = world.open_many([{"bad": True}, {"bad": False}])
    world.run()
    assert (world.where(bad), world.case(good).end) == (("exception", "a"), "z")
    assert world.case(bad).facts == {"bad": True}
    assert world.case(bad).problem["code"] in {"step_result", "facts_too_large"}


def test_values_that_json_knows_otherwise_are_the_same_at_once_and_later(
    make_world: Callable[..., World],
) -> None:
    """Dates, sets, tuples and NaN become what they are as JSON, before the next stage reads them."""
    seen: list[Any] = []
    found = {"at": datetime(2026, 1, 2, tzinfo=UTC), "tags": ("a",), "nan": float("nan")}

    def look(case: StepInput) -> dict[str, Any]:
        seen.append({name: case.facts[name] for name in found})
        return {}

    world = make_world(step("one@1", lambda _case: found), step("look@1", look))
    world.deploy(playbook("  a: {step: one@1, next: b}\n  b: {step: look@1, next: z}\n  z: {end: z}"))
    case = world.open()
    world.run()
    assert seen == [{"at": "2026-01-02T00:00:00Z", "tags": ["a"], "nan": None}]
    assert {name: world.case(case).facts[name] for name in found} == seen[0]


@pytest.mark.parametrize("results", [[], [{}] * 3, None, "xx", {}])
def test_a_wrong_number_of_results_is_nobodys(make_world: Callable[..., World], results: Any) -> None:
    """Results that cannot be told apart are given to no case."""
    world = make_world(batch_step("one@1", lambda _cases: results))
    world.deploy(playbook(ONE))
    cases = world.open_many([{}, {}])
    world.run()
    assert {world.case(one).problem["code"] for one in cases} == {"step_crashed"}


def test_a_lost_lease_leaves_its_row_out(make_world: Callable[..., World]) -> None:
    """A case that somebody changed meanwhile is left out and counted; its neighbours commit."""
    worlds: list[World] = []
    cases: list[str] = []

    def run(chunk: Sequence[StepInput]) -> list[dict[str, int]]:
        if len(chunk) == 3:
            worlds[0].steer(cases[1], CaseVerb.PAUSE)
        return [{} for _ in chunk]

    world = make_world(batch_step("one@1", run))
    worlds.append(world)
    world.deploy(playbook(ONE))
    cases += world.open_many([{}] * 3)
    leased(world)
    count = world.engine.run("t")
    assert (count.written, count.lost) == (2, 1)
    assert [world.case(one).state for one in cases] == ["ended", "paused", "ended"]


def test_a_late_worker_writes_nothing(world: World) -> None:
    """A chunk whose lease ran out and was taken by somebody else no longer matches."""
    world.deploy(playbook("  z: {end: z}"))
    case = world.open()
    leased(world, "late")
    world.clock.advance(timedelta(seconds=61))
    leased(world, "new")
    assert world.engine.run("late").written == 0
    assert world.case(case).state == "ready"
    assert world.engine.run("new").written == 1
    assert world.engine.run("new").written == 0, "running a token twice does nothing"


def test_a_case_that_kills_its_workers_is_an_exception(make_world: Callable[..., World]) -> None:
    """Leased again and again without a move, it first runs alone and then not at all."""
    sizes: list[int] = []

    def run(chunk: Sequence[StepInput]) -> list[dict[str, int]]:
        sizes.append(len(chunk))
        raise KeyboardInterrupt  # as a worker that dies

    world = make_world(batch_step("one@1", run))
    world.deploy(playbook(ONE))
    cases = world.open_many([{}, {}])
    for turn in range(MAX_LEASES):
        leased(world, f"t{turn}")
        with pytest.raises(KeyboardInterrupt):
            world.engine.run(f"t{turn}")
        world.clock.advance(timedelta(seconds=61))
    assert sizes == [2, 2, *[1] * (MAX_LEASES - 2)]
    world.run()
    assert {world.case(one).problem["code"] for one in cases} == {"worker_killed"}


def test_going_round_has_an_end(make_world: Callable[..., World]) -> None:
    """A case that enters more than a thousand stages is stopped."""
    world = make_world()
    stages = "  a: {wait: time, for: 0s, next: {timeout: b}}\n  b: {wait: time, for: 0s, next: {timeout: a}}"
    world.deploy(playbook(stages))
    case = world.open()
    with world.database.transaction() as uow:
        uow.execute(case_table.update().where(case_table.c.id == case).values(hops=995))
        uow.record(AuditEntry("test.aged", case))
    world.run()
    assert world.case(case).problem["code"] == "endless"


def test_a_chunk_of_several_playbooks_and_versions(make_world: Callable[..., World]) -> None:
    """Cases of different playbooks and bundles share a chunk and each goes its own way."""
    world = make_world(step("one@1", lambda _case: {"one": 1}))
    world.deploy(playbook("  z: {end: first}", name="p"), playbook(ONE, name="q"))
    old = [world.open(playbook="p"), world.open(playbook="q")]
    world.deploy(playbook("  z: {end: second}", name="p"))
    old.append(world.open(playbook="p"))
    leased(world)
    world.engine.run("t")
    assert [world.case(one).end for one in old] == ["first", "z", "second"]


def test_autonomy_withdrawn_between_ruling_and_commit_counts(make_world: Callable[..., World]) -> None:
    """A ruling made under a grant that is gone when it would be stored is not stored; it is made again."""
    worlds: list[World] = []

    def late(_case: StepInput) -> dict[str, bool]:
        with worlds[0].database.transaction() as uow:
            for row in grants_of(uow, "offer"):
                withdraw_grant(uow, SYSTEM, row.id, "it was wrong")
        return {}

    world = make_world(step("late@1", late))
    worlds.append(world)
    world.deploy(OFFER.replace("approved: send", "approved: slow") + "  slow: {step: late@1, next: send}\n")
    world.grant()
    case = world.open({"price": 1.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert world.paths(case) == ["human"]
    assert (world.where(case), world.actions(case)) == (("waiting", "ask"), [])


def test_a_grant_given_meanwhile_is_used_for_the_next_case(world: World) -> None:
    """Rulings follow the grants of the moment; earlier reviews stay where they are."""
    world.deploy(OFFER)
    first = world.open({"price": 1.0, "confidence": 0.9}, playbook="offer")
    world.run()
    world.grant(Level.AUTO)
    second = world.open({"price": 1.0, "confidence": 0.9}, playbook="offer")
    world.run()
    assert (world.paths(first), world.paths(second)) == (["human"], ["auto"])


@pytest.mark.parametrize(
    "facts",
    [
        {"price": 10**400, "confidence": 0.9},
        {"price": 1.0, "confidence": 10**400},
        {"price": 1e308, "confidence": 0.9},
        {"price": 1.0, "confidence": "high"},
        {"price": 1.0, "confidence": 0.9, "country": "x" * 20_000},
        {"price": 1.0, "confidence": True, "country": "\x00"},
    ],
)
def test_no_fact_of_one_case_stops_its_neighbours(world: World, facts: dict[str, Any]) -> None:
    """Whatever stands in a case, the others of its chunk get their ruling."""
    world.deploy(OFFER)
    bad, good = world.open_many([facts, {"price": 1.0}], playbook="offer")
    world.run()
    assert world.case(bad).state in {"waiting", "exception"}
    assert world.where(good) == ("waiting", "ask")


def test_facts_that_are_too_large_are_not_even_opened(world: World) -> None:
    """The bound holds from the first moment of a case."""
    world.deploy(OFFER)
    with pytest.raises(TooLargeError):
        world.open({"x": "x" * MAX_FACTS_CHARS}, playbook="offer")


def test_what_grows_over_many_stages_is_bounded_too(make_world: Callable[..., World]) -> None:
    """Each result fits, their sum does not: the case stops as it was before the last run."""
    world = make_world(step("one@1", lambda case: {f"k{len(case.facts)}": "x" * (MAX_FACTS_CHARS // 3)}))
    stages = """
  a: {step: one@1, next: w}
  w: {wait: time, for: 1h, next: {timeout: b}}
  b: {branch: [{when: "false", next: z}], otherwise: a}
  z: {end: z}
"""
    world.deploy(playbook(stages))
    case = world.open()
    world.later(hours=9)
    assert world.case(case).problem["code"] == "facts_too_large"
    assert len(world.case(case).facts) == 2
