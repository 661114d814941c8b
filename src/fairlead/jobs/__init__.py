"""Background work: who may run what next, and on which threads; the only door to DBOS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead.jobs.dispatcher import Dispatcher, Pace
from fairlead.jobs.ear import WAKE_CHANNEL
from fairlead.jobs.lanes import WorkLane, lane_order
from fairlead.jobs.local import LocalRunner, checked_payload
from fairlead.jobs.model import JobFunction, JobRunner, Payload, WorkSource
from fairlead.jobs.wake import Bell, StopSignal

if TYPE_CHECKING:
    from fairlead.jobs.durable import DbosRunner

__all__ = [
    "WAKE_CHANNEL",
    "Bell",
    "DbosRunner",
    "Dispatcher",
    "JobFunction",
    "JobRunner",
    "LocalRunner",
    "Pace",
    "Payload",
    "StopSignal",
    "WorkLane",
    "WorkSource",
    "checked_payload",
    "lane_order",
]


def __getattr__(name: str) -> Any:
    """`DbosRunner` on first use: importing DBOS takes most of a second, which only a worker should pay."""
    if name == "DbosRunner":
        from fairlead.jobs.durable import DbosRunner  # noqa: PLC0415  heavy, see above

        return DbosRunner
    raise AttributeError(name)
