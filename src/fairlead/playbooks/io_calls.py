"""One call of an io step: cut off at its time-out, halved when it crashes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from fairlead.playbooks.live import LiveCase
from fairlead.playbooks.model import StepFailure, StepResult, StepStage
from fairlead.playbooks.results import checked_batch
from fairlead.playbooks.steps import StepRun


def call_step(stage: StepStage, run: StepRun, batch: Sequence[LiveCase]) -> Sequence[StepResult]:
    """A result per case of the batch, whatever the step does; the call itself runs in a thread of its own."""
    inputs = [case.as_input() for case in batch]
    answer: queue.SimpleQueue[Sequence[StepResult] | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            answer.put(checked_batch(stage.step, run(inputs), len(inputs)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a step may raise anything at all
            answer.put(error)

    threading.Thread(target=work, name=f"io-{stage.name}-call", daemon=True).start()
    try:
        results = answer.get(timeout=stage.timeout.total_seconds())
    except queue.Empty:
        words = f"{stage.step} did not answer within {stage.timeout}"
        return [StepFailure("timeout", words, retry=True) for _ in batch]
    if isinstance(results, BaseException) and len(batch) > 1:
        middle = len(batch) // 2  # to find the one that breaks it
        return [*call_step(stage, run, batch[:middle]), *call_step(stage, run, batch[middle:])]
    if isinstance(results, BaseException):
        words = f"{stage.step}: {type(results).__name__}: {results}"
        return [StepFailure("step_crashed", words, retry=True) for _ in batch]
    return results
