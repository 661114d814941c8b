"""Record steps of two workers that lock the same rows the wrong way round: Postgres ends one, and nothing is lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from fairlead.customers.tables import customer
from fairlead.errors import UnavailableError
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import StepKind
from tests.playbooks.world import World, batch_step, playbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.kit.unit_of_work import UnitOfWork
    from fairlead.playbooks import Step, StepInput
    from fairlead.testing.clock import FakeClock

FLOW = playbook("  a: {step: lock@1, next: z}\n  z: {end: z}")
WORKERS, CASES = 2, 8


def locking(order: Sequence[str], both_hold: threading.Barrier) -> Step:
    """A step that locks these customers in this order; the first time it waits until the other holds its first."""
    met = threading.Event()

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[dict[str, int]]:
        for one in order:
            uow.execute(select(customer.c.id).where(customer.c.id == one).with_for_update())
            if not met.is_set():
                met.set()
                both_hold.wait(30)
        for case in cases:
            uow.record(AuditEntry("test.locked", f"n{case.facts['n']}"))
        return [{"done": 1} for _ in cases]

    return batch_step("lock@1", run, StepKind.RECORD)


@pytest.mark.slow
def test_a_deadlock_of_record_steps_loses_nothing(postgres_url: str, clock: FakeClock) -> None:
    """One of the two is ended by Postgres and told so; its cases go through later, and every case goes through once."""
    both_hold = threading.Barrier(WORKERS)
    first = World.at(postgres_url, clock, [locking([], both_hold)])
    first.deploy(FLOW)
    pools = [first.customer(), first.customer()]
    cases = first.open_many([{"n": number} for number in range(CASES)])
    orders = (pools, pools[::-1])
    workers = [World.at(postgres_url, clock, [locking(order, both_hold)], chunk=CASES // 2) for order in orders]
    refused: list[UnavailableError] = []

    def work(world: World) -> None:
        try:
            world.run()
        except UnavailableError as error:
            refused.append(error)

    threads = [threading.Thread(target=work, args=(world,)) for world in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refused) == 1
    clock.advance(timedelta(minutes=5))
    workers[0].run()
    assert [first.case(one).end for one in cases] == ["z"] * CASES
    assert [first.case(one).problem for one in cases] == [None] * CASES
    assert [first.verbs(f"n{number}") for number in range(CASES)] == [["test.locked"]] * CASES
    for world in (first, *workers):
        world.database.close()
