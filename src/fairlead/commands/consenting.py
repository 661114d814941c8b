"""consent and notice: the ledger of what customers allowed, and the wordings that they were shown."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead import customers
from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, reading, say, says_errors, writing
from fairlead.commands.consent_importing import import_command
from fairlead.commands.naming import customer_named
from fairlead.errors import InputError, NotFoundError, TooLargeError
from fairlead.guardrails import deployed_rules
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.yamlmarks import did_you_mean

MAX_NOTICE_FILE = 65_536

Customer = Annotated[str, typer.Argument(help="The customer's id, e-mail address, number or external id.")]
Mechanism = Annotated[str, typer.Option(help="How it was said: phone_call, paper_form, …")]
Proof = Annotated[str, typer.Option(help="What shows it, as text or as a JSON object.")]

consent = typer.Typer(name="consent", help="What customers allowed and withdrew.", no_args_is_help=True)
notice = typer.Typer(name="notice", help="Wordings shown beside questions, in every version.", no_args_is_help=True)


consent.command("import")(import_command)


@consent.command("list")
@says_errors
def list_command(customer: Customer, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """What a customer allows now, and everything that was ever said, newest first."""
    with reading(workspace) as (runtime, reader):
        one = customer_named(reader, customer)
        standings = customers.consents_of(reader, [one], runtime.database.clock.now())[one]
        rows = list(customers.whole_history(reader, one))
        told = customers.deliveries(reader, customer_id=one, limit=500)
    if as_json:
        answer({
            "customer": one,
            "standing": [{"purpose": key[0], "channel": key[1], **_plain(asdict(known))}
                         for key, known in sorted(standings.items())],
            "history": [_plain(asdict(row)) for row in rows],
            "deliveries": [_plain(asdict(row)) for row in told],
        })  # fmt: skip
        return
    say(one if standings else f"{one} was never asked")
    for (purpose, channel), known in sorted(standings.items()):
        until = f", until {iso(known.expires_at)}" if known.expires_at else ""
        old = ", under a notice that has another text now" if known.outdated else ""
        say(f"{purpose} by {channel}: {known.state} since {iso(known.at)} ({known.mechanism}{until}{old})")
    for row in rows:
        say(f"  {iso(row.recorded_at)} {row.state} {row.purpose}/{row.channel} {row.mechanism}, {row.source}")
    for telling in told:
        why = f": {telling.why}" if telling.why else ""
        say(f"  told {telling.downstream} of {telling.purpose}/{telling.channel}: {telling.state}{why}")


@consent.command("give")
@says_errors
def give(  # noqa: PLR0913  each is an option of the command
    customer: Customer,
    purpose: Annotated[str, typer.Argument(help="What it is for: newsletter, sales, …")],
    channel: Annotated[str, typer.Argument(help="email, sms, phone, chat or post.")],
    *,
    mechanism: Mechanism,
    proof: Proof,
    notice_name: Annotated[str | None, typer.Option("--notice", help="The notice that was shown.")] = None,
    language: Annotated[str, typer.Option(help="The language of that notice.")] = "en",
    expires: Annotated[str | None, typer.Option(help="2028-03-01T00:00+01:00; default: when withdrawn.")] = None,
    said_at: Annotated[str | None, typer.Option(help="When it was said; default: now.")] = None,
    workspace: Workspace = None,
) -> None:
    """Write down that a customer allowed something."""
    with writing(workspace) as (_, uow):
        one = customer_named(uow, customer)
        shown = customers.current_notice(uow, notice_name, language) if notice_name else None
        if notice_name and shown is None:
            message = f"the notice {notice_name} was never published in {language}"
            raise NotFoundError(message, notice=notice_name)
        record = customers.ConsentRecord(
            purpose, channel, customers.ConsentState.GIVEN, mechanism, str(operator()), _proof(proof),
            shown.id if shown else None, _moment(expires), _moment(said_at),
        )  # fmt: skip
        row = customers.record_consent(uow, operator(), one, record)
        _check_purpose(uow, purpose)
    say(f"{one} allowed {purpose} by {channel} ({row})")


@consent.command("withdraw")
@says_errors
def withdraw(
    customer: Customer,
    purpose: Annotated[str, typer.Argument(help="Default: everything.")] = "*",
    channel: Annotated[str, typer.Argument(help="Default: every channel.")] = "*",
    *,
    mechanism: Mechanism = "told_staff",
    proof: Proof = "",
    workspace: Workspace = None,
) -> None:
    """Write down that a customer withdrew something, or everything; it counts at once."""
    with writing(workspace) as (_, uow):
        one = customer_named(uow, customer)
        if (purpose, channel) == ("*", "*"):
            customers.withdraw_all(
                uow, operator(), one, source=str(operator()), mechanism=mechanism, proof=_proof(proof)
            )  # fmt: skip
        else:
            record = customers.ConsentRecord(
                purpose, channel, customers.ConsentState.WITHDRAWN, mechanism, str(operator()), _proof(proof)
            )  # fmt: skip
            customers.record_consent(uow, operator(), one, record)
    say(f"{one} withdrew {'everything' if purpose == '*' else purpose}{'' if channel == '*' else f' by {channel}'}")


@notice.command("publish")
@says_errors
def publish(
    name: Annotated[str, typer.Argument(help="What the notice is called.")],
    file: Annotated[Path, typer.Argument(help="Its text, exactly as it is shown; - reads standard input.")],
    *,
    language: Annotated[str, typer.Option(help="BCP 47, such as en or de.")] = "en",
    workspace: Workspace = None,
) -> None:
    """Make a text the newest version of a notice; consents under another text are outdated from then on."""
    text = _text(file, MAX_NOTICE_FILE)
    with opened(workspace) as runtime:
        with runtime.database.transaction() as uow:
            found = customers.publish_notice(uow, operator(), name, language, text)
        runtime.seal()
    say(f"{found.name} version {found.version} in {found.language} ({found.id})")


@notice.command("list")
@says_errors
def notices(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Every version of every notice, newest first."""
    with reading(workspace) as (_, reader):
        rows = customers.notices(reader)
    if as_json:
        answer([
            {"id": row.id, "name": row.name, "language": row.language, "version": row.version, "digest": row.digest,
             "text": row.text, "at": iso(row.at)}
            for row in rows
        ])  # fmt: skip
        return
    for row in rows:
        say(f"{row.name} {row.language} version {row.version}, {iso(row.at)}: {row.text[:60]!r}")
    if not rows:
        say("no notice was published")


def _check_purpose(reader: Reader, purpose: str) -> None:
    """A yes to what no message can be for is a slip of the pen; a no counts under any name."""
    rules, _ = deployed_rules(reader)
    if not rules.is_default and purpose not in rules.purposes:
        message = f"The contact rules know no purpose {purpose[:64]!r}. {did_you_mean(purpose, rules.purposes) or ''}"
        raise InputError(message.strip(), code="unknown_purpose", field="purpose")


def _proof(text: str) -> dict[str, Any]:
    if not text:
        return {}
    if not text.startswith("{"):
        return {"words": text}
    try:
        return dict(jsons.loads(text))
    except ValueError:
        raise InputError("The proof begins like JSON and is none.", code="proof") from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{text[:40]!r} is no moment; write it with its zone, such as 2027-03-01T12:00+01:00"
        raise InputError(message, code="moment")
    return moment


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _text(file: Path, limit: int) -> str:
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with file.open("rb") as source:
                content = source.read(limit + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", code="no_such_file") from None
    if len(content) > limit:
        message = f"{file} is larger than {limit:,} bytes; send it in parts"
        raise TooLargeError(message, limit=limit, unit="bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 at byte {error.start:,}.", code="encoding") from None
