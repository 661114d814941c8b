"""What a process does every few seconds beside its cases: sweeps, searches, seals, and forgetting what is old."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead import reviews
from fairlead.actions import settle_stale
from fairlead.checkpoints import SETTLEMENT, forget_requests
from fairlead.errors import InputError, UnavailableError
from fairlead.kit import events
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.lanes import Lane
from fairlead.retention import DEFAULT, RetentionRules, carry_out, rules_among
from fairlead.sales import Search, SearchProgress, search_if_asked
from fairlead.sales.importing.jobs import JOB as IMPORT_JOB, SWEEP_S as IMPORT_SWEEP_S
from fairlead.worker.erasures import clean_files, list_of
from fairlead.worker.inactive import propose_inactive

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.worker.runtime import Runtime

SEAL_S = 5.0
SWEEP_S = 5.0
SWEPT_AT_ONCE = 200
SWEEPS_A_TICK = 50
FORGET_S = 3600.0
DUPLICATES_S = 20.0
STALE_PLACES = timedelta(days=1)
"""After so long without a word nobody is sending that message any more."""
KEPT_REQUESTS = timedelta(days=30)
DUPLICATES = Actor(ActorKind.SYSTEM, "duplicates")
FORGOTTEN_AT_ONCE = 500


def take_up(runtime: Runtime, *, imports: bool) -> None:
    """Give the process its chores, before it starts; `imports`: it reads files that were sent in, too."""
    runner = runtime.runner
    if imports:
        runner.register(IMPORT_JOB, runtime.imports.run)
        runner.every("imports", IMPORT_SWEEP_S, quietly(lambda: runtime.imports.sweep(runner.submit)))
    runner.every("seal", SEAL_S, quietly(runtime.seal))
    runner.every("reviews", SWEEP_S, quietly(lambda: sweep_reviews(runtime)))
    runner.every("duplicates", DUPLICATES_S, quietly(lambda: _tick_duplicates(runtime)))
    runner.every("erased-files", DUPLICATES_S, quietly(lambda: clean_erased(runtime)))
    runner.every("forget", FORGET_S, quietly(lambda: forget(runtime)))
    runner.every("inactive", FORGET_S, quietly(proposing(runtime)))


def sweep_reviews(runtime: Runtime) -> None:
    """Deal with reviews whose clock, claim or snooze has run out."""
    for _ in range(SWEEPS_A_TICK):
        with runtime.database.transaction(Lane.BULK) as uow:
            changed = reviews.sweep(uow, SWEPT_AT_ONCE, settlement=SETTLEMENT)
        if changed < SWEPT_AT_ONCE:
            break
    runtime.dispatcher.wake()


def search_duplicates(runtime: Runtime, progress: SearchProgress = lambda _what, _done, _of: None) -> Search | None:
    """Look for duplicates if an import or a person asked for it; None when nobody did.

    For who holds `runtime.searching`.
    """
    found = search_if_asked(runtime.database, runtime.library, DUPLICATES, progress)
    if found is not None and found.opened:
        runtime.dispatcher.wake()
    return found


def clean_erased(runtime: Runtime) -> None:
    """Take what erasures left in files of the data folder; where a file refuses, the next time."""
    with suppress(OSError):
        clean_files(runtime.database, runtime.settings.data_dir, list_of(runtime.settings.audit_heads_file))


def _tick_duplicates(runtime: Runtime) -> None:
    if runtime.searching.acquire(blocking=False):
        try:
            search_duplicates(runtime)
        finally:
            runtime.searching.release()


def forget(runtime: Runtime) -> None:
    """Drop idempotency keys, of decisions and of cases, after 30 days; settle lost places; keep what was declared."""
    before = runtime.database.clock.now() - KEPT_REQUESTS
    with runtime.database.transaction(Lane.BULK) as uow:
        forget_requests(uow, before, 10_000)
    carry_out(runtime.database, _retention(runtime))
    while True:
        with runtime.database.transaction(Lane.BULK) as uow:
            if not settle_stale(uow, uow.now - STALE_PLACES):
                break
    while True:
        # Looked up outside of the transaction, since that is the long part.
        with runtime.database.reading() as reader:
            old = events.older(reader, events.REQUESTED, before, FORGOTTEN_AT_ONCE)
        if old:
            with runtime.database.transaction(Lane.BULK) as uow:
                events.drop(uow, events.REQUESTED, old, before)
        if len(old) < FORGOTTEN_AT_ONCE:
            return


def proposing(runtime: Runtime) -> Callable[[], None]:
    """A tick that proposes inactive customers for erasure; each goes on where the one before stopped looking."""
    after: str | None = None

    def tick() -> None:
        nonlocal after
        with runtime.database.reading() as reader:
            try:
                bundle = runtime.library.current(reader)
            except InputError:  # nothing is deployed
                return
        made, after = propose_inactive(runtime.database, bundle, rules_among(bundle.files), after)
        if made:
            runtime.dispatcher.wake()

    return tick


def _retention(runtime: Runtime) -> RetentionRules:
    """As deployed, the built-in rules before the first deploy."""
    with runtime.database.reading() as reader:
        try:
            return rules_among(runtime.library.current(reader).files)
        except InputError:
            return DEFAULT


def quietly(call: Callable[[], None]) -> Callable[[], None]:
    """A tick while the database is away: the next one makes up for it."""

    def tick() -> None:
        try:
            call()
        except UnavailableError:
            return

    return tick
