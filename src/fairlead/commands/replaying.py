"""Contact rules on what was asked before: the command, and the line of check and deploy."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from fairlead.commands.common import AsJson, Workspace, answer, desk_address, reading, say, says_errors, words
from fairlead.commands.contacting import contact
from fairlead.commands.teams import parse_span
from fairlead.errors import FairleadError, InputError, TooLargeError
from fairlead.guardrails import (
    DEFAULT,
    RULES_FILE,
    ContactRules,
    current_rules,
    parse_rules,
    replay_examples,
    replay_json,
    replay_line,
    replay_log,
    replay_notes,
    replay_table,
)
from fairlead.kit.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fairlead.kit.unit_of_work import Reader
    from fairlead.settings import Settings

MAX_RULES_BYTES = 1_048_576
IN_PASSING = 20_000
"""How many askings check and deploy look at; with more, the newest."""
MONTH = timedelta(days=30)


@contact.command("replay")
@says_errors
def replay_command(
    *,
    rules: Annotated[
        Path | None, typer.Option(help="A file of contact rules; default: the workspace's contact.yaml.")
    ] = None,
    since: Annotated[str, typer.Option(help="How far back: 12h, 30d or 8w.")] = "30d",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Judge again by other rules what was asked of the gate, by the facts of each moment; nothing is written."""
    back = parse_span(since)
    with reading(workspace) as (runtime, reader):
        wanted = _rules_of(rules, runtime.settings.workspace)
        before = current_rules(reader)
        now = runtime.database.clock.now()
        found = replay_log(reader, wanted, now, back, progress=None if as_json else _progress())
        desk = desk_address(runtime.settings)
    notes = replay_notes(found, wanted, before)
    if as_json:
        answer({**replay_json(found, notes), "unchanged": wanted.version == before.version})
        return
    if wanted.version == before.version:
        words.print("these are the rules in force", markup=False)
    say(replay_line(found))
    for shift in replay_table(found):
        mark = "→" if shift.differs else " "
        say(f"  {mark} {_fate(shift.old, shift.old_code)} → {_fate(shift.new, shift.new_code)}: {shift.messages:,}")
    for (purpose, old, new), count in sorted(_by_purpose(replay_json(found, notes)).items()):
        say(f"  {purpose}: {count:,} {old} → {new}")
    for one in replay_examples(found):
        who = f"{desk}/customers/{one['customer']}" if one["customer"] else "nobody known"
        old, new = _fate(one["old"], one["old_code"]), _fate(one["new"], one["new_code"])
        say(f"  {one['at']}  {one['purpose']}  {old} → {new}  {who}  {one['words']}")
    for note in notes:
        words.print(note, markup=False)


def _by_purpose(found: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    return {(one["purpose"], one["old"], one["new"]): one["messages"] for one in found["purposes"]
            if one["old"] != one["new"]}  # fmt: skip


def _fate(verdict: str, code: str) -> str:
    return verdict if verdict == code else f"{verdict} {code}"


def _progress() -> Callable[[int, int], None]:
    """A remark after each tenth of what takes long."""
    told = 0

    def progress(done: int, count: int) -> None:
        nonlocal told
        if count > IN_PASSING and done * 10 // count > told:
            told = done * 10 // count
            words.print(f"{done:,} of {count:,} askings", markup=False)

    return progress


def _rules_of(path: Path | None, workspace: Path) -> ContactRules:
    where = workspace / RULES_FILE if path is None else path
    if path is None and not where.exists():
        return DEFAULT
    try:
        with where.open("rb") as file:
            raw = file.read(MAX_RULES_BYTES + 1)
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{where} cannot be read: {why}", field="rules") from None
    if len(raw) > MAX_RULES_BYTES:
        message = f"{where} has more than {MAX_RULES_BYTES:,} bytes"
        raise TooLargeError(message, limit=MAX_RULES_BYTES, unit="bytes")
    return parse_rules(text, where.name)


def rules_line(reader: Reader, database: Database, files: Mapping[str, str]) -> str | None:
    """What the files' contact rules would have done; None where they are in force, wrong, or nothing was asked."""
    text = files.get(RULES_FILE)
    try:
        wanted = parse_rules(text) if text is not None else DEFAULT
    except FairleadError:  # the check says what is wrong with them
        return None
    if wanted.version == current_rules(reader).version:
        return None
    found = replay_log(reader, wanted, database.clock.now(), MONTH, most=IN_PASSING)
    return f"contact rules change: {replay_line(found)}" if found.total else None


def rules_line_unopened(settings: Settings, files: Mapping[str, str]) -> str | None:
    """The same before anything was opened; None also where there is no database, or none of the present form.

    Checking files makes no database.
    """
    database = Database(settings.database_url)
    if database.is_sqlite and not Path(database.url.database or "").exists():
        return None
    try:
        with closing(database), database.reading() as reader:
            return rules_line(reader, database, files)
    except (FairleadError, SQLAlchemyError):
        return None
