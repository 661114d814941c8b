"""The engine: cases at the same stage advance together, in memory first, then in short transactions.

`Engine.run` takes what is leased under one token, moves every case as far as it can go without waiting, and
writes the outcome. A case whose lease was lost meanwhile is left out and counted; the others commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from fairlead.actions import queue_many
from fairlead.checkpoints import CheckpointState, autonomy_epoch, insert_ruled, read_state
from fairlead.customers import facts_of
from fairlead.errors import FairleadError, FaultError
from fairlead.kit.clock import to_micros
from fairlead.kit.database import Database
from fairlead.kit.events import Event, publish_many
from fairlead.kit.faults import fault_point
from fairlead.kit.jsons import dumps
from fairlead.kit.lanes import Lane
from fairlead.kit.pace import BatchPace
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.playbooks import store
from fairlead.playbooks.bundles import Bundle, BundleLibrary, CompiledPlaybook
from fairlead.playbooks.io_steps import run_io
from fairlead.playbooks.live import LiveCase
from fairlead.playbooks.model import (
    MAX_HOPS,
    ActStage,
    BranchStage,
    CaseState,
    CheckpointStage,
    EndStage,
    EngineSettings,
    SpawnStage,
    Stage,
    StepKind,
    StepStage,
    WaitStage,
)
from fairlead.playbooks.opening import CaseDraft, open_cases
from fairlead.playbooks.record_steps import run_record
from fairlead.playbooks.results import MAX_FACTS_CHARS
from fairlead.playbooks.stages import (
    act,
    branch,
    heed_events,
    resume,
    run_step,
    spawn,
    take_decision,
    wait,
    waits_for_customer,
)
from fairlead.playbooks.steps import RecordRun, StepRun
from fairlead.reviews import open_many

MAX_LEASES = 6
"""Leases without a move after which a case counts as one that kills its worker."""
ALONE_AFTER = 2
"""Leases without a move after which a case runs in a chunk of its own."""
_HOPS_A_RUN = 50
_IN_MEMORY = (ActStage, BranchStage, EndStage, SpawnStage)


@dataclass(slots=True)
class _Run:
    """What belongs to one call of `Engine.run`."""

    token: str
    bundles: dict[str, Bundle | FairleadError]
    epoch: str
    count: RunCount
    states: dict[tuple[str, str, str], CheckpointState] = field(default_factory=dict)


@dataclass(slots=True)
class RunCount:
    """What one run did: cases written, lost to another worker, and by where they rest."""

    written: int = 0
    lost: int = 0
    states: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Engine:
    """Advances leased cases; one per process, safe for threads."""

    def __init__(self, database: Database, library: BundleLibrary, settings: EngineSettings) -> None:
        """`wake`, called after a commit that made something ready, does nothing until somebody sets it."""
        self.database = database
        self.library = library
        self.settings = settings
        self.wake: Callable[[], None] = lambda: None
        self._pace = BatchPace(settings.bulk_ms, exclusive=database.is_sqlite)

    def run(self, token: str) -> RunCount:
        """Advance everything leased under `token`; nothing when nothing is."""
        with self.database.reading() as reader:
            rows = store.leased(reader, token)
            bundles = {digest: self._bundle(reader, digest) for digest in {row.bundle for row in rows}}
            run = _Run(token, bundles, autonomy_epoch(reader), RunCount())
        fault_point("chunk.leased")
        now = self.database.clock.now()
        together = []
        for row in rows:
            case = _live(row, now)
            if row.leases > MAX_LEASES:
                case.fail("worker_killed", f"was leased {MAX_LEASES} times and no worker lived to finish it")
                self._write([case], run)
            elif row.leases > ALONE_AFTER:
                self._advance([case], run)
            else:
                together.append(case)
        self._advance(together, run)
        return run.count

    def _bundle(self, reader: Reader, digest: str) -> Bundle | FairleadError:
        try:
            return self.library.load(reader, digest)
        except FaultError:  # the database's or the machine's: says nothing about the bundle
            raise
        except FairleadError as error:
            return error

    def _advance(self, cases: list[LiveCase], run: _Run) -> None:
        for _ in range(_HOPS_A_RUN):
            groups: dict[tuple[str, str, str], list[LiveCase]] = defaultdict(list)
            for case in cases:
                if not case.stopped:
                    groups[case.bundle, case.playbook, case.stage].append(case)
            if not groups:
                break
            for (digest, playbook, stage), group in groups.items():
                bundle = run.bundles[digest]
                if isinstance(bundle, FairleadError):
                    for case in group:
                        case.fail("bundle", f"this build cannot run its version: {bundle.message}")
                else:
                    self._stage(bundle, playbook, stage, group, run)
        self._settle_chunk(cases, run)

    def _settle_chunk(self, cases: list[LiveCase], run: _Run) -> None:
        for case in cases:
            if not case.stopped:
                case.yield_turn()
        self._write([case for case in cases if not case.written], run)

    def _stage(self, bundle: Bundle, playbook_name: str, stage_name: str, group: list[LiveCase], run: _Run) -> None:
        compiled = bundle.playbooks.get(playbook_name)
        stage = compiled.playbook.stages.get(stage_name) if compiled else None
        if compiled is None or stage is None:
            for case in group:
                case.fail("no_stage", f"its version has no stage {stage_name!r}")
            return
        fresh = []
        for case in group:
            if case.hops > MAX_HOPS:
                case.fail("endless", f"entered more than {MAX_HOPS} stages")
            elif case.signal is not None and not isinstance(stage, (StepStage, BranchStage, EndStage)):
                resume(stage, case)
            else:
                fresh.append(case)
        if fresh:
            self._enter(bundle, compiled, stage, fresh, run)

    def _step(
        self, bundle: Bundle, compiled: CompiledPlaybook, stage: StepStage, cases: list[LiveCase], run: _Run
    ) -> None:
        step = bundle.registry.find(stage.step)
        call = compiled.runs[stage.name]
        if step is not None and step.kind is StepKind.RECORD:
            for case in cases:
                case.recording = stage
                case.yield_turn()
        elif step is not None and step.kind is StepKind.IO:
            run_io(
                self.database, stage, cast("StepRun", call), cases, run.token, self.settings.lease_s,
                lambda batch: self._settle_chunk(batch, run),
            )  # fmt: skip
        else:
            run_step(stage, cast("StepRun", call), cases, plain=step is not None and step.plain)

    def _take_record_steps(self, uow: UnitOfWork, cases: list[LiveCase], run: _Run) -> None:
        groups: dict[tuple[str, str, str], list[LiveCase]] = defaultdict(list)
        for case in cases:
            if case.recording is not None:
                groups[case.recording.name, case.bundle, case.playbook].append(case)
        for (name, digest, playbook), group in sorted(groups.items()):
            bundle = run.bundles[digest]
            assert isinstance(bundle, Bundle)  # noqa: S101  the case came to this stage by it
            compiled = bundle.playbooks[playbook]
            for case in group:
                case.hand_over_entries(uow)  # what led here comes before what the step itself will say
            run_record(uow, cast("RecordRun", compiled.runs[name]), group)
            self._go_on(bundle, compiled, group, run)

    def _go_on(self, bundle: Bundle, compiled: CompiledPlaybook, cases: list[LiveCase], run: _Run) -> None:
        """Move cases on from a record step through what needs memory alone, so that they need no lease for it."""
        for _ in range(_HOPS_A_RUN):
            groups: dict[str, list[LiveCase]] = defaultdict(list)
            for case in cases:
                if not case.stopped:
                    groups[case.stage].append(case)
            if not groups:
                break
            for name, group in groups.items():
                if isinstance(compiled.playbook.stages.get(name), _IN_MEMORY):
                    self._stage(bundle, compiled.playbook.name, name, group, run)
                else:
                    for case in group:
                        case.yield_turn()
        for case in cases:
            if not case.stopped:
                case.yield_turn()

    def _enter(
        self, bundle: Bundle, compiled: CompiledPlaybook, stage: Stage, cases: list[LiveCase], run: _Run
    ) -> None:
        if isinstance(stage, StepStage):
            self._step(bundle, compiled, stage, cases, run)
        elif isinstance(stage, CheckpointStage):
            self._checkpoint(bundle, compiled.playbook.name, stage, cases, run)
        elif isinstance(stage, BranchStage):
            branch(stage, compiled.playbook.environment, cases)
        elif isinstance(stage, WaitStage):
            with self.database.reading() as reader:
                for case in cases:
                    wait(reader, stage, case)
        elif isinstance(stage, ActStage):
            act(stage, cases, bundle.minor_digits)
        elif isinstance(stage, SpawnStage):
            spawn(stage, cases)
        elif isinstance(stage, EndStage):
            for case in cases:
                case.finish(stage.end)

    def _checkpoint(
        self, bundle: Bundle, playbook: str, stage: CheckpointStage, cases: list[LiveCase], run: _Run
    ) -> None:
        key = (bundle.digest, playbook, stage.checkpoint)
        policy = bundle.policies[stage.checkpoint]
        now = self.database.clock.now()
        with self.database.reading() as reader:
            if key not in run.states:
                run.states[key] = read_state(reader, policy, playbook, now)
            wanted = sorted({case.customer_id for case in cases if case.customer_id})
            known = facts_of(reader, wanted, now) if wanted and _asks(policy) else {}
        take_decision(stage, run.states[key], cases, known, self.settings.seed, bundle.minor_digits)

    def _write(self, cases: list[LiveCase], run: _Run) -> None:
        count, position = run.count, 0
        while position < len(cases):
            size = self._pace.size()
            part = cases[position : position + size]
            with self.database.transaction(Lane.BULK) as uow:
                started = self._pace.start()
                kept = self._write_part(uow, part, run)
            self._pace.note(len(part), started)
            fault_point("chunk.committed")
            for case in part:
                case.written = True
            for case in kept:
                count.states[case.state.value] += 1
            count.written += len(kept)
            count.lost += len(part) - len(kept)
            position += size

    def _write_part(self, uow: UnitOfWork, part: list[LiveCase], run: _Run) -> list[LiveCase]:
        if any(map(waits_for_customer, part)):
            store.lock_events(uow, alone=False)
        held = store.still_leased(uow, [case.id for case in part], run.token)
        kept = [case for case in part if case.id in held]
        if any(case.ruled for case in kept) and autonomy_epoch(uow) != run.epoch:
            # A grant or stop switch changed since these were ruled: rule them again under the new one.
            stale = [case for case in kept if case.ruled]
            kept = [case for case in kept if not case.ruled]
            store.let_go(uow, [case.id for case in stale], run.token)
            uow.after_commit(self.wake)
        if not kept:
            return kept
        _settle_texts(kept)
        self._take_record_steps(uow, kept, run)
        heed_events(uow, kept)
        insert_ruled(uow, [ruled for case in kept for ruled in case.ruled])
        open_many(uow, [draft for case in kept for _, draft in case.reviews])
        _queue_actions(uow, kept)
        self._open_children(uow, kept, run)
        fault_point("chunk.before_move")
        now = to_micros(uow.now)
        store.move_cases(uow, [case.moved_row(now) for case in kept])
        ended = [Event("case.ended", c.parent_id, {"child": c.id}) for c in kept if c.parent_id and c.end is not None]
        publish_many(uow, ended)
        for case in kept:
            case.hand_over_entries(uow)
        if ended or any(case.actions or case.children or case.state is CaseState.READY for case in kept):
            uow.after_commit(self.wake)
        return kept

    def _open_children(self, uow: UnitOfWork, cases: list[LiveCase], run: _Run) -> None:
        drafts: dict[str, list[CaseDraft]] = defaultdict(list)
        for case in cases:
            if case.children:
                drafts[case.bundle] += _children_of(case)
        for digest, children in drafts.items():
            bundle = run.bundles[digest]
            assert isinstance(bundle, Bundle)  # noqa: S101  a case of a bundle that does not load spawns nothing
            open_cases(uow, children, bundle)


def _settle_texts(cases: Iterable[LiveCase]) -> None:
    for case in cases:
        case.facts_text = dumps(case.facts)
        if len(case.facts_text) > MAX_FACTS_CHARS:
            words = f"its facts take {len(case.facts_text)} characters; at most {MAX_FACTS_CHARS} are kept"
            case.revert("facts_too_large", words)


def _children_of(case: LiveCase) -> list[CaseDraft]:
    return [
        CaseDraft(playbook, case.subject_kind, case.subject_id, facts, case.customer_id, case.lane, case.id)
        for playbook, facts in case.children
    ]


def _asks(policy: Any) -> bool:
    return any(fact.source == "customer" for fact in policy.facts)


def _queue_actions(uow: UnitOfWork, cases: Iterable[LiveCase]) -> None:
    pending = [(case, draft, waits) for case in cases for draft, waits in case.actions]
    if not pending:
        return
    ids = queue_many(uow, [draft for _, draft, _ in pending])
    for (case, _, waits), action_id in zip(pending, ids, strict=True):
        if waits:
            case.wait_key = action_id


def _live(row: Any, now: Any) -> LiveCase:
    return LiveCase(
        row.id, row.playbook, row.bundle, row.stage, row.customer_id, row.serial_key, row.parent_id,
        row.subject_kind, row.subject_id, dict(row.facts), row.signal, row.automatic, row.attempt, row.hops, row.lane,
        row.mark_at, now, origin=(row.stage, row.facts),
    )  # fmt: skip
