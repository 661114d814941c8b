"""run: a file of leads through a playbook, from the first row to the last path."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fairlead.checkpoints import Path as CheckpointPath
from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, say, says_errors, words
from fairlead.commands.duplicates import after_import
from fairlead.commands.workspaces import deploy_here
from fairlead.errors import FairleadError, UnavailableError
from fairlead.kit.words import counted
from fairlead.playbooks import Bundle
from fairlead.sales import (
    LeadFile,
    Remembered,
    count_import,
    finished_import_of,
    forget_mapping,
    imports_of,
    open_lead_file,
    remembered,
    unsettled,
)
from fairlead.sales.importing import jobs as reading
from fairlead.sales.importing.service import begin_or_resume, lease_token
from fairlead.worker import Runtime

Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Which column feeds a field, e.g. email=Mail; repeatable."),
]
Input = Annotated[
    Path, typer.Option("--input", "-i", help="A file of leads: CSV, TSV, `;`, `|`, JSON lines, a JSON array, Parquet.")
]
Country = Annotated[
    str, typer.Option("--country", metavar="CODE", help="Of phone numbers without country code, e.g. DE.")
]
Forget = Annotated[
    bool, typer.Option("--forget-mapping", help="Guess again instead of using what was said for such columns before.")
]
SETTLE_S = 600.0
SHOWN_REASONS = 4
CLASSES = ("auto", "assist", "human", "blocked", "needs_information", "duplicate", "unreadable", "failed")
LACKING = "a required fact is missing, or a cell cannot be used"


@says_errors
def run(
    playbook: Annotated[str, typer.Argument(help="The playbook, e.g. lead-qualification.")],
    *,
    file: Input,
    workspace: Workspace = None,
    column_map: Map = None,
    country: Country = "",
    forget: Forget = False,
    as_json: AsJson = False,
) -> None:
    """Take a file of leads in, score and route each, and stop each at its checkpoint.

    A row that is there already adds nothing, so the same file can be run again; a run that was killed is gone on
    with where it stopped.
    """
    with opened(workspace) as runtime:
        deploy_here(runtime)
        with runtime.database.reading() as reader:
            bundle = runtime.library.current(reader)
        leads = open_lead_file(
            file, column_map or [], bundle.currency, max_bytes=runtime.settings.max_import_bytes,
            recall=None if forget else _recall(runtime), country=country.upper(),
        )  # fmt: skip
        if forget:
            with runtime.database.transaction() as uow:
                if forget_mapping(uow, operator(), leads.key):
                    words.print("forgot what was said about files with these columns")
        with leads.reader:
            for line in (*leads.notes, *leads.mapping.describe()):
                words.print(line, markup=False)
            result = run_import(runtime, bundle, leads, playbook, show_progress=not as_json)
        runtime.seal()
    if as_json:
        answer(result)
    else:
        say(summary(result, blocking_rules(bundle)))


def _recall(runtime: Runtime) -> Callable[[str], Remembered | None]:
    def recall(key: str) -> Remembered | None:
        with runtime.database.reading() as reader:
            return remembered(reader, key)

    return recall


@contextmanager
def _at_work(runtime: Runtime) -> Iterator[None]:
    """Cases go on; the search for duplicates is the caller's own, once its leads are decided."""
    with runtime.searching:
        runtime.start()
        try:
            yield
        finally:
            runtime.dispatcher.stop(10.0)
            runtime.runner.stop(30.0)


def run_import(
    runtime: Runtime, bundle: Bundle, leads: LeadFile, playbook: str, *, show_progress: bool
) -> dict[str, Any]:
    """Import the file and move its cases to their first checkpoint; what became of each row, as counts."""
    with runtime.database.reading() as reader:
        before = finished_import_of(reader, leads.digest, playbook)
        earlier = [one for one in imports_of(reader, leads.digest, playbook) if unsettled(reader, one)]
    if earlier:
        words.print("an earlier run of this file did not end; the leads that it took in go on now, too")
    started = time.perf_counter()
    with _at_work(runtime), _progress(show=show_progress) as bar:
        task = bar.add_task("reading", total=leads.reader.total_bytes)
        import_id, rows, fresh = take_in(runtime, bundle, leads, playbook, lambda n: bar.update(task, completed=n))
        bar.update(task, completed=leads.reader.total_bytes)
        task = bar.add_task("deciding", total=max(fresh, 1))
        _wait_for_cases(runtime, [import_id, *earlier], bar, task, fresh)
        seconds = time.perf_counter() - started
        task = bar.add_task("duplicates", total=None)
        after_import(runtime, lambda _what, done, of: bar.update(task, completed=done, total=of or None))
        bar.update(task, total=1, completed=1)
    with runtime.database.reading() as reader:
        counts, reasons = count_import(reader, import_id)
    return {
        "import": import_id,
        "rows": rows,
        **counts,
        "cases_per_s": round(fresh / seconds, 1) if fresh else 0.0,
        "reasons": reasons,
        "already_imported": before.started_at if before is not None else None,
        "mapping": leads.mapping.as_dict(),
    }


