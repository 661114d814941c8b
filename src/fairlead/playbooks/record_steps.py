"""Record steps: they change Fairlead's own records in the transaction that moves their cases."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.errors import FairleadError, TooLargeError, UnavailableError
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.playbooks.live import LiveCase
from fairlead.playbooks.model import StepFailure, StepResult
from fairlead.playbooks.results import MAX_FACTS_CHARS, checked_batch
from fairlead.playbooks.stages import take_result
from fairlead.playbooks.steps import RecordRun


def run_record(uow: UnitOfWork, call: RecordRun, cases: Sequence[LiveCase]) -> None:
    """Call the step for cases that stand at the same one; a crash undoes its writes and is halved to its culprit.

    UnavailableError, as by a lost connection or a deadlock, is the whole transaction's and not a case's.
    """
    stage = cases[0].recording
    assert stage is not None  # noqa: S101  the engine sends no others
    try:
        with uow.savepoint():
            results = checked_batch(stage.step, call(uow, [case.as_input() for case in cases]), len(cases))
            texts = [_fitting(case, result) for case, result in zip(cases, results, strict=True)]
    except UnavailableError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  a step may raise anything; its neighbours go on
        if len(cases) == 1:
            code, words = (
                (error.reason, error.message)
                if isinstance(error, FairleadError)
                else ("step_crashed", f"{stage.step}: {type(error).__name__}: {error}")
            )
            cases[0].fail(code, words)
            return
        middle = len(cases) // 2
        run_record(uow, call, cases[:middle])
        run_record(uow, call, cases[middle:])
        return
    for case, result, text in zip(cases, results, texts, strict=True):
        case.stopped = False
        take_result(stage, case, result)
        case.facts_text = text


def _fitting(case: LiveCase, result: StepResult) -> str:
    """The case's facts with the step's result, as they are stored."""
    if isinstance(result, StepFailure):
        return case.facts_text
    text = dumps({**case.facts, **result})
    if len(text) > MAX_FACTS_CHARS:
        message = f"its facts would take {len(text)} characters; at most {MAX_FACTS_CHARS} are kept"
        raise TooLargeError(message, code="facts_too_large", limit=MAX_FACTS_CHARS)
    return text
