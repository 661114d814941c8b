"""kill -9 of `fairlead consent import`: run again it goes on, and nothing is in the ledger twice."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.world import World

ROWS = 220
HEADER = "email,purpose,channel,state,said_at,mechanism,proof\n"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_an_import_that_was_killed_is_run_again(kind: str, request: pytest.FixtureRequest) -> None:
    """What was taken is known and keeps its proof, the rest is taken, each customer is there once, the record holds."""
    world: World = request.getfixturevalue(f"{kind}_world")
    file = world.beside / "consents.csv"
    rows = [f"p{n}@firm.example,newsletter,email,given,2026-01-02T10:00Z,form,page {n}\n" for n in range(ROWS)]
    file.write_text(HEADER + "".join(rows), encoding="utf-8")
    ledger = "SELECT count(*) FROM consent WHERE source = 'file consents.csv'"
    proofs = "SELECT count(DISTINCT proof) FROM consent WHERE source = 'file consents.csv'"
    args = ("consent", "import", str(file), "--create", "--json")

    doomed = world.start(*args, fault="consents.taken:kill:2")
    assert doomed.wait() == -signal.SIGKILL, doomed.said()
    before = world.count(ledger)
    assert 0 < before < ROWS
    world.check(resting=False)

    for recorded, repeated in ((ROWS - before, before), (0, ROWS)):
        heir = world.start(*args)
        assert heir.wait() == 0, heir.said()
        found = heir.answer()
        figures = (found["rows"], found["recorded"], found["repeated"], found["refused_rows"])
        assert figures == (ROWS, recorded, repeated, 0)
        assert world.count(ledger) == world.count(proofs) == ROWS
    people = "SELECT count(*) FROM customer_identity WHERE value LIKE 'p%@firm.example'"
    assert world.count(people) == ROWS
    told = "SELECT count(*) FROM event WHERE type = 'opted_in'"
    assert world.count(told) == ROWS
    world.check(resting=False)
