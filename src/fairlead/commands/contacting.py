"""contact: the rules by which customers are written to, and what the gate would say to a message."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from fairlead.commands.common import AsJson, Workspace, answer, reading, say, says_errors
from fairlead.commands.naming import customer_named
from fairlead.errors import InputError
from fairlead.guardrails import Attempt, Sender, deployed_rules, told, would_pass
from fairlead.kit.clock import iso

contact = typer.Typer(name="contact", help="Who may be written to, when, and why not.", no_args_is_help=True)


@contact.command("rules")
@says_errors
def show_rules(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show the rules in force: purposes, quiet hours, caps, and the rest."""
    with reading(workspace) as (_, reader):
        rules, row = deployed_rules(reader)
    sections = told(rules)
    if as_json:
        answer({
            "version": rules.version, "is_default": rules.is_default, "deployed_by": row.deployed_by if row else None,
            "deployed_at": iso(row.at) if row else None, "sections": [one._asdict() for one in sections],
        })  # fmt: skip
        return
    if rules.is_default:
        say("The built-in rules count: the workspace deployed no contact.yaml.")
    else:
        say(f"Rules {rules.version[:12]}, deployed by {row.deployed_by} at {iso(row.at)}.")
    for section in sections:
        say(f"\n{section.title}. {section.words}")
        for line in section.rows:
            name, *values = line
            shown = [f"{column.lower()}: {value}" for column, value in zip(section.columns[1:], values, strict=True)]
            say(f"  {name}: {values[0]}" if len(values) == 1 else f"  {name}: {'; '.join(shown)}")
        if not section.rows:
            say("  none")


@contact.command("would")
@says_errors
def would(  # noqa: PLR0913  one for each option
    customer: Annotated[str, typer.Argument(help="The customer's id or address; - for whoever has --address.")],
    *,
    channel: Annotated[str, typer.Option(help="email, sms, phone, chat, post.")],
    purpose: Annotated[str, typer.Option(help="A purpose of the rules.")],
    at: Annotated[str | None, typer.Option(help="2027-03-01T12:00+01:00; default: now.")] = None,
    address: Annotated[str, typer.Option(help="Default: the customer's first of the channel.")] = "",
    sender: Annotated[Sender, typer.Option(help="Who would send it.")] = Sender.API,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the message; may be given several times.")] = None,
    by_hand: Annotated[bool, typer.Option("--by-hand", help="A person wrote or approved it.")] = False,
    reply: Annotated[bool, typer.Option("--reply", help="It answers what the customer just wrote.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a message would go out, why, and when; nothing is written, nothing is reserved."""
    moment = _moment(at) if at else None
    with reading(workspace) as (runtime, reader):
        attempt = Attempt(
            "dry-run", None if customer == "-" else customer_named(reader, customer), channel, address, purpose,
            sender.value, tags=tuple(tag or ()), automatic=not by_hand, reply=reply,
        )  # fmt: skip
        found = would_pass(reader, attempt, moment or runtime.database.clock.now())
    if as_json:
        times = {
            name: iso(value) if (value := getattr(found, name)) else None for name in ("allowed_at", "ask_again_at")
        }
        answer({**asdict(found), **times, "checks": [one._asdict() for one in found.checks]})
        return
    for one in found.checks:
        say(f"  {one.name}: {one.code}. {one.words}")
    say(f"{found.verdict.value} ({found.code.value}): {found.words}")
    if found.verdict.value == "held":
        say(
            f"it would go out at {iso(found.allowed_at)}"
            if found.allowed_at
            else "nobody can foresee when it would go out"
        )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{text!r:.60} is no moment with a time zone; write for example 2027-03-01T12:00+01:00"
        raise InputError(message, field="at")
    return moment
