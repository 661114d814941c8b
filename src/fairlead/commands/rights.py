"""rights: write a customer's request down, see what became of it, write an approved export into a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.api import shown_request
from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, reading, say, says_errors, writing
from fairlead.commands.duplicates import settle
from fairlead.commands.naming import customer_named
from fairlead.errors import ConflictError, InputError
from fairlead.kit.clock import iso
from fairlead.rights import (
    Asked,
    Right,
    export_for,
    extend_request,
    note_export,
    open_request,
    read_request,
    requests_page,
    waiting_counts,
    waiting_page,
)
from fairlead.worker.erasures import clean_files, list_of, replay

rights = typer.Typer(
    name="rights", help="What customers ask of their own data; people decide at the desk.", no_args_is_help=True
)
_STATES = ("asked", "done", "refused", "gone")


@rights.command("open")
@says_errors
def open_one(
    *,
    customer: Annotated[str, typer.Argument(help="Id of the customer, or an e-mail address of theirs.")],
    right: Annotated[Right, typer.Argument(help="What they ask for.")],
    identity: Annotated[str, typer.Option(help="How it is known that it was they, such as: called back.")],
    reason: Annotated[str, typer.Option(help="In their words, where it matters.")] = "",
    change: Annotated[
        list[str] | None, typer.Option(help="Of rectify: field=the right text; name, company, country, email, phone.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Write a request down; its case waits at the desk, due within a month by law."""
    with opened(workspace) as runtime:
        with runtime.database.transaction() as uow:
            bundle = runtime.library.current(uow)
            asked = Asked(right, identity, reason, _changes(change or ()))
            made = open_request(uow, operator(), bundle, customer_named(uow, customer), asked)
            row = read_request(uow, made)
        settle(runtime, [row.case_id])
        runtime.seal()
    if as_json:
        answer(shown_request(row, row.asked_at).model_dump(mode="json"))
        return
    say(f"{made}  due {iso(row.due_at)}; a person decides at the desk")


@rights.command("list")
@says_errors
def list_requests(
    *,
    state: Annotated[str | None, typer.Option(help="asked, done, refused or gone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Requests, newest first; those that wait (`--state asked`) by when they are due, overdue ones first."""
    if state is not None and state not in _STATES:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(_STATES)}")
    with reading(workspace) as (runtime, reader):
        asked, now = state == "asked", runtime.database.clock.now()
        rows = waiting_page(reader, None, limit) if asked else requests_page(reader, state, None, limit)
        waiting, overdue = waiting_counts(reader, now)
    if as_json:
        items = [shown_request(row, now).model_dump(mode="json") for row in rows]
        answer({"items": items, "waiting": waiting, "overdue": overdue})
        return
    for row in rows:
        say(f"{row.id}  {row.kind:<10}  {row.state:<8}  {row.customer_id}  {_when(row, now)}")
    say(f"{waiting:,} waiting, {overdue:,} overdue by law")


@rights.command("extend")
@says_errors
def extend(
    *,
    request: Annotated[str, typer.Argument(help="Id of a request that waits.")],
    reason: Annotated[str, typer.Option(help="Why it takes longer.")],
    told: Annotated[str, typer.Option(help="How the customer was told so, such as: by letter of 3 May.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Give a request the two more months that the law allows, once and before its month is over."""
    with writing(workspace) as (_, uow):
        row = extend_request(uow, operator(), request, reason=reason, told=told)
    if as_json:
        answer(shown_request(row, row.asked_at).model_dump(mode="json"))
        return
    say(f"{row.id}  due {iso(row.due_at)}")


@rights.command("replay")
@says_errors
def replay_list(
    *,
    erasures: Annotated[
        Path | None, typer.Option("--list", help="The list of erasures; by default erasures.jsonl beside the heads.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """After a backup was restored: erase again whom it brought back, by the list that is kept beside the heads."""
    with opened(workspace) as runtime:
        path = erasures or list_of(runtime.settings.audit_heads_file)
        found = replay(runtime.database, operator(), path, really=not dry_run)
        if found.again and not dry_run:
            clean_files(runtime.database, runtime.settings.data_dir, list_of(runtime.settings.audit_heads_file))
        runtime.seal()
    if as_json:
        answer({
            "listed": found.listed, "again": list(found.again), "erased_already": found.erased,
            "unknown": found.unknown,
        })  # fmt: skip
        return
    done = "would be erased again" if dry_run else "erased again"
    say(f"{len(found.again):,} {done}, {found.erased:,} are erased, {found.unknown:,} are not in this database")


@rights.command("export-file")
@says_errors
def export_file(
    *,
    request: Annotated[str, typer.Argument(help="Id of an export that was approved.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A file that is not there yet; only you may read it.")],
    workspace: Workspace = None,
) -> None:
    """Write everything stored about the customer into one JSON file; each time is recorded."""
    with writing(workspace) as (_, uow):
        note_export(uow, operator(), request)
    with reading(workspace) as (_, reader):
        _write(output, export_for(reader, request))
    say(f"{output}: {output.stat().st_size:,} bytes")


def _write(output: Path, pieces: Iterable[str]) -> None:
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        message = f"{output} is there already; it is never overwritten"
        raise ConflictError(message, code="file_exists", file=str(output)) from error
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}", field="output") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(pieces)


def _changes(said: Iterable[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in said]
    for name, equals, _ in pairs:
        if not equals:
            raise InputError(f"{name[:64]!r} is no change; write field=the right text.", field="change")
    return {name.strip(): value for name, _, value in pairs}


def _when(row: Any, now: datetime) -> str:
    if row.decided_at is not None:
        return f"decided {iso(row.decided_at)}"
    if row.due_at is None:
        return "proposed by the retention rules"
    return f"due {iso(row.due_at)}{' OVERDUE' if row.due_at < now else ''}{', extended' if row.extension else ''}"
