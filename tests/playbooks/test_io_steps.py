"""io steps ask other services: once per answer, bounded, and never at the cost of their neighbours."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.errors import UnavailableError
from fairlead.jobs import WorkLane
from fairlead.playbooks import CaseSource, StepFailure, StepKind, engine, io_steps
from tests.playbooks.world import batch_step, playbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.playbooks import StepInput
    from tests.playbooks.world import World

WAIT_S = 20.0


class Service:
    """Another company's computer: counts what it is asked, and fails on plan."""

    def __init__(self, plan: Callable[[StepInput], Any] = lambda _case: None) -> None:
        """`plan` gives a failure, raises, or None for an answer."""
        self.asked: Counter[str] = Counter()
        self.batches: list[int] = []
        self.at_once = self.most_at_once = 0
        self.plan = plan
        self._lock = threading.Lock()

    def __call__(self, cases: Sequence[StepInput]) -> list[Any]:
        """One answer per case."""
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.batches.append(len(cases))
            self.asked.update(case.case_id for case in cases)
        try:
            return [self.plan(case) or {"answer": case.attempt} for case in cases]
        finally:
            with self._lock:
                self.at_once -= 1


def flow(**settings: Any) -> str:
    """One io step and an end."""
    keys = "".join(f", {name}: {value}" for name, value in settings.items())
    return playbook(f"  a: {{step: ask@1, next: z{keys}}}\n  z: {{end: z}}")


@pytest.fixture
def ask(make_world: Callable[..., World]) -> Callable[..., World]:
    """A world whose step `ask@1` is the given service."""
    return lambda service, **how: make_world(batch_step("ask@1", service, StepKind.IO), **how)


def test_batches_and_concurrency_are_kept(ask: Callable[..., World]) -> None:
    """At most `max_batch` cases a call and `concurrency` calls at once; every case is asked about once."""
    service = Service()
    world = ask(service)
    world.deploy(flow(max_batch=3, concurrency=2))
    cases = world.open_many([{"n": n} for n in range(20)])
    world.run()
    assert {world.case(one).end for one in cases} == {"z"}
    assert (max(service.batches), len(service.batches)) == (3, 7)
    assert service.most_at_once <= 2
    assert {*service.asked.values()} == {1}


def test_a_passing_failure_is_tried_again_later(ask: Callable[..., World]) -> None:
    """With growing pauses and a counted attempt; those that had their answer are not asked about again."""
    service = Service(lambda case: StepFailure("busy", "later", retry=True) if case.facts["n"] > case.attempt else None)
    world = ask(service)
    world.deploy(flow(retries=3))
    cases = world.open_many([{"n": n} for n in (1, 2, 3)])
    world.run()
    assert [world.case(one).state for one in cases] == ["ended", "ready", "ready"]
    assert world.case(cases[1]).due_at - world.clock.now() == timedelta(seconds=5)
    world.later(seconds=5)
    assert [world.case(one).state for one in cases] == ["ended", "ended", "ready"]
    assert world.case(cases[2]).due_at - world.clock.now() == timedelta(seconds=20)
    world.later(seconds=20)
    assert [service.asked[one] for one in cases] == [1, 2, 3]
    assert [world.case(one).facts["answer"] for one in cases] == [1, 2, 3]


def test_attempts_have_an_end(ask: Callable[..., World]) -> None:
    """After `retries` further attempts the case is an exception, with the words of the last failure."""
    service = Service(lambda _case: StepFailure("busy", "come back", retry=True))
    world = ask(service)
    world.deploy(flow(retries=2))
    case = world.open()
    world.later(days=1)
    assert service.asked[case] == 3
    assert world.case(case).problem == {"stage": "a", "code": "busy", "words": "come back"}


def test_a_service_that_hangs_is_given_up(ask: Callable[..., World]) -> None:
    """After the time-out the batch counts as failed and is tried again; its late answer is dropped."""
    gate = threading.Event()
    hung: list[str] = []

    def plan(case: StepInput) -> None:
        if not hung:
            hung.append(case.case_id)
            gate.wait(WAIT_S)

    service = Service(plan)
    world = ask(service)
    world.deploy(flow(timeout="50ms"))
    case = world.open()
    world.run()
    gate.set()
    assert world.where(case) == ("ready", "a")
    world.later(seconds=5)
    assert (world.case(case).end, world.case(case).facts) == ("z", {"answer": 2})


def test_one_that_breaks_the_call_is_found(ask: Callable[..., World]) -> None:
    """A batch that crashes is halved; the neighbours of the culprit get their answers in the same run."""

    def plan(case: StepInput) -> None:
        if case.facts["n"] == 5:
            message = "poison"
            raise ValueError(message)

    world = ask(Service(plan))
    world.deploy(flow(retries=0))
    cases = world.open_many([{"n": n} for n in range(20)])
    world.run()
    assert Counter(world.case(one).state for one in cases) == {"ended": 19, "exception": 1}
    assert "poison" in world.case(cases[5]).problem["words"]


