"""Running io steps: outside any transaction, bounded, each result stored as it arrives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from fairlead.kit import jsons
from fairlead.kit.database import Database
from fairlead.kit.faults import fault_point
from fairlead.playbooks import store
from fairlead.playbooks.io_calls import call_step
from fairlead.playbooks.live import LiveCase
from fairlead.playbooks.model import StepFailure, StepResult, StepStage
from fairlead.playbooks.stages import take_result
from fairlead.playbooks.steps import StepRun

Key = tuple[str, str, int, str]


def run_io(
    database: Database,
    stage: StepStage,
    run: StepRun,
    cases: Sequence[LiveCase],
    token: str,
    lease_s: float,
    done: Callable[[list[LiveCase]], None],
) -> None:
    """Call the step for batches of cases, several at once; a result that is stored already is not asked for again.

    `done` is called with each batch as it finishes, so that its cases move on without the slow ones. While calls
    are under way the lease is kept. A batch that takes longer than the stage's time-out counts as failed and may
    be tried again; its late result is dropped.
    """
    keys = {case.id: _key(stage, case) for case in cases}
    with database.reading() as reader:
        stored = store.stored_results(reader, [*keys.values()])
    missing = [case for case in cases if keys[case.id] not in stored]
    known = [case for case in cases if keys[case.id] in stored]
    for case in known:
        take_result(stage, case, _decode(stored[keys[case.id]]))
    done(known)
    waiting = deque(missing[i : i + stage.max_batch] for i in range(0, len(missing), stage.max_batch))
    if not waiting:
        return
    with ThreadPoolExecutor(stage.concurrency, thread_name_prefix=f"io-{stage.name}") as pool:
        running: dict[Future[Sequence[StepResult]], list[LiveCase]] = {}
        while waiting or running:
            while waiting and len(running) < stage.concurrency:
                batch = waiting.popleft()
                running[pool.submit(call_step, stage, run, batch)] = batch
            finished, _ = wait(running, timeout=lease_s / 3, return_when=FIRST_COMPLETED)
            with database.transaction() as uow:
                held = store.extend(uow, token, uow.now + timedelta(seconds=lease_s))
                store.store_results(uow, [row for future in finished for row in _rows(keys, running[future], future)])
            fault_point("io.stored")
            while waiting and not held:  # somebody else has these cases now and will ask
                for case in waiting.popleft():
                    case.yield_turn()
            for future in finished:
                batch = running.pop(future)
                for case, result in zip(batch, future.result(), strict=True):
                    take_result(stage, case, result)
                done(batch)


def _key(stage: StepStage, case: LiveCase) -> Key:
    return case.id, stage.name, case.attempt, jsons.digest({"hops": case.hops, "facts": case.facts})


def _rows(keys: dict[str, Key], batch: Sequence[LiveCase], future: Future[Sequence[StepResult]]) -> list[Any]:
    return [
        (*keys[case.id], jsons.dumps(_encode(result)))
        for case, result in zip(batch, future.result(), strict=True)
        if not (isinstance(result, StepFailure) and result.retry)
    ]


def _encode(result: StepResult) -> dict[str, Any]:
    if isinstance(result, StepFailure):
        return {"failure": {"code": result.code, "words": result.words}}
    return {"found": dict(result)}


def _decode(stored: dict[str, Any]) -> StepResult:
    if "failure" in stored:
        return StepFailure(stored["failure"]["code"], stored["failure"]["words"])
    return dict(stored["found"])
