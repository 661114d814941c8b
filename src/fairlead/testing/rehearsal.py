"""Rehearsing a workspace: its test cases run through the real engine, where no time passes and nothing leaves.

Each case gets an empty database (a temporary SQLite file), a clock that stands still, connectors that only
pretend, and for every step that would ask another service what the test says that it finds.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import inspect

from fairlead.actions import RetryPolicy
from fairlead.audit import Trail
from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, record_consent, resolve_many, set_flag
from fairlead.errors import FairleadError, SourceError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.columns import metadata
from fairlead.kit.database import Database
from fairlead.kit.events import Event, publish
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import (
    CaseDraft,
    CaseVerb,
    Engine,
    EngineSettings,
    StepRegistry,
    deploy,
    open_cases,
    read_case,
    steer,
)
from fairlead.schema import create_schema
from fairlead.testing.clock import FakeClock
from fairlead.testing.rehearsal_fakes import Idle, Pretending, RehearsedLibrary, Stand
from fairlead.testing.rehearsal_files import AssumedGrant, Move, Rehearsal
from fairlead.testing.rehearsal_judging import Found, Seen, differences, read_found, seen_of
from fairlead.testing.rehearsal_people import People

CASE = "case_" + "0" * 24
TESTER = Actor(ActorKind.USER, "per_rehearsal")
KEPT = frozenset({"bundle", "deployment"})
_MEMORY = Path("/dev/shm")  # noqa: S108  a disk would be asked to sync at every commit, for nothing
_GRANTED_FOR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test case: passed when there are no differences. `found` is where the case stood at the end."""

    rehearsal: Rehearsal
    differences: list[str]
    found: Found | None
    seen: Seen

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.differences


class Rehearser:
    """Where rehearsals run; made by `rehearser_for`, for one workspace. Not safe for threads."""

    def __init__(
        self, folder: Path, files: Mapping[str, str], registry: StepRegistry, connectors: frozenset[str]
    ) -> None:
        """`folder` is an empty one of its own. SourceError for a mistake in the workspace's files."""
        url = f"sqlite:///{folder / 'rehearsal.db'}"
        create_schema(url)
        self.clock = FakeClock()
        self._began = self.clock.now()
        self._stand = Stand()
        self.library = RehearsedLibrary(registry, connectors, self._stand)
        self.database = Database(url, clock=self.clock, trail=Trail())
        self.engine = Engine(self.database, self.library, EngineSettings(seed=bytes(32)))
        self._connectors = {name: Pretending(name) for name in connectors}
        once = RetryPolicy(max_attempts=1)
        self._idle = Idle(self.engine, self.clock, self._connectors, retry=once)
        with self.database.transaction() as uow:
            deploy(uow, self.library, SYSTEM, files)
        with self.database.reading() as reader:
            self.bundle = self.library.current(reader)
        with self.database.raw() as connection:
            there = set(inspect(connection).get_table_names()) - KEPT
        self._emptied = [table for table in reversed(metadata.sorted_tables) if table.name in there]
        self._people = People(self.database, self.bundle, self._idle.run)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def run(self, rehearsal: Rehearsal) -> Outcome:
        """Run one test case from an empty database to its end; a fault of the test's script is a difference, too."""
        self._reset()
        self._stand.results = rehearsal.steps
        for connector in self._connectors.values():
            connector.answers = rehearsal.actions
        found: list[str] = []
        try:
            case = self._open(rehearsal)
            self._idle.run()
            for move in rehearsal.script:
                if move.kind == "expect":
                    found += [f"line {move.place.line}: {one}" for one in self._differences(case, move.value)]
                    continue
                try:
                    self._move(case, move)
                except SourceError:
                    raise
                except FairleadError as error:
                    found.append(f"line {move.place.line}: `{move.kind}` could not be done: {error.message}")
                    break
                self._idle.run()
            found += self._differences(case, rehearsal.expect)
        except FairleadError as error:
            return Outcome(rehearsal, [*found, error.message], None, Seen())
        with self.database.reading() as reader:
            return Outcome(rehearsal, found, read_found(reader, self.bundle, case), seen_of(reader))

    def _differences(self, case: str, expect: Any) -> list[str]:
        with self.database.reading() as reader:
            return differences(read_found(reader, self.bundle, case), expect, self.bundle)

    def _reset(self) -> None:
        self.clock.advance(self._began - self.clock.now())
        with self.database.raw() as connection:
            for table in self._emptied:
                connection.execute(table.delete())

    def _open(self, rehearsal: Rehearsal) -> str:
        subject = self.bundle.playbooks[rehearsal.playbook].playbook.subject
        with self.database.transaction() as uow:
            customer = rehearsal.customer
            said = customer.fields
            identities = [(kind, said[kind].strip().lower()) for kind in ("email", "phone") if kind in said]
            draft = CustomerDraft(
                said.get("name", ""), said.get("company", ""), said.get("country"), said.get("language"), None,
                tuple(identities) or (("external_id", "rehearsal"),), source="rehearsal",
            )  # fmt: skip
            [one] = resolve_many(uow, [draft])
            for flag, value in customer.flags.items():
                set_flag(uow, TESTER, one.id, flag, value, source="rehearsal", owner="rehearsal")
            for purpose, channels in customer.consents.items():
                for channel, state in channels.items():
                    consent = ConsentRecord(purpose, channel, ConsentState(state), "rehearsal", "rehearsal")
                    record_consent(uow, TESTER, one.id, consent)
            for grant in rehearsal.grants:
                self._grant(uow, grant)
            case = CaseDraft(rehearsal.playbook, subject, "rehearsed", rehearsal.facts, one.id, id=CASE)
            return open_cases(uow, [case], self.bundle)[0]

    def _grant(self, uow: Any, grant: AssumedGrant) -> None:
        policy = self.bundle.policies[grant.checkpoint]
        expires = uow.now + _GRANTED_FOR
        for segment in [grant.segment] if grant.segment else policy.segment_names:
            made = Grant(
                "", grant.checkpoint, segment, grant.producer, grant.level, policy.version, expires,
                grant.threshold if grant.level is Level.AUTO else None, lottery_rate=0.0,
            )  # fmt: skip
            set_grant(uow, TESTER, "manager", made, {"note": "assumed by a rehearsal"})

    def _move(self, case: str, move: Move) -> None:
        if move.kind == "after":
            self._idle.run_for(move.value)
        elif move.kind == "event":
            with self.database.transaction() as uow:
                row = read_case(uow, case)
                uow.record(AuditEntry("rehearsal.event", row.customer_id or case, {"type": move.value}))
                publish(uow, Event(move.value, row.customer_id or "", dict(move.more)))
        elif move.kind == "tell":
            with self.database.transaction() as uow:
                steer(
                    uow, self.library, TESTER, case, CaseVerb(move.value),
                    stage=move.more.get("stage"), reason=move.more.get("reason", "rehearsed"),
                )  # fmt: skip
        else:
            self._people.decide(case, move)


@contextmanager
def rehearser_for(files: Mapping[str, str], registry: StepRegistry, connectors: frozenset[str]) -> Iterator[Rehearser]:
    """A rehearser for this workspace's files in a temporary folder; SourceError for a mistake in them."""
    where = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fairlead-rehearsal-", dir=where, ignore_cleanup_errors=True) as folder:
        made = Rehearser(Path(folder), files, registry, connectors)
        try:
            yield made
        finally:
            made.close()