@pytest.mark.parametrize("answer", ["abc", 7, object(), {"x": object()}, {1: 2}])
def test_an_answer_that_is_none_is_an_exception(ask: Callable[..., World], answer: Any) -> None:
    """What a service returned and JSON cannot hold stops its own case, not the chunk."""
    world = ask(Service(lambda case: answer if case.facts["n"] else None))
    world.deploy(flow())
    good, bad = world.open_many([{"n": 0}, {"n": 1}])
    world.run()
    assert (world.case(good).end, world.case(bad).problem["code"]) == ("z", "step_result")


def test_a_stored_answer_is_not_asked_for_again(ask: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies behind the answer and before its case moved pays nothing twice."""
    service = Service()
    world = ask(service)
    world.deploy(flow(max_batch=2, concurrency=1))
    cases = world.open_many([{"n": n} for n in range(6)])
    stored: list[str] = []

    def dies(name: str) -> None:
        stored.append(name)
        if len(stored) == 2:
            raise UnavailableError("the machine went away")

    monkeypatch.setattr(io_steps, "fault_point", dies)
    source = CaseSource(world.engine, WorkLane.INTERACTIVE)
    source.lease(500, 60.0, "t")
    with pytest.raises(UnavailableError):
        source.run("t")
    monkeypatch.undo()
    paid = Counter(service.asked)
    before = [world.case(one).stage for one in cases]
    assert before.count("z") == 2, "what was finished before moved on by itself"
    world.clock.advance(timedelta(seconds=61))
    world.run()
    assert {world.case(one).end for one in cases} == {"z"}
    assert all(service.asked[one] == 1 for one in cases[:4]), "two batches were stored"
    assert service.asked.total() - paid.total() <= 2


def test_a_split_asks_nothing_twice(ask: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk that dies as a whole is taken up in parts; each finds the answers that were paid for."""
    service = Service()
    world = ask(service)
    world.deploy(flow())
    cases = world.open_many([{"n": n} for n in range(4)])
    source = CaseSource(world.engine, WorkLane.INTERACTIVE)

    def dies(name: str) -> None:
        if name == "chunk.before_move":
            raise UnavailableError("the machine went away")

    monkeypatch.setattr(engine, "fault_point", dies)
    for turn in range(3):
        source.lease(500, 60.0, f"t{turn}")
        with pytest.raises(UnavailableError):
            source.run(f"t{turn}")
        world.clock.advance(timedelta(seconds=61))
    monkeypatch.undo()
    world.run()
    assert {world.case(one).end for one in cases} == {"z"}
    assert {*service.asked.values()} == {1}


def test_finished_cases_do_not_wait_for_slow_ones(ask: Callable[..., World]) -> None:
    """A batch that is done moves on, and commits, while another is still being asked about."""
    gate = threading.Event()
    worlds: list[World] = []
    ended: list[str] = []

    def plan(case: StepInput) -> None:
        if case.facts["slow"]:
            for _ in range(200):  # bounded: each look is a read of the database, not a sleep
                if gate.wait(0.05) or worlds[0].case(cases[1]).stage != "a":
                    break
            ended.append(worlds[0].case(cases[1]).stage)

    world = ask(Service(plan))
    worlds.append(world)
    world.deploy(flow(max_batch=1, concurrency=2))
    cases = world.open_many([{"slow": True}, {"slow": False}])
    world.run()
    assert ended == ["z"], "the quick one was at its next stage before the slow one had its answer"
    assert {world.case(one).end for one in cases} == {"z"}


def test_the_lease_is_kept_while_calls_run(ask: Callable[..., World]) -> None:
    """A call that outlasts the lease is not given to a second worker."""
    taken: list[int] = []
    worlds: list[World] = []
    first = threading.Event()

    def plan(case: StepInput) -> None:
        del case
        if first.is_set():
            return
        first.set()
        before = worlds[0].clock.now() + timedelta(seconds=0.5)
        worlds[0].clock.advance(timedelta(seconds=0.4))
        for _ in range(200):
            if worlds[0].case(cases[0]).lease_until > before:
                break
            gate.wait(0.05)
        worlds[0].clock.advance(timedelta(seconds=0.4))
        taken.append(CaseSource(worlds[0].engine, WorkLane.INTERACTIVE).lease(9, 0.5, "thief"))

    gate = threading.Event()
    world = ask(Service(plan), lease_s=0.5)
    worlds.append(world)
    world.deploy(flow())
    cases = [world.open()]
    world.run()
    assert taken == [0]
    assert world.case(cases[0]).end == "z"


def test_a_lost_lease_stops_the_asking(ask: Callable[..., World]) -> None:
    """When somebody else has the cases, calls that have not begun are not made, and nothing is written."""
    worlds: list[World] = []

    def plan(_case: StepInput) -> None:
        if len(service.batches) == 1:
            worlds[0].clock.advance(timedelta(seconds=61))
            CaseSource(worlds[0].engine, WorkLane.INTERACTIVE).lease(99, 60.0, "thief")

    service = Service(plan)
    world = ask(service)
    worlds.append(world)
    world.deploy(flow(max_batch=1, concurrency=1))
    world.open_many([{"n": n} for n in range(9)])
    source = CaseSource(world.engine, WorkLane.INTERACTIVE)
    source.lease(99, 60.0, "t")
    assert world.engine.run("t").written == 0
    assert len(service.batches) <= 3