def take_in(
    runtime: Runtime, bundle: Bundle, leads: LeadFile, playbook: str, progress: Callable[[int], None]
) -> tuple[str, int, int]:
    """Every row of the file into the database; (import, rows, new leads). `progress` gets the bytes read.

    An import of this very file whose process died is gone on with.
    """
    actor, database, settings = operator(), runtime.database, runtime.settings
    token = lease_token()
    with database.transaction() as uow:
        until = uow.now + timedelta(seconds=settings.lease_s)
        import_id, done = begin_or_resume(uow, actor, bundle, leads, playbook, token, until)
    if done:
        words.print(f"going on with {import_id}, of which {counted(done, 'row')} had been taken in")
    hold = reading.Hold(database, import_id, token, settings.lease_s)
    engine = reading.Engine(
        database, settings.bulk_transaction_ms, settings.import_high_water, runtime.dispatcher.wake, threading.Event()
    )
    try:
        taken = reading.take_rows(engine, bundle, leads, hold, actor, playbook, done=done, progress=progress)
    except BaseException:
        with suppress(FairleadError):  # Ctrl-C, or an error that is told anyway: the next run need not wait
            reading.abandon(database, hold)
        raise
    return import_id, taken.rows, taken.fresh


def _wait_for_cases(runtime: Runtime, imports: list[str], bar: Progress, task: TaskID, fresh: int) -> None:
    quiet_since, last = time.monotonic(), -1
    while True:
        with runtime.database.reading() as reader:
            left = sum(unsettled(reader, import_id) for import_id in imports)
        bar.update(task, completed=max(fresh - left, 0))
        if not left:
            return
        if left != last:
            quiet_since, last = time.monotonic(), left
        if time.monotonic() - quiet_since > SETTLE_S:
            message = f"{left} cases have not moved for {SETTLE_S:.0f} s; see `fairlead cases list --state ready`"
            raise UnavailableError(message)
        runtime.dispatcher.wake()
        time.sleep(0.2)


def _progress(*, show: bool) -> Progress:
    columns = (TextColumn("{task.description:>9}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeRemainingColumn(), console=words, disable=not show)


def blocking_rules(bundle: Bundle) -> frozenset[str]:
    """Rules whose path is `blocked`: whoever is refused wants to know by which."""
    return frozenset(
        rule.id for policy in bundle.policies.values() for rule in policy.rules if rule.path is CheckpointPath.BLOCKED
    )


def summary(result: dict[str, Any], blocking: Collection[str] = ()) -> str:
    """One line that accounts for every row, and names why people look and what blocked."""
    parts = []
    for name in CLASSES:
        if result[name]:
            words_of = f"{name.replace('_', ' ')} ({LACKING})" if name == "needs_information" else name
            parts.append(f"{result[name]} {words_of}")
    line = f"{counted(result['rows'], 'row')}: {', '.join(parts) or 'none'}"
    if result["rows"] and result["duplicate"] == result["rows"]:
        return f"{line}; every row was there already, nothing was added"
    line = f"{line}; {result['cases_per_s']:.0f} cases/s"
    reasons: dict[str, int] = result["reasons"]
    blocked = [f"{name} {reasons[name]}" for name in reasons if name in blocking] if result["blocked"] else []
    others = [f"{name} {count}" for name, count in reasons.items() if not (blocked and name in blocking)]
    if others:
        more = len(others) - SHOWN_REASONS
        line += f"; reasons: {', '.join(others[:SHOWN_REASONS])}"
        line += f" and {more} more, see --json" if more > 0 else ""
    return line + (f"; blocked by {', '.join(blocked)}" if blocked else "")
