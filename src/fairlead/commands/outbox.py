"""outbox: what waits, went out or failed; try it again, give it up, say what became of a doubtful message."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fairlead.actions import (
    REPAIR,
    Action,
    ActionFilter,
    action_of,
    actions_page,
    copy_of,
    dead_letters,
    give_up,
    open_counts,
    outlets_now,
    parse_rates,
    ways_out,
)
from fairlead.commands.common import AsJson, Workspace, answer, operator, reading, say, says_errors, words, writing
from fairlead.connectors import SETTLEMENTS, registry, retry_failed, settle_unknown
from fairlead.errors import NotFoundError
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.words import counted
from fairlead.kit.yamlmarks import did_you_mean

outbox = typer.Typer(name="outbox", help="What leaves, what waits, and what could not.", no_args_is_help=True)
_CHANNELS = ("email", "sms", "phone", "chat", "post")
Id = Annotated[str, typer.Argument(help="The action's id, act_…")]


@outbox.command("list")
@says_errors
def list_actions(
    *,
    state: Annotated[
        str | None, typer.Option(help="queued, held, sent, refused, failed, expired, withdrawn, ambiguous, repair.")
    ] = None,
    connector: Annotated[str | None, typer.Option(help="Only through this connector.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only for this customer.")] = None,
    outlet: Annotated[str | None, typer.Option(help="Only by this way out, such as message/email.")] = None,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Only those older than this action.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Actions, newest first, and how each way out does; `--state repair` is what waits for somebody's word."""
    which = ActionFilter(state, connector, outlet, customer)
    with reading(workspace) as (runtime, reader):
        rows = actions_page(reader, which, before, limit + 1)
        counts = open_counts(reader)
        ways = outlets_now(reader, parse_rates(runtime.settings.delivery_rates), runtime.database.clock.now())
    older = rows[limit - 1].id if len(rows) > limit else None
    rows = rows[:limit]
    if as_json:
        answer({"items": [_plain(row) for row in rows], "next": older, "counts": counts})
        return
    for row in rows:
        say(f"{row.id}  {row.state.value:9}  {row.outlet}  {row.kind}  {_why(row)}")
    if not rows:
        say({None: "nothing", REPAIR: "nothing is to be repaired"}.get(state, f"nothing is {state}"))
    if older is not None:
        words.print(f"there are older ones: --before {older}", markup=False)
    for way in ways:
        if way.state.opened_at is not None:
            trial = f", next trial {iso(way.state.probe_at)}" if way.state.probe_at else ""
            say(f"{way.state.name} is left alone after {way.state.failures} failures{trial}: {way.state.problem}")


def _why(row: Action) -> str:
    if row.gate:
        look = f" (asked again {iso(row.look_at)})" if row.look_at else ""
        return f"{row.gate['code']}: {row.gate['words']}{look}"
    return row.problem or str((row.result or {}).get("detail", ""))


def _plain(row: Action) -> dict[str, Any]:
    moments = ("due_at", "expires_at", "created_at", "done_at", "look_at")
    words = ("id", "idempotency_key", "connector", "outlet", "kind", "case_id", "customer_id", "attempts", "thread",
             "problem", "result", "value_minor")  # fmt: skip
    found = {name: getattr(row, name) for name in words} | {"state": row.state.value}
    return found | {name: iso(at) if (at := getattr(row, name)) is not None else None for name in moments}


@outbox.command("show")
@says_errors
def show(action_id: Id, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """One action: what the gate and the other side said, and the exact copy of what was handed over."""
    with reading(workspace) as (_, reader):
        row, copy = action_of(reader, action_id), copy_of(reader, action_id)
    if as_json:
        kept = None
        if copy is not None:
            kept = {"state": copy.state, "words": copy.words, "attempt": copy.attempt, "at": iso(copy.at),
                    "content": copy.content}  # fmt: skip
        answer(_plain(row) | {"body": row.body, "copy": kept})
        return
    say(f"{row.id}  {row.state.value}  {row.outlet}  {row.kind}  {counted(row.attempts, 'delivery', 'deliveries')}")
    say(_why(row) or "nothing was said yet")
    for name, code, why in row.gate.get("checks", ()):
        say(f"  {name:12} {code:12} {why}")
    if copy is not None:
        say(f"handed over {iso(copy.at)}; the other side: {copy.words}")
        say(copy.content or "(erased with the customer)")


@outbox.command("retry")
@says_errors
def retry(
    action_id: Annotated[str | None, typer.Argument(help="The action's id, act_…; or --all.")] = None,
    *,
    every: Annotated[
        str | None, typer.Option("--all", help="Everything that failed for good at this connector or outlet.")
    ] = None,
    give_up_because: Annotated[
        str | None, typer.Option("--give-up", help="Do not try it again, for this reason.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Try again what failed for good, or give it up; a message passes the gate as of then."""
    if (action_id is None) == (every is None) or (give_up_because is not None and action_id is None):
        raise typer.BadParameter("name one action, or --all CONNECTOR; --give-up goes with one action")
    with writing(workspace) as (_, uow):
        if give_up_because is not None and action_id is not None:
            give_up(uow, action_id, operator(), reason=give_up_because)
            say("given up")
            return
        if every is not None:
            _check_way_out(uow, every)
        ids = [action_id] if action_id is not None else dead_letters(uow, every or "", now=uow.now)
        count = retry_failed(uow, ids, operator())
    say(f"{counted(count, 'action')} queued; a running server or worker delivers")


def _check_way_out(reader: Reader, name: str) -> None:
    """NotFoundError for what is no connector of this build, and no way by which anything was ever to go out."""
    known = {*registry, *ways_out(reader), *(f"message/{one}" for one in _CHANNELS)}
    if name not in known:
        hint = did_you_mean(name, known)
        message = f"there is no connector or outlet {name!r:.80} here"
        raise NotFoundError(f"{message}. {hint}" if hint else message, outlet=name[:80])


@outbox.command("settle")
@says_errors
def settle(
    action_id: Id,
    outcome: Annotated[str, typer.Argument(help="arrived, not_arrived or send_again.")],
    *,
    because: Annotated[str, typer.Option(help="How you know.")],
    workspace: Workspace = None,
) -> None:
    """Say what became of a message of which nobody knows whether it arrived; it is sent again only on this word."""
    if outcome not in SETTLEMENTS:
        raise typer.BadParameter(f"{outcome!r} is none of {', '.join(SETTLEMENTS)}")
    with writing(workspace) as (_, uow):
        settle_unknown(uow, action_id, outcome, operator(), reason=because)
    say("queued; a running server or worker delivers" if outcome == "send_again" else "written down")
