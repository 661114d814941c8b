"""The protocol of places as a state machine: whatever senders, opt-outs, merges and clocks do, and in what order."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fairlead.audit import Trail
from fairlead.customers import merge
from fairlead.guardrails import contact_log, expire_reservations, stale_reservations
from fairlead.kit.database import Database
from fairlead.testing.clock import FakeClock
from tests.guardrails.desk import USER, Desk

if TYPE_CHECKING:
    from datetime import datetime

MOST, SPAN = 2, timedelta(hours=6)
RULES = f"""\
purposes:
  sales: {{class: promotional, mechanism: opt_out}}
  service: {{class: transactional}}
caps:
  - {{name: few, most: {MOST}, per: 6h}}
"""
PEOPLE, KEYS = st.integers(0, 2), st.integers(0, 2)
TEMPLATE: list[Path] = []


class Protocol(RuleBasedStateMachine):
    """Three customers, three messages for each; a model of what each place is, kept in plain dictionaries."""

    def __init__(self) -> None:
        """A new database, copied from one with the schema."""
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="fairlead-protocol-"))
        shutil.copyfile(TEMPLATE[0], self.folder / "a.db")
        self.clock = FakeClock()
        self.desk = Desk(Database(f"sqlite:///{self.folder / 'a.db'}", clock=self.clock, trail=Trail()))
        self.places: dict[str, tuple[str, int, datetime]] = {}  # key → state, whose, since when
        self.gone: set[int] = set()
        self.stands: dict[int, int] = {}

    def teardown(self) -> None:
        """Close and forget."""
        self.desk.database.close()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        """Customers and rules."""
        self.desk.deploy(RULES)
        self.ids = [self.desk.customer(f"p{n}@example.test") for n in range(3)]
        self.stands = {n: n for n in range(3)}

    def held(self, who: int, but: str) -> int:
        """Places that count for everybody who is one with `who`."""
        floor = self.clock.now() - SPAN
        same = {n for n, kept in self.stands.items() if kept == self.stands[who]}
        return sum(
            owner in same and state != "released" and at > floor
            for key, (state, owner, at) in self.places.items()
            if key != but
        )

    @rule(who=PEOPLE, number=KEYS)
    def ask(self, who: int, number: int) -> None:
        """Ask about a message; the model knows the answer and what the place is then."""
        key = f"{self.stands[who]}-{who}-{number}"
        before = next((one for one in self.places if one.endswith(f"-{who}-{number}")), key)
        state = self.places.get(before, ("", 0, None))[0]
        answer = self.desk.ask(before, self.ids[who])
        out = {n for n in self.gone if self.stands[n] == self.stands[who]}
        if state == "accepted":
            expected = "already_sent"
        elif out:
            # Once records are one, the letter goes to the first address of all of them, which may be another's.
            expected = "withdrawn" if answer.code == "withdrawn" else "suppressed"
        else:
            expected = "cap" if self.held(who, before) >= MOST else "allowed"
        assert answer.code == expected
        if out:
            assert answer.verdict == "refused"
        if answer.verdict == "allowed":
            self.places[before] = ("unknown" if state in {"reserved", "unknown"} else "reserved", who, self.clock.now())
        elif state == "reserved":
            self.places[before] = ("unknown", *self.places[before][1:])

    @precondition(lambda self: self.places)
    @rule(number=st.integers(0, 20), outcome=st.sampled_from(["not_sent", "unknown", "accepted"]))
    def settle(self, number: int, outcome: str) -> None:
        """Say what became of a message that had a place."""
        key = sorted(self.places)[number % len(self.places)]
        self.desk.settle(key, outcome)
        state, *rest = self.places[key]
        after = {"accepted": "accepted", "not_sent": "released", "unknown": "unknown"}[outcome]
        if (
            state == "accepted"
            or (state == "unknown" and after == "released")
            or (state, after) == ("released", "unknown")
        ):
            after = state
        self.places[key] = (after, *rest)  # type: ignore[assignment]

    @rule(minutes=st.sampled_from([1, 59, 180, 361]))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.clock.advance(timedelta(minutes=minutes))

    @rule(who=PEOPLE, sure=st.integers(0, 5))
    def opt_out(self, who: int, sure: int) -> None:
        """A customer wants nothing any more; rarely, or nothing else would ever happen."""
        if sure < 5:
            return
        self.desk.opt_out(self.ids[who])
        self.gone |= {n for n, kept in self.stands.items() if kept == self.stands[who]}

    @rule(kept=PEOPLE, other=PEOPLE)
    def join(self, kept: int, other: int) -> None:
        """Two records turn out to be one customer."""
        kept, other = self.stands[kept], self.stands[other]
        if kept == other:
            return
        with self.desk.database.transaction() as uow:
            merge(uow, USER, self.ids[kept], self.ids[other], reason="the same")
        self.stands = {n: kept if stood == other else stood for n, stood in self.stands.items()}

    @rule(began=st.booleans())
    def sweep(self, began: bool) -> None:
        """Old reservations end: given back only where the delivery never began."""
        with self.desk.database.transaction() as uow:
            stale = stale_reservations(uow, self.clock.now() - timedelta(hours=1))
            expire_reservations(uow, stale, set() if began else set(stale))
        for key in stale:
            self.places[key] = ("unknown" if began else "released", *self.places[key][1:])

    @invariant()
    def log_is_the_model(self) -> None:
        """The states in the log are those of the model."""
        if not self.stands:
            return
        with self.desk.database.reading() as reader:
            stored = {one.key: one.state for one in contact_log(reader, {"verdict": "allowed"}, limit=500)}
        assert stored == {key: state for key, (state, _, _) in self.places.items()}


@pytest.mark.timeout(300)
def test_the_protocol_keeps_its_promises(sqlite_url: str) -> None:
    """Random histories of asking, settling, waiting, opting out, merging and sweeping agree with the model."""
    TEMPLATE[:] = [Path(sqlite_url.removeprefix("sqlite:///"))]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Protocol, settings=settings(max_examples=25, stateful_step_count=30, deadline=None)
    )
