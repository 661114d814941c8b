"""preferences, why: the links that are handed to a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fairlead.checkpoints import read_decision, read_ruling, rulings_of_case
from fairlead.commands.common import AsJson, Workspace, answer, desk_address, reading, say, says_errors
from fairlead.commands.naming import customer_named
from fairlead.customers import CHANNELS_OF, profile
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.evidence import AUTOMATIC
from fairlead.kit.ids import is_id
from fairlead.kit.links import make_link
from fairlead.playbooks import read_case

if TYPE_CHECKING:
    from typing import Any

    from fairlead.kit.unit_of_work import Reader
    from fairlead.settings import Settings

preferences = typer.Typer(name="preferences", help="The page on which a customer chooses.", no_args_is_help=True)
why = typer.Typer(name="why", help="The page that explains a decision to its customer.", no_args_is_help=True)


@preferences.command("link")
@says_errors
def preferences_link(
    *,
    customer: Annotated[str, typer.Argument(help="Id of the customer, or an e-mail address of theirs.")],
    channel: Annotated[
        str, typer.Option(help="The channel by which you send the link to that customer's own address; else none.")
    ] = "",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Print the link of a customer's preference page; whoever has it can use it, so send it to nobody else."""
    with reading(workspace) as (runtime, reader):
        known = profile(reader, customer_named(reader, customer), runtime.database.clock.now())
        if known.erased_at is not None:
            message = f"customer {customer} was erased; there is nothing to choose"
            raise ConflictError(message, code="customer_erased", customer=customer)
        reached = {one for each in known.identities for one in CHANNELS_OF.get(each.kind, ())}
        if channel and channel not in reached:
            known_ones = ", ".join(sorted(reached)) or "none"
            message = f"the customer has no address for {channel!r:.40}; known are {known_ones}"
            raise InputError(message, field="channel")
        parts = {"customer": known.id} | ({"channel": channel} if channel else {})
        link = f"{desk_address(runtime.settings)}/p/{_token(runtime.settings, 'preferences', parts)}"
    _tell([{"customer": known.id, "link": link}], as_json=as_json)


@why.command("link")
@says_errors
def why_link(
    *,
    case: Annotated[str, typer.Argument(help="Id of a case, or of one decision.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Print the link of each automatic decision of a case; the customer reads there why, and can ask for a person."""
    with reading(workspace) as (runtime, reader):
        found = []
        for one in _automatic(reader, case):
            token = _token(runtime.settings, "why", {"decision": one.id})
            link = f"{desk_address(runtime.settings)}/why/{token}"
            found.append({"decision": one.id, "checkpoint": one.checkpoint, "link": link})
    _tell(found, as_json=as_json)


def _automatic(reader: Reader, text: str) -> list[Any]:
    """The rulings that a machine or a rule decided alone; NotFoundError when there is none with a customer."""
    if is_id(text, "rul"):
        made = read_decision(reader, text)
        rows = [read_ruling(reader, text)] if made is not None and made.verdict in AUTOMATIC else []
    else:
        rows = [one for one in rulings_of_case(reader, read_case(reader, text).id) if one.verdict in AUTOMATIC]
    told = [one for one in rows if one.customer_id is not None]
    if not told:
        message = f"nothing about a customer was decided automatically in {text[:64]}"
        raise NotFoundError(message, case=text[:64])
    return told


def _token(settings: Settings, what: str, parts: dict[str, str]) -> str:
    secret = settings.secret_key
    assert secret is not None  # noqa: S101  an opened runtime has its keys
    return make_link(secret.get_secret_value().encode(), what, parts)


def _tell(found: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        answer({"links": found})
        return
    for one in found:
        say(one["link"])
