"""note: the words of an e-mail or call as proposed changes to a record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, say, says_errors
from fairlead.errors import InputError, TooLargeError
from fairlead.sales import read_found, read_letter, take_note

MAX_BYTES = 1_048_576
note = typer.Typer(name="note", help="E-mails and call notes, as proposed changes to records.", no_args_is_help=True)


@note.command("add")
@says_errors
def add(
    *,
    file: Annotated[Path, typer.Option("--file", "-f", help="A text or .eml file; - reads standard input.")],
    playbook: Annotated[str, typer.Option(help="The playbook that decides.")] = "record-changes",
    customer: Annotated[str | None, typer.Option(help="Id of whom it is about; else found by what it says.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Propose what a text says about a person and a deal; nothing is written before its review."""
    from fairlead.api import note_withheld  # noqa: PLC0415  the web framework would slow every other command down

    content = _content(file)
    with opened(workspace) as runtime:
        letter = read_letter(content, runtime.database.clock.now().date())
        found = read_found(letter)
        with runtime.database.transaction() as uow:
            bundle = runtime.library.current(uow)
            taken = take_note(uow, operator(), bundle, playbook, letter, found, customer_id=customer)
            withheld = note_withheld(uow, taken.case_id)
        runtime.seal()
    if as_json:
        answer({
            "note": taken.note_id, "case": taken.case_id, "customer": taken.customer_id, "is_new": taken.is_new,
            "known": taken.known, "withheld": withheld or None, "found": [] if withheld else list(taken.found),
        })  # fmt: skip
        return
    if withheld:
        say(withheld)
    for one in () if withheld else taken.found:
        say(f"{one['field']}: {one['value']} ({one['confidence']:.0%})")
    if taken.is_new:
        say(f"added {taken.note_id}; a running server or worker brings it to its review")
    else:
        say(f"this very text was added before as {taken.note_id}; nothing was added")


def _content(file: Path) -> bytes:
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with file.open("rb") as source:
                content = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", code="no_such_file") from None
    if len(content) > MAX_BYTES:
        message = f"{file} is larger than {MAX_BYTES:,} bytes. Paste the words that matter into a smaller file."
        raise TooLargeError(message, limit=MAX_BYTES, unit="bytes")
    return content
