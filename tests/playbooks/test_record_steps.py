"""Record steps: what they write is kept with the move of their cases, or forgotten with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import select

from fairlead.audit.tables import entry
from fairlead.customers import CustomerDraft, IdentityKind, holder_of, resolve_many
from fairlead.errors import InputError, UnavailableError
from fairlead.jobs import WorkLane
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import CaseSource, StepFailure, StepKind
from tests.playbooks.world import batch_step, playbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.kit.unit_of_work import UnitOfWork
    from fairlead.playbooks import StepInput
    from fairlead.testing import RecordingConnector
    from tests.playbooks.world import World

FLOW = playbook("  a: {step: write@1, next: z}\n  z: {end: z}")


class Writer:
    """A step that makes a customer per case and fails on plan, after it wrote."""

    def __init__(self, plan: Callable[[StepInput], Any] = lambda _case: None) -> None:
        """`plan` gives a failure, raises, or None for what was found."""
        self.plan = plan
        self.seen: list[StepInput] = []

    def __call__(self, uow: UnitOfWork, cases: Sequence[StepInput]) -> list[Any]:
        """One result per case, in the caller's transaction."""
        self.seen += cases
        results = []
        for case in cases:
            email = f"{case.facts['n']}@example.com"
            resolve_many(uow, [CustomerDraft(name="A", identities=(("email", email),), source="test")])
            uow.record(AuditEntry("test.written", email))
            results.append(self.plan(case) or {"written": email})
        return results


@pytest.fixture
def writing(make_world: Callable[..., World]) -> Callable[..., World]:
    """A world whose record step `write@1` is the given writer, with the flow deployed."""

    def make(writer: Writer) -> World:
        world = make_world(batch_step("write@1", writer, StepKind.RECORD))
        world.deploy(FLOW)
        return world

    return make


def written(world: World, count: int) -> list[int]:
    """Which of the numbers were written."""
    with world.database.reading() as reader:
        return [n for n in range(count) if holder_of(reader, (IdentityKind.EMAIL, f"{n}@example.com"))]


def test_it_writes_and_moves_on(writing: Callable[..., World]) -> None:
    """The step knows whose case it is; what it found is a fact and its audit entry is there."""
    writer = Writer()
    world = writing(writer)
    cases = world.open_many([{"n": n} for n in range(5)], customer=world.customer())
    world.run()
    assert [world.case(one).facts["written"] for one in cases] == [f"{n}@example.com" for n in range(5)]
    assert {world.case(one).end for one in cases} == {"z"}
    assert written(world, 5) == [0, 1, 2, 3, 4]
    assert world.verbs("3@example.com") == ["test.written"]
    one = writer.seen[0]
    assert (one.customer_id, one.subject_kind, one.playbook) == (world.customers[0], "lead", "test")
    assert one.subject_id.startswith("lead_")


def test_a_case_that_breaks_the_step_leaves_nothing_behind(writing: Callable[..., World]) -> None:
    """What was written for it is undone, also by its neighbours' calls; they are written once and move on."""

    def plan(case: StepInput) -> None:
        if case.facts["n"] == 3:
            raise ZeroDivisionError
        if case.facts["n"] == 5:
            message = "no seat is left"
            raise InputError(message, code="no_seat")

    world = writing(Writer(plan))
    cases = world.open_many([{"n": n} for n in range(7)])
    world.run()
    assert written(world, 7) == [0, 1, 2, 4, 6]
    assert world.case(cases[3]).problem["code"] == "step_crashed"
    assert world.case(cases[5]).problem == {"stage": "a", "code": "no_seat", "words": "no seat is left"}
    assert world.verbs("3@example.com") == []
    assert world.verbs("4@example.com") == ["test.written"]


def test_facts_that_grow_too_large_undo_the_writes(writing: Callable[..., World]) -> None:
    """The case is an exception with the facts that it came with."""
    world = writing(Writer(lambda case: {"big": "x" * 300_000} if case.facts["n"] else None))
    cases = world.open_many([{"n": 0}, {"n": 1}])
    world.run()
    assert world.case(cases[1]).problem["code"] == "facts_too_large"
    assert world.case(cases[1]).facts == {"n": 1}
    assert written(world, 2) == [0]


def test_a_failure_that_may_pass_is_tried_again(writing: Callable[..., World]) -> None:
    """With the same pauses as other steps."""
    world = writing(Writer(lambda case: StepFailure("full", "later", retry=True) if case.attempt == 1 else None))
    case = world.open({"n": 0})
    world.run()
    assert world.where(case) == ("ready", "a")
    world.later(seconds=5)
    assert world.case(case).end == "z"


def test_a_database_that_fails_is_no_cases_fault(writing: Callable[..., World]) -> None:
    """The whole transaction is lost, and every case is where it was, for the next lease."""

    def plan(_case: StepInput) -> None:
        message = "the connection was lost"
        raise UnavailableError(message)

    writer = Writer(plan)
    world = writing(writer)
    cases = world.open_many([{"n": n} for n in range(3)])
    with pytest.raises(UnavailableError):
        world.run()
    assert [world.where(one) for one in cases] == [("ready", "a")] * 3
    assert written(world, 3) == []
    writer.plan = lambda _case: None
    world.clock.advance(timedelta(minutes=5))
    world.run()
    assert {world.case(one).end for one in cases} == {"z"}


def test_the_record_keeps_the_order_of_things(writing: Callable[..., World]) -> None:
    """How the case came to the step stands before what the step wrote, and where it went on behind both."""
    world = writing(Writer())
    case = world.open({"n": 0})
    world.run()
    with world.database.reading() as reader:
        query = select(entry.c.verb).where(entry.c.subject.in_([case, "0@example.com"])).order_by(entry.c.id)
        verbs = list(reader.execute(query).scalars())
    assert verbs == ["case.opened", "test.written", "case.moved", "case.ended"]


GOING_ON = playbook(
    "  a: {step: write@1, next: b}\n"
    "  b: {branch: [{when: n > 0, next: c}], otherwise: d}\n"
    "  c: {act: mail, kind: k, body: {n: n, written: written}, next: {sent: z}}\n"
    "  d: {step: other@1, next: z}\n"
    "  z: {end: z}",
    head="facts: {n: int, written: string}\nstart: a",
)


def test_what_needs_memory_alone_follows_in_the_same_transaction(make_world: Callable[..., World]) -> None:
    """A branch and an act behind the step take no lease of their own; another step does."""
    writer = Writer()
    world = make_world(
        batch_step("write@1", writer, StepKind.RECORD), batch_step("other@1", lambda cases: [{} for _ in cases])
    )
    world.deploy(GOING_ON)
    cases = world.open_many([{"n": 0}, {"n": 1}])
    assert CaseSource(world.engine, WorkLane.INTERACTIVE).lease(9, 60.0, "t") == 2
    world.engine.run("t")
    assert [world.where(one) for one in cases] == [("ready", "d"), ("waiting", "c")]
    world.run()
    assert [world.case(one).end for one in cases] == ["z", "z"]
    assert [one.body for one in cast("RecordingConnector", world.mail).calls] == [{"n": 1, "written": "1@example.com"}]
