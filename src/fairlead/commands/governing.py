"""grant, policy, stop: how much the machine may do, by whose word, and the switch that takes it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from fairlead.checkpoints import (
    CheckpointPolicy,
    Grant,
    Level,
    declared,
    grants_of,
    lift_stop,
    set_grant,
    sign_policy,
    signatures_of,
    stops,
    switch_stop,
    unsigned,
    withdraw_grant,
    withdraw_signatures,
)
from fairlead.commands.common import (
    AsJson,
    Workspace,
    answer,
    operator,
    reading,
    say,
    says_errors,
    unsigned_lines,
    writing,
)
from fairlead.errors import InputError
from fairlead.kit.clock import iso
from fairlead.kit.words import counted
from fairlead.kit.yamlmarks import did_you_mean

grant = typer.Typer(
    name="grant", help="Autonomy given to a producer in a segment of a checkpoint.", no_args_is_help=True
)
policy = typer.Typer(name="policy", help="Signatures under what a policy declares of itself.", no_args_is_help=True)
stop = typer.Typer(name="stop", help="Send everything to people, at once.", no_args_is_help=True)
Checkpoint = Annotated[str, typer.Argument(help="The checkpoint, e.g. lead-assignment.")]


def _deployed(policies: Mapping[str, CheckpointPolicy], checkpoint: str) -> CheckpointPolicy:
    found = policies.get(checkpoint)
    if found is None:
        message = f"there is no checkpoint {checkpoint!r}. {did_you_mean(checkpoint, policies) or ''}".rstrip()
        raise InputError(message)
    return found


@grant.command("set")
@says_errors
def grant_set(  # noqa: PLR0913  one argument per option
    checkpoint: Checkpoint,
    *,
    segment: Annotated[str, typer.Option(help="A segment of the checkpoint's policy.")],
    producer: Annotated[str, typer.Option(help="name@version of the model, prompt or rule set.")],
    level: Annotated[Level, typer.Option(help="shadow, assist or auto.")],
    threshold: Annotated[float | None, typer.Option(help="auto: the least score that may act alone.")] = None,
    promised_error: Annotated[float | None, typer.Option(help="Share of wrong automatic decisions promised.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 90,
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    workspace: Workspace = None,
) -> None:
    """Give autonomy by hand, signed and audited; it replaces the grant of the same segment and producer."""
    with writing(workspace) as (runtime, uow):
        found = _deployed(runtime.library.current(uow).policies, checkpoint)
        if segment not in found.segment_names:
            message = f"{checkpoint} has no segment {segment!r}. {did_you_mean(segment, found.segment_names)}"
            raise InputError(message)
        until = uow.now + timedelta(days=days)
        wanted = Grant("", checkpoint, segment, producer, level, found.version, until, threshold, promised_error)
        made = set_grant(uow, operator(), "admin", wanted, {"note": note, "by_hand": True})
    say(f"{made.id}: {producer} may go {level.value} in {checkpoint}/{segment} until {iso(made.expires_at)}")


@grant.command("list")
@says_errors
def grant_list(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Grants in force."""
    with reading(workspace) as (runtime, reader):
        rows = grants_of(reader)
        policies = runtime.library.current(reader).policies
    if as_json:
        answer({"grants": [dict(row._mapping) for row in rows]})  # noqa: SLF001  SQLAlchemy's public name for it
        return
    for row in rows:
        limit = f" from {row.threshold:g}" if row.threshold is not None else ""
        now = policies.get(row.checkpoint)
        stale = "" if now and now.version == row.policy_version else "  (given under another policy: assist at most)"
        where = f"{row.checkpoint}/{row.segment}"
        say(f"{row.id}  {where}  {row.producer}  {row.level}{limit}  until {iso(row.expires_at)}{stale}")
    if not rows:
        say("no grants: every checkpoint is in shadow, and people decide everything")


