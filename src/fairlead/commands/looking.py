"""cases, audit: what is going on, and proof of what happened."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from fairlead.audit import (
    ExportedRecord,
    Signer,
    StoredRecord,
    Verification,
    history,
    read_heads,
    verify,
    write_export,
)
from fairlead.commands.common import (
    AsJson,
    Workspace,
    answer,
    opened,
    operator,
    reading,
    say,
    says_errors,
    settings_of,
    words,
)
from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, iso
from fairlead.kit.words import counted
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import CaseState, CaseVerb, case_summary, cases_page, read_case, steer
from fairlead.settings import Settings, load_settings, provide_secrets

cases = typer.Typer(name="cases", help="Running cases: look, step in.", no_args_is_help=True)
audit = typer.Typer(name="audit", help="The record of everything that happened.", no_args_is_help=True)
KEY_BYTES = 32
SHOWN = 20
CaseId = Annotated[str, typer.Argument(help="The case's id.")]
VERBS = {verb.value.replace("_", "-"): verb for verb in CaseVerb}
"""As they are typed; with `_` for `-` they mean the same."""


def _verb(text: str) -> CaseVerb:
    found = VERBS.get(text.replace("_", "-"))
    if found is None:
        message = f"{text!r} is none of {', '.join(VERBS)}. {did_you_mean(text, VERBS) or ''}".rstrip()
        raise typer.BadParameter(message)
    return found


@cases.command("list")
@says_errors
def cases_list(
    *,
    state: Annotated[
        CaseState | None,
        typer.Option(help="Only cases in this state; `exception` is the queue of stuck ones."),
    ] = None,
    playbook: Annotated[str | None, typer.Option(help="Only cases of this playbook.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Cases, newest first."""
    with reading(workspace) as (_, reader):
        rows = cases_page(reader, state=state.value if state else None, playbook=playbook, before=None, limit=limit)
    if as_json:
        answer(
            {
                "cases": [
                    {
                        "id": r.id,
                        "playbook": r.playbook,
                        "stage": r.stage,
                        "state": r.state,
                        "problem": r.problem,
                    }
                    for r in rows
                ]
            }
        )
        return
    for row in rows:
        why = f"  {row.problem['code']}: {row.problem['words']}" if row.problem else ""
        say(f"{row.id}  {row.playbook}  {row.stage}  {row.state}{why}")
    if not rows:
        say("no such cases")


@cases.command("show")
@says_errors
def cases_show(case_id: CaseId, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """One case with its history."""
    with reading(workspace) as (_, reader):
        summary = case_summary(read_case(reader, case_id))
        rows = history(reader, [case_id])
    events = [
        {
            "at": iso(from_micros(row.at)),
            "what": row.verb,
            "by": row.actor,
            "payload": jsons.loads(row.body) if row.body else None,
        }
        for row in rows
    ]
    if as_json:
        answer({"case": summary, "history": events})
        return
    say(f"{case_id}: {summary['playbook']}, stage {summary['stage']}, {summary['state']}")
    for event in events:
        say(f"  {event['at']}  {event['what']}  by {event['by']}  {jsons.dumps(event['payload'])[:160]}")


@cases.command("tell")
@says_errors
def cases_tell(
    case_id: CaseId,
    verb: Annotated[CaseVerb, typer.Argument(help="What to do.", metavar=f"[{'|'.join(VERBS)}]", parser=_verb)],
    *,
    stage: Annotated[str | None, typer.Option(help="redirect, hand-back: where to.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    workspace: Workspace = None,
) -> None:
    """Step into a running case."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        state = steer(uow, runtime.library, operator(), case_id, verb, stage=stage, reason=reason)
    say(f"{case_id} is {state}")


@audit.command("verify")
@says_errors
def audit_verify(
    *,
    export: Annotated[Path | None, typer.Option(help="Verify this export instead of the database.")] = None,
    public_key: Annotated[
        str | None,
        typer.Option(
            help="Hex of the public key; default: the workspace's, and for an export elsewhere its own claim."
        ),
    ] = None,
    heads: Annotated[Path | None, typer.Option(help="Published heads; default: the workspace's.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Check that nothing in the record was changed, removed or added.

    Exit status 1 when something was, 2 when it could not be checked.
    """
    key = None if public_key is None else _key(public_key)
    if export is None:
        key, published = _trusted(settings_of(workspace), key, heads)
        with reading(workspace) as (_, reader):
            found = verify(StoredRecord(reader), key, published)
    else:
        found = _verify_export(ExportedRecord(export), key, heads, workspace)
    _report(found, as_json=as_json)


def _trusted(settings: Settings, key: bytes | None, heads: Path | None) -> tuple[bytes, Mapping[int, bytes]]:
    """The key and heads that were given, else the installation's."""
    settings = provide_secrets(settings)
    assert settings.audit_key_file is not None  # noqa: S101  provide_secrets made or demanded it
    return (
        key or Signer.load(settings.audit_key_file, create=False).public_key,
        read_heads(heads or settings.audit_heads_file),
    )


def _verify_export(
    record: ExportedRecord, key: bytes | None, heads: Path | None, workspace: Path | None
) -> Verification:
    """By the key that was given, else by the workspace's, else by the one that the export itself names."""
    settings = load_settings(workspace=workspace)
    if workspace is not None or (key is None and (settings.workspace / "playbooks").is_dir()):
        key, published = _trusted(settings_of(workspace), key, heads)
    else:
        published = read_heads(heads) if heads else {}
    if key is None and record.public_key is None:
        message = "the export has lost its header with the key that it was signed with; give it with --public-key"
        raise InputError(message, code="public_key")
    if key is not None and record.public_key not in {key, None}:
        words.print("remark: the export names another key than the one it is checked against", markup=False)
    return verify(record, key or record.public_key or b"", published, claimed=key is None)


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        message = "the public key is 64 hex digits"
        raise InputError(message)
    return key


def _report(found: Verification, *, as_json: bool) -> None:
    if as_json:
        problems = [{"row": p.row, "seal": p.seal, "what": p.what} for p in found.problems]
        answer({
            "ok": not found.problems, "statement": found.statement(), "first_bad_row": found.first_bad_row,
            "rows": found.rows, "seals": found.seals, "unsealed": found.unsealed, "erased": found.erased,
            "head": found.head, "sealed_at": found.sealed_at, "problems": problems,
            "key_trusted": not found.claimed_key, "heads_compared": found.heads_compared,
        })  # fmt: skip
    else:
        say(found.statement())
        for problem in found.problems[:SHOWN]:
            say(f"  {problem}")
        if found.problem_count > SHOWN:
            say(f"  and {found.problem_count - SHOWN:,} more")
    if found.problems:
        raise typer.Exit(1)


@audit.command("export")
@says_errors
def audit_export(
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A file that does not exist yet; default: standard output."),
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Write the whole record, so that a third party can verify it without us."""
    with opened(workspace) as runtime:
        runtime.seal()
        with runtime.database.reading() as reader:
            record, key = StoredRecord(reader), runtime.signer.public_key
            if output is None:
                write_export(record, key, sys.stdout)
                return
            try:
                with output.open("x", encoding="utf-8") as file:
                    count = write_export(record, key, file)
            except FileExistsError:
                message = f"{output} exists already; give another name"
                raise InputError(message) from None
            except OSError as error:
                message = f"{output} cannot be written: {error.strerror}"
                raise InputError(message) from None
    say(f"wrote {counted(count, 'row')} to {output}; public key {key.hex()}")
