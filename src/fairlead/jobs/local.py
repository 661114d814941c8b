"""Jobs in threads of this process, remembered nowhere else."""

from __future__ import annotations

import json
import queue
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from fairlead.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    TooLargeError,
    TooManyRequestsError,
    UnavailableError,
)
from fairlead.jobs.model import MAX_PAYLOAD_CHARS, MAX_WAITING_JOBS, JobFunction, Payload, guarded

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class _Job:
    fn: JobFunction
    concurrency: int
    gap_s: float
    waiting: queue.SimpleQueue[tuple[Payload, str | None] | None] = field(default_factory=queue.SimpleQueue)
    pending: int = 0
    keys: set[str] = field(default_factory=set)
    next_start: float = 0.0


@dataclass(slots=True)
class _Tick:
    name: str
    seconds: float
    fn: Callable[[], None]
    due: float = 0.0


def checked_payload(payload: Payload) -> str:
    """`payload` as JSON; InputError when it is not plain JSON, TooLargeError above 65,536 characters."""
    try:
        text = json.dumps(dict(payload))
    except (TypeError, ValueError) as error:
        message = f"a job's payload must be plain JSON: {error}"
        raise InputError(message) from error
    if len(text) > MAX_PAYLOAD_CHARS:
        message = f"a job's payload has {len(text)} characters, {MAX_PAYLOAD_CHARS} are allowed; pass an id instead"
        raise TooLargeError(message, limit=MAX_PAYLOAD_CHARS, unit="characters")
    return text


class LocalRunner:
    """A JobRunner of plain threads: nothing is journalled, so a crash leaves everything to the sweep.

    Keys are remembered while their job waits or runs; `rate_per_s` counts this process's starts only.
    """

    def __init__(self) -> None:
        """No thread runs before `start`."""
        self._jobs: dict[str, _Job] = {}
        self._ticks: list[_Tick] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._started = False

    def register(self, name: str, fn: JobFunction, *, concurrency: int = 1, rate_per_s: float | None = None) -> None:
        """See JobRunner; ConflictError for a name that is taken or after `start`."""
        if self._started or name in self._jobs:
            message = f"job {name!r} is registered twice, or after the runner was started"
            raise ConflictError(message, name=name)
        gap_s = 1.0 / rate_per_s if rate_per_s else 0.0
        self._jobs[name] = _Job(fn, max(1, concurrency), gap_s)

    def every(self, name: str, seconds: float, fn: Callable[[], None]) -> None:
        """See JobRunner; ConflictError after `start`."""
        if self._started:
            message = f"tick {name!r} was registered after the runner was started"
            raise ConflictError(message, name=name)
        self._ticks.append(_Tick(name, max(0.01, seconds), fn))

    def submit(self, name: str, payload: Payload, *, key: str | None = None) -> None:
        """See JobRunner."""
        job = self._jobs.get(name)
        if job is None:
            message = f"no job is registered under {name!r}"
            raise NotFoundError(message, name=name)
        checked_payload(payload)
        with self._lock:
            if not self._started or self._stopping.is_set():
                message = "the job runner is not running"
                raise UnavailableError(message)
            if key is not None and key in job.keys:
                return
            if job.pending >= MAX_WAITING_JOBS:
                message = f"{job.pending} jobs of {name!r} already wait"
                raise TooManyRequestsError(message, name=name, retry_after_s=1)
            job.pending += 1
            if key is not None:
                job.keys.add(key)
            job.waiting.put((payload, key))

    def start(self) -> None:
        """See JobRunner; one thread per registered place to run, one for all ticks."""
        with self._lock:
            if self._started:
                message = "the job runner was already started"
                raise ConflictError(message)
            self._started = True
        for name, job in self._jobs.items():
            for number in range(job.concurrency):
                self._spawn(f"fairlead-{name}-{number}", partial(self._serve, name, job))
        if self._ticks:
            self._spawn("fairlead-ticks", self._tick)

    def stop(self, timeout_s: float) -> bool:
        """See JobRunner; a second call does nothing more."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            self._stopping.set()
            for job in self._jobs.values():
                for _ in range(job.concurrency):
                    job.waiting.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def pending(self, name: str) -> int:
        """See JobRunner; 0 for an unknown name."""
        job = self._jobs.get(name)
        return job.pending if job else 0

    def idle(self) -> bool:
        """See JobRunner."""
        return not any(job.pending for job in self._jobs.values())

    def _spawn(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, name: str, job: _Job) -> None:
        while not self._stopping.is_set():
            item = job.waiting.get()
            if item is None or self._stopping.is_set():
                return
            payload, key = item
            if self._held_back(job):
                return
            guarded(f"job {name}", partial(job.fn, payload))
            with self._lock:
                job.pending -= 1
                if key is not None:
                    job.keys.discard(key)

    def _held_back(self, job: _Job) -> bool:
        """Wait for the job's next allowed start; True when the runner stops meanwhile."""
        if not job.gap_s:
            return False
        with self._lock:
            start = max(time.monotonic(), job.next_start)
            job.next_start = start + job.gap_s
        return self._stopping.wait(max(0.0, start - time.monotonic()))

    def _tick(self) -> None:
        now = time.monotonic()
        for tick in self._ticks:
            tick.due = now + tick.seconds
        while not self._stopping.wait(max(0.0, min(tick.due for tick in self._ticks) - time.monotonic())):
            for tick in self._ticks:
                if tick.due <= time.monotonic() and not self._stopping.is_set():
                    guarded(f"tick {tick.name}", tick.fn)
                    tick.due = time.monotonic() + tick.seconds
