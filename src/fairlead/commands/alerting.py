"""alert: tell customers of a delay, a renewal or an incident, and take back what is not out yet when it is over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead import alerts
from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, reading, say, says_errors
from fairlead.commands.duplicates import settle
from fairlead.commands.naming import customer_named
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader

alert = typer.Typer(name="alert", help="Tell customers of a delay, a renewal or an incident.", no_args_is_help=True)
MAX_BYTES = 10 * 2**20
_SHOWN = 20
AlertId = Annotated[str, typer.Argument(metavar="ID", help="An id of your own, which means this alert for ever.")]


@alert.command("raise")
@says_errors
def raise_one(
    alert_id: AlertId,
    *,
    kind: Annotated[alerts.AlertKind, typer.Option(help="What it is about.")],
    title: Annotated[str, typer.Option(help="Its subject.")],
    text: Annotated[str, typer.Option(help="What customers read.")],
    customers: Annotated[
        Path, typer.Option(help="A file of ids, addresses or ids of your own, one a line.", exists=False)
    ],
    field: Annotated[list[str] | None, typer.Option(help="name=value, for your own template; repeated.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Open a case for each customer whom this alert has not reached; safe to run again."""
    named = _lines(customers)
    draft = alerts.AlertDraft(alert_id, kind, title, text, _fields(field or ()))
    cases: list[str] = []
    known, unknown = 0, []
    with opened(workspace) as runtime:
        for start in range(0, len(named), alerts.CHUNK):
            part = named[start : start + alerts.CHUNK]
            with runtime.database.transaction() as uow:
                found = {line: _id_of(uow, one) for line, one in part}
                bundle = runtime.library.current(uow)
                ids = [one for one in found.values() if one]
                done = alerts.raise_alert(uow, operator(), bundle, draft, ids, of=len(named))
            cases, known = [*cases, *done.cases], known + done.known
            unknown += [line for line, one in found.items() if one is None or one in done.unknown]
        settle(runtime, cases)
        runtime.seal()
    if as_json:
        answer({"opened": len(cases), "known": known, "unknown_lines": unknown})
        return
    say(f"{len(cases):,} customers are told, {known:,} had been, {len(unknown):,} are unknown")
    if unknown:
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        say(f"unknown: lines {', '.join(map(str, unknown[:_SHOWN]))}{more} of {customers}")


@alert.command("show")
@says_errors
def show(alert_id: AlertId, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show an alert, and how many customers it was raised for."""
    with reading(workspace) as (_, reader):
        one = alerts.read_alert(reader, alert_id)
    if as_json:
        answer({
            "id": one.id, "kind": one.kind.value, "title": one.title, "text": one.text, "fields": dict(one.fields),
            "state": one.state.value, "at": iso(one.at), "customers": one.customers,
            "resolved_at": iso(one.resolved_at) if one.resolved_at else None,
        })  # fmt: skip
        return
    over = f", resolved {iso(one.resolved_at)}" if one.resolved_at else ""
    say(f"{one.id}  {one.kind.value}  {one.state.value}{over}  {one.customers:,} customers  {one.title}")


@alert.command("resolve")
@says_errors
def resolve(
    alert_id: AlertId,
    *,
    reason: Annotated[str, typer.Option(help="Why it is over; kept in the audit record.")] = "",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Say that it is over: nobody else is told, and what is not out yet is taken back."""
    cancelled, after = 0, ""
    with opened(workspace) as runtime:
        with runtime.database.transaction() as uow:
            alerts.resolve_alert(uow, operator(), alert_id, reason=reason)
        while True:
            with runtime.database.transaction() as uow:
                ended, more = alerts.withdraw_alert(uow, operator(), alert_id, after)
            cancelled += ended
            if more is None:
                break
            after = more
        runtime.seal()
    if as_json:
        answer({"cancelled": cancelled})
        return
    say(f"{alert_id} is over; {cancelled:,} cases were cancelled")


def _lines(path: Path) -> list[tuple[int, str]]:
    """Numbers and words of the lines that say something."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} has more than {MAX_BYTES:,} bytes; raise the alert in parts.", field="customers")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of customers.", field="customers") from error
    named = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not named:
        raise InputError(f"{path} names nobody.", field="customers")
    return named


def _id_of(reader: Reader, text: str) -> str | None:
    try:
        return customer_named(reader, text)
    except (InputError, NotFoundError):
        return None


def _fields(said: Any) -> dict[str, str]:
    pairs = [one.partition("=") for one in said]
    for name, equals, _ in pairs:
        if not equals:
            raise InputError(f"{name[:64]!r} is no field; write name=value.", field="field")
    return {name.strip(): value for name, _, value in pairs}
