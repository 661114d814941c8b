"""rights: write a customer's request down, see what became of it, write an approved export into a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.api import shown_request
from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, reading, say, says_errors, writing
from fairlead.commands.duplicates import settle
from fairlead.customers import IdentityKind, holder_of, normalise_address
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader
from fairlead.rights import Asked, Right, export_for, note_export, open_request, read_request, requests_page

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
            made = open_request(uow, operator(), bundle, _customer(uow, customer), asked)
            row = read_request(uow, made)
        settle(runtime, [row.case_id])
        runtime.seal()
    if as_json:
        answer(shown_request(row).model_dump(mode="json"))
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
    """Requests, newest first."""
    if state is not None and state not in _STATES:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(_STATES)}")
    with reading(workspace) as (_, reader):
        rows = requests_page(reader, state, None, limit)
    if as_json:
        answer({"items": [shown_request(row).model_dump(mode="json") for row in rows]})
        return
    for row in rows:
        say(f"{row.id}  {row.kind:<10}  {row.state:<8}  {row.customer_id}  {_when(row)}")


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


def _customer(reader: Reader, text: str) -> str:
    if "@" not in text:
        return text
    held = holder_of(reader, (IdentityKind.EMAIL.value, normalise_address("email", text)))
    if held is None:
        message = f"no customer has the address {text[:80]}"
        raise NotFoundError(message)
    return held


def _when(row: Any) -> str:
    return f"due {iso(row.due_at)}" if row.decided_at is None else f"decided {iso(row.decided_at)}"
