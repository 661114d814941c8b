"""The running parts of one process: engine, outbox, timers, sealing. A composition root."""

from fairlead.worker.chores import search_duplicates, sweep_reviews
from fairlead.worker.equipment import CHECKS, STEPS
from fairlead.worker.opening import open_runtime, work
from fairlead.worker.runtime import Runtime, derive, executor_id

__all__ = [
    "CHECKS",
    "STEPS",
    "Runtime",
    "derive",
    "executor_id",
    "open_runtime",
    "search_duplicates",
    "sweep_reviews",
    "work",
]
