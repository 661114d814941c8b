"""run: a file of leads through a playbook, from the first row to the last path."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, say, says_errors, words
from fairlead.commands.workspaces import deploy_here
from fairlead.errors import UnavailableError
from fairlead.kit.faults import fault_point
from fairlead.kit.lanes import Lane
from fairlead.kit.pace import BatchPace
from fairlead.playbooks import Bundle, ready_count
from fairlead.sales import (
    LeadFile,
    batches,
    begin_import,
    checked_rows,
    count_import,
    finish_import,
    finished_import_of,
    import_batch,
    imports_of,
    open_lead_file,
    unsettled,
)
from fairlead.worker import Runtime

Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Which column feeds a field, e.g. email=Mail; repeatable."),
]
Input = Annotated[Path, typer.Option("--input", "-i", help="A file with one lead per line: CSV, TSV, `;` or `|`.")]
SETTLE_S = 600.0


@says_errors
def run(
    playbook: Annotated[str, typer.Argument(help="The playbook, e.g. lead-qualification.")],
    *,
    file: Input,
    workspace: Workspace = None,
    column_map: Map = None,
    as_json: AsJson = False,
) -> None:
    """Take a file of leads in, score and route each, and stop each at its checkpoint.

    A row that is there already adds nothing, so the same file can be run again and an interrupted run goes on
    where it stopped.
    """
    with opened(workspace) as runtime:
        deploy_here(runtime)
        with runtime.database.reading() as reader:
            bundle = runtime.library.current(reader)
        leads = open_lead_file(file, column_map or [], bundle.currency, max_bytes=runtime.settings.max_import_bytes)
        with leads.reader:
            for line in (*leads.notes, *leads.mapping.describe()):
                words.print(line, markup=False)
            result = run_import(runtime, bundle, leads, playbook, show_progress=not as_json)
        runtime.seal()
    if as_json:
        answer(result)
    else:
        say(summary(result))


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
    runtime.start()
    try:
        with _progress(show=show_progress) as bar:
            task = bar.add_task("reading", total=leads.reader.total_bytes)
            import_id, rows, fresh = take_in(runtime, bundle, leads, playbook, lambda n: bar.update(task, completed=n))
            bar.update(task, completed=leads.reader.total_bytes)
            task = bar.add_task("deciding", total=max(fresh, 1))
            _wait_for_cases(runtime, [import_id, *earlier], bar, task, fresh)
    finally:
        runtime.dispatcher.stop(10.0)
        runtime.runner.stop(30.0)
    seconds = time.perf_counter() - started
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
    """Every row of the file into the database; (import, rows, new leads). `progress` gets the bytes read."""
    actor = operator()
    database, high_water = runtime.database, runtime.settings.import_high_water
    with database.transaction() as uow:
        import_id = begin_import(uow, actor, bundle, leads, playbook)
    pace = BatchPace(runtime.settings.bulk_transaction_ms, exclusive=database.is_sqlite)
    rows = fresh = 0
    for batch in batches(checked_rows(leads, progress), pace.size):
        with database.transaction(Lane.BULK) as uow:
            began = pace.start()
            fresh += import_batch(uow, actor, bundle, import_id, playbook, batch, bundle.currency)
        pace.note(len(batch), began)
        fault_point("import.batch")
        rows += len(batch)
        runtime.dispatcher.wake()
        _hold_back(runtime, high_water)
    with database.transaction() as uow:
        finish_import(uow, actor, import_id, rows)
    return import_id, rows, fresh


def _hold_back(runtime: Runtime, high_water: int) -> None:
    """An import over the high-water mark slows its own reader, never live work."""
    while True:
        with runtime.database.reading() as reader:
            if ready_count(reader, "import", high_water) < high_water:
                return
        time.sleep(0.05)


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


def summary(result: dict[str, Any]) -> str:
    """One line that accounts for every row."""
    parts = [
        f"{result[name]} {name.replace('_', ' ')}"
        for name in (
            "auto",
            "assist",
            "human",
            "blocked",
            "needs_information",
            "duplicate",
            "unreadable",
            "failed",
        )
        if result[name]
    ]
    line = f"{result['rows']} rows: {', '.join(parts) or 'none'}"
    if result["rows"] and result["duplicate"] == result["rows"]:
        return f"{line}; every row was there already, nothing was added"
    top = ", ".join(f"{name} {count}" for name, count in list(result["reasons"].items())[:4])
    return f"{line}; {result['cases_per_s']:.0f} cases/s" + (f"; reasons: {top}" if top else "")
