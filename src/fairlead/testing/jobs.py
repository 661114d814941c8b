"""A runner of jobs for tests: no thread, no clock, nothing hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import ConflictError, NotFoundError
from fairlead.jobs import checked_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.jobs import JobFunction, Payload


class InlineRunner:
    """Runs a submitted job at once in the caller's thread; exceptions reach the caller.

    `ran` lists (name, payload) in order. Limits and rates are accepted and not applied. With `lose = True`
    it forgets what is submitted, as a crash between commit and hand-over would.
    """

    def __init__(self) -> None:
        """Knows no job yet; `start` is not needed but may be called."""
        self.ran: list[tuple[str, Payload]] = []
        self.lose = False
        self._jobs: dict[str, JobFunction] = {}
        self._ticks: dict[str, Callable[[], None]] = {}
        self._keys: set[tuple[str, str]] = set()

    def register(
        self,
        name: str,
        fn: JobFunction,
        *,
        concurrency: int = 1,  # noqa: ARG002  part of the protocol
        rate_per_s: float | None = None,  # noqa: ARG002  as above
    ) -> None:
        """See JobRunner; ConflictError for a name that is taken."""
        if name in self._jobs:
            message = f"job {name!r} is registered twice"
            raise ConflictError(message, name=name)
        self._jobs[name] = fn

    def submit(self, name: str, payload: Payload, *, key: str | None = None) -> None:
        """Run it now; a (name, key) runs once in this runner's life."""
        if name not in self._jobs:
            message = f"no job is registered under {name!r}"
            raise NotFoundError(message, name=name)
        checked_payload(payload)
        if self.lose or (key is not None and (name, key) in self._keys):
            return
        if key is not None:
            self._keys.add((name, key))
        self.ran.append((name, payload))
        self._jobs[name](payload)

    def every(self, name: str, seconds: float, fn: Callable[[], None]) -> None:  # noqa: ARG002  part of the protocol
        """Remember `fn` for `tick`."""
        self._ticks[name] = fn

    def tick(self, name: str | None = None) -> None:
        """Run the tick called `name` once; None: each once, in the order of registration."""
        for known, fn in self._ticks.items():
            if name in (None, known):
                fn()

    def start(self) -> None:
        """Nothing to start."""

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002  part of the protocol
        """Nothing runs, so nothing is left."""
        return True

    def pending(self, name: str) -> int:  # noqa: ARG002  part of the protocol
        """Always 0: a submitted job has ended when `submit` returns."""
        return 0

    def idle(self) -> bool:
        """Always true."""
        return True
