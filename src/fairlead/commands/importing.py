"""imports: what came of files, how good their data are, and taking one back."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, reading, say, says_errors
from fairlead.errors import InputError
from fairlead.kit.clock import iso
from fairlead.kit.exports import csv_chunks
from fairlead.kit.words import counted
from fairlead.sales import imports_page, read_import
from fairlead.sales.importing.cancelling import cancel_import
from fairlead.sales.importing.jobs import ImportWork
from fairlead.sales.importing.reports import TABLES, quality_of, quality_table

imports = typer.Typer(
    name="imports", help="Files of leads: what came of them, how good they are.", no_args_is_help=True
)
ImportId = Annotated[str, typer.Argument(help="The import's id.")]


@imports.command("list")
@says_errors
def imports_list(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Files that came in, newest first."""
    with reading(workspace) as (_, reader):
        rows = imports_page(reader, None, limit)
    if as_json:
        answer({"imports": [_item(row) for row in rows]})
        return
    for row in rows:
        say(f"{row.id}  {iso(row.started_at)}  {row.state}  {counted(row.rows, 'row')}  {row.name}  {row.playbook}")
    if not rows:
        say("no file has come in yet")


def _item(row: Any) -> dict[str, Any]:
    names = ("id", "name", "digest", "playbook", "state", "rows", "bytes", "started_by", "started_at", "finished_at")
    return {name: getattr(row, name) for name in names}


@imports.command("quality")
@says_errors
def imports_quality(
    import_id: ImportId,
    *,
    table: Annotated[str, typer.Option("--of", help=f"Which table --csv writes: {', '.join(TABLES)}.")] = TABLES[0],
    as_csv: Annotated[bool, typer.Option("--csv", help="One table as CSV on standard output.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """How full, how varied and how wrong each column of a file is, and how complete its leads are."""
    if table not in TABLES:
        message = f"--of is one of {', '.join(TABLES)}, not {table!r}"
        raise InputError(message, code="table")
    with opened(workspace) as runtime:
        if as_csv:
            with runtime.database.reading() as reader:
                read_import(reader, import_id)
            sys.stdout.writelines(csv_chunks(*quality_table(runtime.database.reading, import_id, table)))
            return
        with runtime.database.reading() as reader:
            found = quality_of(reader, import_id)
    if as_json:
        answer(found)
    else:
        for line in quality_lines(found):
            say(line)


def quality_lines(found: dict[str, Any]) -> list[str]:
    """The report for a person at a terminal."""
    sums = found["accounted"]
    parts = [counted(sums["leads"], "lead"), counted(sums["duplicate"], "duplicate")]
    parts.append(f"{sums['unreadable']:,} unreadable")
    lines = [f"{found['name']}, {found['state']}: {counted(sums['rows'], 'row')} = {' + '.join(parts)}"]
    quality = found["quality"]
    if quality is None:
        return [*lines, "the report is made when every row was read"]
    leads = quality["leads"]
    if leads["completeness"] is not None:
        over = f"{counted(quality['readable'], 'readable row')}, duplicates among them"
        lines.append(f"over {over}: {leads['completeness']} % of what the columns could give")
    if leads["with_problems"]:
        unusable = (
            f", {leads['unusable_cells']:,} of them with a cell that cannot be used" if leads["unusable_cells"] else ""
        )
        lines.append(f"{counted(leads['with_problems'], 'readable row')} with problems{unusable}")
    for one in quality["columns"]:
        distinct = f"over {one['more_than']:,}" if one["distinct"] is None else f"{one['distinct']:,}"
        notes = f"; {', '.join(one['suspicions'])}" if one["suspicions"] else ""
        lines.append(
            f"  {one['column']}: {one['used_as']}, {one['filled_percent']} % filled, {distinct} distinct{notes}"
        )
        for kind in one["problems"]:
            example = kind["examples"][0]
            lines.append(f"    {kind['code']} {kind['count']:,}: row {example['row']}: {example['words']}")
    lines += [f"  unreadable, {kind['code']} {kind['count']:,}: {kind['examples'][0]['words']}"
              for kind in quality["unreadable_kinds"]]  # fmt: skip
    return [*lines, *quality["read_as"]]


@imports.command("cancel")
@says_errors
def imports_cancel(import_id: ImportId, *, workspace: Workspace = None) -> None:
    """Take back an import that was made by mistake in the last 24 hours.

    Its cases that are open are cancelled, its leads stay, marked, and the same rows can come in again.
    """
    with opened(workspace) as runtime:
        with runtime.database.transaction() as uow:
            cancel_import(uow, operator(), import_id)
        ImportWork(runtime.database, runtime.library, runtime.settings, lambda: None).run({"import": import_id})
        with runtime.database.reading() as reader:
            row, found = read_import(reader, import_id), quality_of(reader, import_id)["accounted"]
        runtime.seal()
    kept = found["leads"] - found["cancelled"]
    state = "was taken back" if row.state == "cancelled" else "is being taken back"
    say(f"{import_id} {state}: {counted(found['cancelled'], 'case')} cancelled, {kept:,} had ended before")