@grant.command("withdraw")
@says_errors
def grant_withdraw(
    grant_id: Annotated[str, typer.Argument(help="The grant's id, from `fairlead grant list`.")],
    *,
    because: Annotated[str, typer.Option(help="Why, for the record.")],
    workspace: Workspace = None,
) -> None:
    """End a grant at once."""
    with writing(workspace) as (_, uow):
        withdraw_grant(uow, operator(), grant_id, because)
    say(f"{grant_id} is withdrawn; its cases go to people from now on")


@policy.command("sign")
@says_errors
def policy_sign(
    checkpoint: Checkpoint,
    *,
    reason: Annotated[str, typer.Option(help="Why that is right, for the record.")],
    workspace: Workspace = None,
) -> None:
    """Sign what the deployed policy declares: deterministic (no grant needed), stop: never (no stop reaches it)."""
    with writing(workspace) as (runtime, uow):
        found = _deployed(runtime.library.current(uow).policies, checkpoint)
        made = sign_policy(uow, operator(), "admin", found, reason)
    say(f"{made.id}: {checkpoint} is signed, for version {made.policy_version[:12]} alone")
    for name, meaning in declared(found).items():
        say(f"  {name}: {meaning}")


@policy.command("unsign")
@says_errors
def policy_unsign(
    checkpoint: Checkpoint,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    workspace: Workspace = None,
) -> None:
    """Take back every signature in force at a checkpoint; it counts for nothing at once."""
    with writing(workspace) as (_, uow):
        ended = withdraw_signatures(uow, operator(), checkpoint, reason)
    say(f"{checkpoint} is unsigned ({len(ended)} withdrawn); grants and stop switches govern it from now on")


@policy.command("list")
@says_errors
def policy_list(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """What deployed policies declare, and whether it is signed."""
    with reading(workspace) as (runtime, reader):
        policies = runtime.library.current(reader).policies
        signatures = signatures_of(reader)
        left = unsigned(reader, policies)
    if as_json:
        answer({"signatures": [asdict(one) for one in signatures], "unsigned": left})
        return
    for one in signatures:
        now = policies.get(one.checkpoint)
        stale = "" if now and now.version == one.policy_version else "  (an earlier version: for its own cases alone)"
        say(f"{one.id}  {one.checkpoint}  {', '.join(one.covers)}  by {one.signed_by} at {iso(one.at)}{stale}")
    for line in unsigned_lines(policies, left):
        say(line)
    if not signatures and not left:
        say("no policy declares anything that needs a signature")


@stop.command("on")
@says_errors
def stop_on(
    scope: Annotated[str, typer.Argument(help="workspace, playbook:NAME or checkpoint:NAME.")] = "workspace",
    *,
    because: Annotated[str, typer.Option(help="Why, shown on the desk.")],
    workspace: Workspace = None,
) -> None:
    """Stop automation: people decide everything in this scope, undelivered automatic actions are held."""
    with writing(workspace) as (_, uow):
        held = switch_stop(uow, operator(), scope, because)
    say(f"{scope} is stopped; {counted(held, 'action is', 'actions are')} held")


@stop.command("off")
@says_errors
def stop_off(
    scope: Annotated[str, typer.Argument(help="workspace, playbook:NAME or checkpoint:NAME.")] = "workspace",
    *,
    workspace: Workspace = None,
) -> None:
    """Let automation go on; held actions go out."""
    with writing(workspace) as (_, uow):
        released = lift_stop(uow, operator(), scope)
    say(f"{scope} goes on; {counted(released, 'held action goes', 'held actions go')} out")


@stop.command("list")
@says_errors
def stop_list(*, workspace: Workspace = None) -> None:
    """Stop switches that are on."""
    with reading(workspace) as (_, reader):
        rows = stops(reader)
    for row in rows:
        say(f"{row.scope}  since {iso(row.set_at)} by {row.set_by}: {row.words}")
    if not rows:
        say("nothing is stopped")
