"""Identity checks over HTTP: ask for a code, name it, and see whether account facts may be spoken of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, status
from pydantic import Field
from starlette.requests import Request

from fairlead import customers, identity
from fairlead.api.customers import Editing, Reading
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import Services, services
from fairlead.api.shapes import PathId, Sent, Shown, Text
from fairlead.customers import profile
from fairlead.errors import FaultError

router = APIRouter(prefix="/v1", tags=["customers"], responses=ERROR_RESPONSES)


class CodeBody(Sent):
    """Where the code goes, as the customer names it."""

    channel: Literal["email"] = "email"
    address: Text


class CodeAsked(Shown):
    """The same whether or not the address is the customer's; if it is, a code is on its way."""

    channel: str
    expires_at: datetime


class ConfirmBody(Sent):
    """What the customer read out or typed; blanks and dashes do not matter."""

    code: Annotated[str, Field(min_length=1, max_length=64)]


class CheckShown(Shown):
    """A check that counts now; `known`: account facts may be spoken of, `new`: the address was added lately."""

    channel: str
    level: Literal["known", "new"]
    at: datetime
    until: datetime
    by: str = Field(description="Whose word it was that the code was named.")


class CodeTried(Shown):
    """`over`: no code can be used any more, ask for another."""

    outcome: Literal["confirmed", "wrong", "over"]
    tries_left: int | None = Field(None, description="After a wrong code; 0: this code is void.")
    checked: CheckShown | None = None


class ChecksShown(Shown):
    """`checked` null: account facts are not spoken of before a check."""

    checked: CheckShown | None
    items: list[CheckShown] = Field(description="Every check that counts now.")
    waiting_until: datetime | None = Field(description="Until when the code asked for last can be named; null: none.")


@router.get("/customers/{customer_id}/identity-checks")
def show_checks(request: Request, _: Reading, customer_id: PathId) -> ChecksShown:
    """Whether account facts may be spoken of with whoever is in touch as this customer."""
    svc = services(request)
    now = svc.clock.now()
    with svc.database.reading() as reader:
        one = profile(reader, customer_id, now).id
        found = customers.checked(reader, one, now)
        waiting = identity.open_code(reader, one, now)
        items = [CheckShown.model_validate(each) for each in customers.checks_of(reader, one, now)]
    return ChecksShown(
        checked=CheckShown.model_validate(found) if found else None, items=items,
        waiting_until=waiting.expires_at if waiting else None,
    )  # fmt: skip


@router.post("/customers/{customer_id}/identity-checks", status_code=status.HTTP_202_ACCEPTED)
def ask_code(request: Request, who: Editing, customer_id: PathId, body: CodeBody) -> CodeAsked:
    """Send a one-time code to an address of the customer; the answer does not tell whether the address is theirs."""
    svc = services(request)
    with svc.database.transaction() as uow:
        asked = identity.ask_code(uow, who.actor, customer_id, body.channel, body.address, secret_of(svc))
        uow.after_commit(svc.wake)
    return CodeAsked.model_validate(asked)


@router.post("/customers/{customer_id}/identity-checks/confirm")
def confirm_code(request: Request, who: Editing, customer_id: PathId, body: ConfirmBody) -> CodeTried:
    """Try the code that the customer named; a wrong one is answered with 200 and `wrong`, and counts."""
    svc = services(request)
    with svc.database.transaction() as uow:
        tried = identity.confirm_code(uow, who.actor, customer_id, body.code, secret_of(svc))
    return CodeTried.model_validate(tried)


def secret_of(svc: Services) -> bytes:
    """What codes are digested and sealed with."""
    secret = svc.settings.secret_key
    if secret is None:
        raise FaultError("codes need the secret key; see settings.provide_secrets")
    return secret.get_secret_value().encode()
