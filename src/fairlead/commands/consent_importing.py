"""consent import: the command, its progress and what rows may be about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, say, says_errors, words
from fairlead.commands.consent_report import Report, told
from fairlead.commands.consent_sources import ConsentFile, Refusals, readable
from fairlead.commands.consent_taking import Tell, import_file
from fairlead.customers import ALL, SHARING
from fairlead.guardrails import current_rules
from fairlead.kit.database import Database
from fairlead.kit.pace import BatchPace


@says_errors
def import_command(
    file: Annotated[Path, typer.Argument(help="A CSV file; - reads standard input.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it; write nothing.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Take the good rows although others are bad.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Make customers whom nobody knows yet.")] = False,
    source: Annotated[str | None, typer.Option(help="Where the rows come from; default: the file's name.")] = None,
    refused: Annotated[Path | None, typer.Option(help="Write refused rows into this new file, to be mended.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Take consents in with their proof: every row is looked at before the first is written.

    Rows are written a few at a time, so that people at the desk need not wait. An import that was killed is run
    again: what it had taken is known and adds nothing.
    """
    with opened(workspace) as runtime, readable(file, runtime.settings.max_import_bytes) as path:
        named = ConsentFile(path, source or f"file {file.name}", create, _purposes(runtime.database))
        pace = BatchPace(runtime.settings.bulk_transaction_ms, exclusive=runtime.database.is_sqlite)
        refusals, report = Refusals(refused), Report()
        try:
            with _progress(show=not as_json) as tell:
                report = import_file(
                    runtime.database, operator(), named, pace, refusals, dry_run=dry_run, skip_bad=skip_bad, tell=tell
                )  # fmt: skip
        finally:
            refusals.end(keep=bool(report.refused_rows))
        if report.written:
            runtime.seal()
    if as_json:
        answer(report.as_dict())
    else:
        for line in told(report, dry_run=dry_run):
            say(line)
    if not report.written and not dry_run:
        raise typer.Exit(2)


def _purposes(database: Database) -> Collection[str] | None:
    """What rows may be about; None: anything, as the workspace has put no contact rules into force."""
    with database.reading() as reader:
        rules = current_rules(reader)
    return None if rules.is_default else {*rules.purposes, SHARING, ALL}


@contextmanager
def _progress(*, show: bool) -> Iterator[Tell]:
    columns = (TextColumn("{task.description:>9}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, TimeRemainingColumn(), console=words, disable=not show) as bar:

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done)

        yield tell
