"""person, sign-in, key: who may come in."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from fairlead.commands.common import (
    AsJson,
    Workspace,
    answer,
    desk_address,
    opened,
    operator,
    reading,
    say,
    says_errors,
)
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.money import currency_exponent
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.people import (
    KEY_SCOPES,
    add_person,
    change_roles,
    create_api_key,
    disable_person,
    find_person_by_email,
    issue_sign_in_link,
    list_api_keys,
    list_people,
    revoke_api_key,
    set_webhook_url,
    webhook_secret_of,
)

person = typer.Typer(name="person", help="People who sign in to the desk.", no_args_is_help=True)
key = typer.Typer(name="key", help="Keys for programs that ask before they act.", no_args_is_help=True)
USUAL_SCOPES = ("decisions:ask", "decisions:read", "decisions:execute", "outcomes:report")
SCOPE_HELP = f"One of {', '.join(sorted(KEY_SCOPES))}; repeatable. Default: {', '.join(USUAL_SCOPES)}."
Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]
Roles = Annotated[list[str], typer.Option("--role", "-r", help="admin, manager, reviewer, compliance or viewer.")]


def sign_in_address(base: str, path: str) -> str:
    """The whole address of a one-time link."""
    return f"{base}{path}"


@says_errors
def sign_in(email: Email, *, workspace: Workspace = None) -> None:
    """Print a one-time link with which this person signs in; it holds for 15 minutes."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        found = find_person_by_email(uow, email)
        if found is None:
            message = f"nobody is known as {email}; add them with: fairlead person add {email} --role reviewer"
            raise NotFoundError(message, email=email)
        link = issue_sign_in_link(uow, operator(), found.id)
        base = desk_address(runtime.settings)
    say(sign_in_address(base, link.path))


@person.command("add")
@says_errors
def person_add(
    email: Email, *, role: Roles, name: Annotated[str, typer.Option(help="How they are called.")] = "",
    workspace: Workspace = None,
) -> None:  # fmt: skip
    """Add a person and print their first one-time link."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        added = add_person(uow, operator(), name=name or email.partition("@")[0], email=email, roles=role)
        link = issue_sign_in_link(uow, operator(), added.id)
        base = desk_address(runtime.settings)
    say(f"added {added.name} <{added.email}> as {', '.join(sorted(added.roles))}")
    say(sign_in_address(base, link.path))


@person.command("list")
@says_errors
def person_list(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Everybody, with their roles."""
    with reading(workspace) as (_, reader):
        people = list_people(reader)
    if as_json:
        rows = [{"id": p.id, "name": p.name, "email": p.email, "roles": sorted(p.roles)} for p in people]
        answer({"people": rows})
        return
    for one in people:
        say(f"{one.email}  {one.name}  {', '.join(sorted(one.roles))}{'  disabled' if one.disabled_at else ''}")
    if not people:
        say("nobody yet; `fairlead serve` makes the first administrator")


@person.command("roles")
@says_errors
def person_roles(email: Email, *, role: Roles, workspace: Workspace = None) -> None:
    """Give a person exactly these roles."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        changed = change_roles(uow, operator(), _known(uow, email), role)
    say(f"{changed.email} is now {', '.join(sorted(changed.roles))}")


@person.command("disable")
@says_errors
def person_disable(email: Email, *, workspace: Workspace = None) -> None:
    """Take a person's access away at once; what they decided stays theirs."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        disable_person(uow, operator(), _known(uow, email))
    say(f"{email} can no longer sign in")


@key.command("create")
@says_errors
def key_create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    *,
    checkpoint: Annotated[
        list[str] | None, typer.Option(help="A checkpoint that it may ask; repeatable, * for all.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help=SCOPE_HELP)] = None,
    max_value: Annotated[float | None, typer.Option(min=0, help="Largest value it may state, whole units.")] = None,
    flag: Annotated[list[str] | None, typer.Option(help="A customer flag that it may assert; repeatable.")] = None,
    workspace: Workspace = None,
) -> None:
    """Make a key and print it once; only its hash is kept."""
    scopes = scope or list(USUAL_SCOPES)
    if not checkpoint and "decisions:ask" in scopes:
        message = "a key that may ask for decisions needs --checkpoint, once for each, or --checkpoint '*' for all"
        raise InputError(message, code="checkpoint")
    if max_value is not None and not math.isfinite(max_value):
        raise InputError("the largest value must be a number", code="value")
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        minor = None
        if max_value is not None:
            minor = round(max_value * 10 ** currency_exponent(runtime.library.current(uow).currency))
        made = create_api_key(
            uow,
            operator(),
            name=name,
            scopes=scopes,
            checkpoints=checkpoint or [],
            max_value_minor=minor,
            flags=flag or [],
        )
    say(made.text)


@key.command("webhook")
@says_errors
def key_webhook(
    key_id: Annotated[str, typer.Argument(help="The key's id, from `fairlead key list`.")],
    url: Annotated[str | None, typer.Argument(help="https://… to tell of decisions; without it: nowhere.")] = None,
    *,
    workspace: Workspace = None,
) -> None:
    """Say where the key's owner is told of decisions; prints the secret that signs the messages."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        private = runtime.settings.webhook_private_hosts
        set_webhook_url(uow, operator(), key_id, url, private_hosts=private)
        secret = webhook_secret_of(uow, key_id)
    say(f"{key_id} is told at {url}; its messages are signed with {secret}" if url else f"{key_id} is told nowhere")


@key.command("list")
@says_errors
def key_list(*, workspace: Workspace = None) -> None:
    """Keys with what they may do; never the keys themselves."""
    with reading(workspace) as (_, reader):
        keys = list_api_keys(reader)
    for one in keys:
        state = "revoked" if one.revoked_at else "in use"
        say(f"{one.id}  {one.name}  {state}  {', '.join(one.scopes)}  on {', '.join(one.checkpoints) or 'nothing'}")
    if not keys:
        say("no keys yet; make one with: fairlead key create NAME --checkpoint CHECKPOINT")


@key.command("revoke")
@says_errors
def key_revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, from `fairlead key list`.")],
    *,
    workspace: Workspace = None,
) -> None:
    """Make a key useless at once."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        revoke_api_key(uow, operator(), key_id)
    say(f"{key_id} is revoked")


def _known(uow: UnitOfWork, email: str) -> str:
    found = find_person_by_email(uow, email)
    if found is None:
        message = f"nobody is known as {email}"
        raise NotFoundError(message, email=email)
    return found.id
