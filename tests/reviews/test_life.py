"""Any sequence of verbs, by anybody, at any time: the promises that hold all along."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fairlead import reviews
from fairlead.errors import ConflictError, ForbiddenError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.reviews import QueueFilter, Verb, View
from fairlead.reviews.model import Bucket
from fairlead.testing.clock import FakeClock
from tests.reviews.world import ANN, BOB, CEM, LEASE, Desk, person

PEOPLE = (ANN, BOB, CEM, person("Lea", "lead", "sales"))
people = st.sampled_from(PEOPLE)
some = st.integers(0, 3)


class Life(RuleBasedStateMachine):
    """Four reviews, four people, one clock; refused verbs must change nothing."""

    url = ""

    @initialize(blind=st.booleans(), quorum=st.integers(1, 2), path=st.sampled_from(["assist", "human"]))
    def begin(self, blind: bool, quorum: int, path: str) -> None:
        """On a copy of the empty database."""
        self.folder = Path(tempfile.mkdtemp(prefix="fairlead-life-"))
        shutil.copyfile(self.url.removeprefix("sqlite:///"), self.folder / "life.db")
        self.desk = Desk.at(f"sqlite:///{self.folder / 'life.db'}", FakeClock())
        given: dict[str, Any] = {"due_in": timedelta(hours=1), "path": path, "customer_id": "cus_1"}
        needs = (("sales", 2), ("lead", 1)) if quorum > 1 else (("sales", 1),)
        self.ids = self.desk.open(
            2,
            blind=blind,
            needs=needs,
            on_expiry="reject",
            **given,
        )
        self.ids += self.desk.open(1, on_expiry="escalate:lead", **given)
        self.ids += self.desk.open(1, on_expiry="wait", **given | {"customer_id": "cus_2"})
        self.settled: dict[str, str] = {}

    def teardown(self) -> None:
        """Close and remove the copy."""
        if hasattr(self, "desk"):
            self.desk.database.close()
            shutil.rmtree(self.folder)

    def _try(self, call: Any) -> None:
        """A refusal is a 403 or 409 and leaves every review as it was."""
        before = [self.desk.get(one) for one in self.ids]
        try:
            call()
        except (ConflictError, ForbiddenError):
            assert before == [self.desk.get(one) for one in self.ids]

    @rule(which=some, who=people)
    def claim(self, which: int, who: reviews.Reviewer) -> None:
        """Any review, anybody."""
        self._try(lambda: self.desk.claim(self.ids[which], who))

    @rule(who=people)
    def claim_next(self, who: reviews.Reviewer) -> None:
        """Whatever comes next."""
        self._try(lambda: self.desk.claim_next(who))

    @rule(
        which=some,
        who=people,
        answer=st.sampled_from(["north", "south"]),
        verdict=st.sampled_from(sorted(reviews.Verb)),
    )
    def decide(self, which: int, who: reviews.Reviewer, answer: str, verdict: Verb) -> None:
        """Any verdict, allowed or not."""
        if verdict not in {"approve", "edit", "reject", "answer", "escalate", "request_info", "return"}:
            return
        body = {"team": answer} if verdict in {"edit", "answer"} else None
        role = "lead" if verdict == "escalate" else None
        self._try(lambda: self.desk.decide(self.ids[which], verdict, who, answer=body, reason="because", to_role=role))

    @rule(which=some, who=people, verb=st.sampled_from(["release", "heartbeat", "snooze", "unsnooze", "resume"]))
    def handle(self, which: int, who: reviews.Reviewer, verb: str) -> None:
        """The verbs around a verdict."""
        one = self.ids[which]

        def act() -> None:
            with self.desk.transaction() as uow:
                match verb:
                    case "release":
                        reviews.release(uow, one, who)
                    case "heartbeat":
                        reviews.heartbeat(uow, one, who, LEASE)
                    case "snooze":
                        reviews.snooze(uow, one, who, uow.now + timedelta(minutes=7))
                    case "unsnooze":
                        reviews.unsnooze(uow, one, who)
                    case _:
                        reviews.resume(uow, one, SYSTEM, "told")

        self._try(act)

    @rule(which=some, who=people)
    def undo(self, which: int, who: reviews.Reviewer) -> None:
        """In time or too late."""
        self._try(lambda: self.desk.undo(self.ids[which], who))

    @rule(which=some)
    def withdraw(self, which: int) -> None:
        """An interrupt."""
        with self.desk.transaction() as uow:
            uow.record(AuditEntry("test.withdrew", "reviews"))
            reviews.withdraw_for_ruling(uow, self.desk.get(self.ids[which]).ruling_id, SYSTEM, "moot")

    @rule(seconds=st.sampled_from([1, 10, 300, 3600]), sweep=st.booleans())
    def time_passes(self, seconds: int, sweep: bool) -> None:
        """With or without a sweep to notice."""
        self.desk.clock.advance(timedelta(seconds=seconds))
        if sweep:
            self.desk.sweep()

    @invariant()
    def a_decision_stands_behind_each_settled_review_and_no_other(self) -> None:
        """Decided or expired: one decision. Open: none. And no timer approves."""
        for one in getattr(self, "ids", ()):
            now, found = self.desk.get(one), self.desk.decision(one)
            assert (found is not None) == (now.state in {"decided", "expired"})
            if found is not None and found.decided_by.startswith("timer:"):
                assert (found.verdict, found.answer) == ("reject", None)

    @invariant()
    def what_is_final_stays(self) -> None:
        """A decision that took effect, an expiry and a withdrawal never change again."""
        for one in getattr(self, "ids", ()):
            now = self.desk.get(one)
            if one in self.settled:
                assert self.settled[one] == now.state
            late = now.effective_at is None or self.desk.clock.now() >= now.effective_at
            if not now.is_open and late:
                self.settled[one] = now.state

    @invariant()
    def a_customer_is_with_one_person(self) -> None:
        """All claims in force on one customer's reviews are one person's."""
        if hasattr(self, "ids"):
            now = self.desk.clock.now()
            held = [one for one in map(self.desk.get, self.ids) if one.held(now) and one.customer_id == "cus_1"]
            assert len({one.claimed_by for one in held}) <= 1

    @invariant()
    def the_counts_are_what_is_there(self) -> None:
        """Running counts equal the rows, and each open review is on one shelf of the pages."""
        if hasattr(self, "ids"):
            rows = [self.desk.get(one) for one in self.ids]
            with self.desk.database.reading() as reader:
                counted = reviews.tallies(reader)
            for bucket in Bucket:
                total = sum(number for (_, _, name), number in counted.items() if name == bucket)
                assert total == sum(bucket in row.buckets for row in rows)
            worked, snoozed = self.desk.page(), self.desk.page(QueueFilter(View.SNOOZED))
            paused = [row.id for row in rows if row.shelf == "paused"]
            assert sorted([*worked, *snoozed, *paused]) == sorted(row.id for row in rows if row.is_open)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_any_sequence_of_verbs_keeps_the_promises(sqlite_url: str) -> None:
    """On SQLite, since one thread at a time says nothing more on Postgres; the races have both."""
    life = type("LifeHere", (Life,), {"url": sqlite_url})
    how = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(life, settings=how)
