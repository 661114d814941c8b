"""What a runner of jobs and a source of work must offer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fairlead.errors import UnavailableError
from fairlead.jobs.lanes import WorkLane

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger("fairlead.jobs")

Payload = Mapping[str, Any]
JobFunction = Callable[[Payload], None]

MAX_PAYLOAD_CHARS = 65_536
MAX_WAITING_JOBS = 10_000


class WorkSource(Protocol):
    """Rows that become ready, leased in chunks; the source alone decides what a lease and an attempt are."""

    name: str
    """Unique among the sources of a process, and stable: it is written into jobs."""
    lane: WorkLane

    def lease(self, limit: int, lease_s: float, token: str) -> int:
        """Mark up to `limit` ready rows as leased under `token` for `lease_s` seconds; how many were marked.

        One short transaction of the source's own, on the database's clock. Rows whose lease ran out count
        as ready again, and leasing is where the attempt counter goes up. 0 = nothing is ready.
        """
        ...

    def run(self, token: str) -> None:
        """Process what is still leased under `token`; nothing, without an error, when nothing is.

        May be called twice for one token, even at the same time (recovery of a dead process), and long
        after the lease ran out: each row must commit only while it still carries the token.
        """
        ...

    def next_due(self) -> datetime | None:
        """When the next row becomes ready (a past moment: now); None = nothing is waiting for a time."""
        ...


class JobRunner(Protocol):
    """Runs named functions in the background; a job that is lost must be found again by its owner's sweep."""

    def register(self, name: str, fn: JobFunction, *, concurrency: int = 1, rate_per_s: float | None = None) -> None:
        """Make `name` known, before `start`; at most `concurrency` of its jobs run at once in this process.

        `rate_per_s` bounds the starts per second, None = unbounded. An exception of `fn` is logged and
        ends the job; nothing is tried again.
        """
        ...

    def submit(self, name: str, payload: Payload, *, key: str | None = None) -> None:
        """Hand a job over; call it after the commit that the job relies on.

        `payload` must be plain JSON of at most 65,536 characters. A job with the same name and `key` as one
        that waits, runs or is remembered is dropped. NotFoundError for an unknown name, UnavailableError
        when not started or stopping, TooManyRequestsError when 10,000 jobs already wait.
        """
        ...

    def every(self, name: str, seconds: float, fn: Callable[[], None]) -> None:
        """Call `fn` in this process about every `seconds`, first after one interval; one at a time.

        Register before `start`. Ticks share one thread, so keep them short. Missed ticks are not made up.
        """
        ...

    def start(self) -> None:
        """Begin to run what is submitted; ConflictError when already started."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """Take no more jobs, forget those that wait, and give running ones `timeout_s` seconds.

        False when something was still running; its thread does not keep the process alive.
        """
        ...

    def pending(self, name: str) -> int:
        """How many jobs of `name` wait or run in this process."""
        ...

    def idle(self) -> bool:
        """Whether no job waits or runs in this process."""
        ...


def guarded(what: str, call: Callable[[], None]) -> bool:
    """Run `call`; log an exception and answer False instead of passing it on."""
    try:
        call()
    except UnavailableError as error:  # the database is away, full or locked: a sentence says it all
        log.warning("%s failed: %s", what, error.message)
        return False
    except Exception:  # the edge of a supervised thread: one broken job must not end its neighbours
        log.exception("%s failed", what)
        return False
    return True
