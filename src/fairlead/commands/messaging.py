"""message, mail: look at message templates before they are sent, and take in what comes back."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, say, says_errors, settings_of
from fairlead.connectors import (
    MAX_MAIL_BYTES,
    DkimSigner,
    TakenMail,
    Templates,
    check_messages,
    choose,
    render_message,
    take_mail,
    templates_of,
)
from fairlead.errors import FairleadError, InputError, TooLargeError
from fairlead.kit import jsons
from fairlead.playbooks import read_workspace
from fairlead.settings import env_name
from fairlead.worker import Runtime

message = typer.Typer(name="message", help="Message templates of the workspace.", no_args_is_help=True)
mail = typer.Typer(
    name="mail", help="Mail that came in, and the signature of mail that goes out.", no_args_is_help=True
)


@message.command("list")
@says_errors
def list_templates(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Every message template with its languages and the fields that it reads."""
    templates = templates_of(read_workspace(settings_of(workspace).workspace))
    rows = [
        {
            "name": name,
            "languages": sorted(known),
            "fields": sorted(frozenset().union(*(one.wanted for one in known.values()))),
        }
        for name, known in sorted(templates.items())
    ]
    if as_json:
        answer({"templates": rows})
        return
    for row in rows:
        say(f"{row['name']} ({', '.join(row['languages'])}): {', '.join(row['fields']) or 'reads no field'}")
    if not rows:
        say("there is no message template; write messages/NAME.en.md")


@message.command("preview")
@says_errors
def preview(
    name: Annotated[str, typer.Argument(help="The template's name, without language and ending.")],
    *,
    field: Annotated[list[str] | None, typer.Option("--field", "-f", help="NAME=VALUE; JSON for lists.")] = None,
    language: Annotated[str, typer.Option(help="de, de-CH, …; default: English, else the first.")] = "",
    html: Annotated[bool, typer.Option("--html", help="Print the HTML page and nothing else.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show a message template of the folder as a recipient would read it; nothing is sent."""
    files = read_workspace(settings_of(workspace).workspace)
    if errors := [one for one in check_messages(files) if one.place.file.startswith(f"messages/{name}.")]:
        raise errors[0]
    found = render_message(choose(_sound(files), name, language), _fields(field or []))
    if as_json:
        answer(found._asdict())
    elif html:
        say(found.html.rstrip("\n"))
    else:
        say(f"Subject: {found.subject}")
        say(f"Language: {found.language}\n")
        say(found.text.rstrip("\n"))


def _sound(files: Mapping[str, str]) -> Templates:
    """The templates that can be read: a mistake in another one is no reason not to look at this one."""
    wrong = {one.place.file for one in check_messages(files)}
    return templates_of({path: text for path, text in files.items() if path not in wrong})


def _fields(given: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{one[:80]!r} is no field; write NAME=VALUE.", code="field", field="field")
        fields[name.strip()] = _value(text)
    return fields


def _value(text: str) -> Any:
    """JSON where it is a list, an object, a number, true or false; else the text as it stands."""
    if text[:1] not in {"[", "{"} and text not in {"true", "false"} and not text.replace(".", "", 1).isdigit():
        return text
    try:
        return jsons.loads(text)
    except ValueError:
        return text


@mail.command("take")
@says_errors
def take(
    files: Annotated[list[Path], typer.Argument(help="Messages as files (.eml); - reads one from standard input.")],
    *,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Take in mail: bounces and complaints suppress, replies interrupt cases, machines' answers count for nothing."""
    taken: list[tuple[str, TakenMail]] = []
    wrong: list[tuple[str, FairleadError]] = []
    with opened(workspace) as runtime:
        for path in files:
            try:
                taken.append((str(path), _taken(runtime, _content(path))))
            except InputError as error:  # the others are taken all the same
                wrong.append((str(path), error))
        runtime.seal()
    if as_json:
        answer({
            "taken": [
                {
                    "file": name, "id": one.id, "kind": one.kind.value, "customer": one.customer_id,
                    "effect": one.effect, "is_new": one.is_new,
                }
                for name, one in taken
            ],
            "wrong": [{"file": name, **why.as_dict()} for name, why in wrong],
        })  # fmt: skip
    else:
        for name, one in taken:
            say(f"{name}: {one.kind.value}: {one.effect}")
        for name, why in wrong:
            say(f"{name}: not taken: {why.message}")
    if wrong:
        raise typer.Exit(2)


def _taken(runtime: Runtime, raw: bytes) -> TakenMail:
    secret = runtime.settings.secret_key
    assert secret is not None  # noqa: S101  an opened runtime has one
    with runtime.database.transaction() as uow:
        return take_mail(uow, operator(), raw, secret.get_secret_value().encode())


def _content(path: Path) -> bytes:
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(MAX_MAIL_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_MAIL_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", file=str(path)) from None
    if len(content) > MAX_MAIL_BYTES:
        words = f"{path} has more than {MAX_MAIL_BYTES:,} bytes."
        raise TooLargeError(words, limit=MAX_MAIL_BYTES, unit="bytes")
    return content


@mail.command("dkim")
@says_errors
def dkim(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Print the DNS record that lets receivers verify the signature of our mail."""
    settings = settings_of(workspace)
    domain = settings.smtp_dkim_domain or settings.smtp_from.rpartition("@")[2]
    if settings.smtp_dkim_key_file is None or not settings.smtp_dkim_selector or not domain:
        names = [env_name(one) for one in ("smtp_dkim_key_file", "smtp_dkim_selector", "smtp_from")]
        raise InputError(f"Set {', '.join(names)} first.", code="mail_settings", variables=names)
    name, record = DkimSigner.load(settings.smtp_dkim_key_file, domain, settings.smtp_dkim_selector).record()
    if as_json:
        answer({"name": name, "type": "TXT", "content": record})
    else:
        say(f'{name} TXT "{record}"')
