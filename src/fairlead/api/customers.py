"""Customers over HTTP: find, read, flag, consent, suppress, erase."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request

from fairlead import customers
from fairlead.api.asking import CustomerBody
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Limit, Moment, PathId, Reason, Sent, Shown, Text
from fairlead.api.timeline import customer_timeline
from fairlead.customers import ConsentRecord, ConsentState, CustomerFacts
from fairlead.errors import ForbiddenError, InputError
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Permission, Principal, PrincipalKind
from fairlead.sales import forget_customer, forget_touches

MAX_FOUND = 100
MAX_JSON = 16_384
_LATEST = 2**53
router = APIRouter(prefix="/v1", tags=["customers"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]
Erasing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_ERASE))]
Source = Annotated[str, Field(max_length=200)]


class FoundCustomer(Shown):
    """One hit; `by` says what began with the text: name, company, id or a kind of identity."""

    id: str
    name: str
    company: str
    by: str


class FoundCustomers(Shown):
    """Hits by name, then company, then identities, then id."""

    items: list[FoundCustomer]


class IdentityShown(Shown):
    """Something the customer is recognised by; `verified_at` null: nobody proved that it is theirs."""

    kind: str
    value: str
    source: str
    added_at: datetime
    verified_at: datetime | None


class CustomerShown(Shown):
    """Everything current about a customer."""

    id: str
    name: str
    company: str
    time_zone: str | None
    country: str | None
    language: str | None
    owner: str | None
    value_minor: int | None
    flags: dict[str, Any] = Field(description="Flags that count now, with their values.")
    consents: dict[str, dict[str, str]] = Field(description="purpose → channel → given or withdrawn")
    suppressed: list[str] = Field(description="Channels on which nothing is sent.")
    identities: list[IdentityShown]
    created_at: datetime
    erased_at: datetime | None


class LineShown(Shown):
    """A line of a timeline."""

    id: str
    at: datetime
    kind: str = Field(description="`decision` for what was decided about the customer; anything else was noted.")
    words: str
    subject: str = Field(description='The id of the case, review, action or decision it is about, "" for none.')


class Timeline(Shown):
    """The newest lines first; `next` continues behind the last, null at the end."""

    items: list[LineShown]
    next: str | None


class FlagBody(Sent):
    """A flag to be set."""

    flag: Text
    value: Any = Field(True, description="Any JSON but null, at most 16 KiB.")  # noqa: FBT003 - the field's default
    source: Source = Field("", description="Where it is known from; without it, who says so.")
    expires_at: Moment | None = Field(None, description="Without it, until it is taken back.")


class ConsentBody(Sent):
    """What the customer allowed or withdrew, and how that can be shown."""

    purpose: Text
    channel: Text
    state: ConsentState
    mechanism: Text = Field(description="How it was said: web_form, double_opt_in, reply_stop, …")
    source: Source = ""
    proof: dict[str, Any] = Field(default_factory=dict, description="At most 16 KiB; erased with the customer.")


class SuppressionBody(Sent):
    """An address to which nothing more is sent, or to which sending is allowed again."""

    channel: Literal["email", "phone", "sms"]
    address: Text
    reason: Annotated[Reason, Field(min_length=1, max_length=500)]
    state: Literal["suppressed", "lifted"] = "suppressed"


class SuppressionShown(Shown):
    """What counts now for this address, as it was normalised."""

    channel: str
    address: str
    state: str


class OwnerBody(Sent):
    """Who looks after the customer; null: nobody."""

    owner: Text | None


class ErasureBody(Sent):
    """Why the customer is erased; kept in the audit record, so without anything personal."""

    reason: Annotated[Reason, Field(min_length=1, max_length=500)]


@router.get("/customers")
def find_customers(
    request: Request,
    _: Reading,
    q: Annotated[str, Query(min_length=1, max_length=200, description="How any of the below begins.")],
    limit: Annotated[int, Query(ge=1, le=MAX_FOUND)] = 20,
) -> FoundCustomers:
    """Customers whose name, company, e-mail, phone, external id or id begins with `q`."""
    with services(request).database.reading() as reader:
        found = customers.search(reader, q, limit)
    return FoundCustomers(items=[FoundCustomer.model_validate(one) for one in found])


@router.get("/customers/{customer_id}")
def show_customer(request: Request, _: Reading, customer_id: PathId) -> CustomerShown:
    """Everything current about one customer."""
    svc = services(request)
    with svc.database.reading() as reader:
        return _shown(reader, customer_id, svc.clock.now())


@router.get("/customers/{customer_id}/timeline")
def show_timeline(
    request: Request,
    _: Reading,
    customer_id: PathId,
    before: Annotated[str | None, Query(max_length=200, description="The `next` of the page before.")] = None,
    limit: Limit = 50,
) -> Timeline:
    """What happened to the customer and what was decided about them, newest first."""
    svc = services(request)
    mark = None if before is None else _mark(before)
    with svc.database.reading() as reader:
        erased = customers.profile(reader, customer_id, svc.clock.now()).erased_at is not None
        lines = customer_timeline(reader, customer_id, limit + 1, before=mark, erased=erased)
    items = [LineShown.model_validate(one) for one in lines[:limit]]
    return Timeline(items=items, next=_cursor(items[-1]) if len(lines) > limit else None)


@router.post("/customers/{customer_id}/flags")
def set_flag(request: Request, who: Editing, customer_id: PathId, body: FlagBody) -> CustomerShown:
    """Set a flag; a key only those that it may assert."""
    _check_flag(who, body.flag)
    _check_size("value", body.value)
    with services(request).database.transaction() as uow:
        customers.set_flag(
            uow, who.actor, customer_id, body.flag, body.value,
            source=body.source or str(who.actor), owner=str(who.actor), expires_at=body.expires_at,
        )  # fmt: skip
        return _shown(uow, customer_id, uow.now)


@router.delete("/customers/{customer_id}/flags/{flag}")
def clear_flag(request: Request, who: Editing, customer_id: PathId, flag: PathId) -> CustomerShown:
    """Take a flag back, whether it was set or not."""
    _check_flag(who, flag)
    with services(request).database.transaction() as uow:
        customers.clear_flag(uow, who.actor, customer_id, flag, source=str(who.actor))
        return _shown(uow, customer_id, uow.now)


@router.post("/customers/{customer_id}/consents")
def record_consent(request: Request, who: Editing, customer_id: PathId, body: ConsentBody) -> CustomerShown:
    """Append what the customer said last about a purpose and a channel."""
    _check_size("proof", body.proof)
    said = ConsentRecord(
        body.purpose, body.channel, body.state, body.mechanism, body.source or str(who.actor), body.proof
    )
    with services(request).database.transaction() as uow:
        customers.record_consent(uow, who.actor, customer_id, said)
        return _shown(uow, customer_id, uow.now)


@router.put("/customers/{customer_id}/owner")
def set_owner(request: Request, who: Editing, customer_id: PathId, body: OwnerBody) -> CustomerShown:
    """Say who looks after the customer."""
    with services(request).database.transaction() as uow:
        customers.set_owner(uow, who.actor, customer_id, body.owner)
        return _shown(uow, customer_id, uow.now)


@router.post("/customers/{customer_id}/erasure")
def erase_customer(request: Request, who: Erasing, customer_id: PathId, body: ErasureBody) -> CustomerShown:
    """Make the person unrecognisable here and in the audit record; a program's key may not do this."""
    svc = services(request)
    with svc.database.transaction() as uow:
        family = customers.family_of(uow, customer_id)
        customers.erase_customer(uow, who.actor, customer_id, reason=body.reason)
        for one in family:
            forget_customer(uow, one)
            forget_touches(uow, one)
        uow.after_commit(svc.wake)
        return _shown(uow, customer_id, uow.now)


@router.post("/suppressions")
def suppress(request: Request, who: Editing, body: SuppressionBody) -> SuppressionShown:
    """Send nothing more to an address on this channel, whoever's it is or will be, or allow it again."""
    # Not validated here: its own checks of e-mail addresses and numbers say what is wrong.
    kind = "email" if body.channel == "email" else "phone"
    named = CustomerBody.model_construct(None, **{kind: body.address})
    _, identity = named.parts()
    address = identity[1] if identity else body.address
    change = customers.suppress if body.state == "suppressed" else customers.lift_suppression
    with services(request).database.transaction() as uow:
        change(uow, who.actor, body.channel, address, reason=body.reason, source=str(who.actor))
    return SuppressionShown(channel=body.channel, address=address, state=body.state)


def _shown(reader: Reader, customer_id: str, now: datetime) -> CustomerShown:
    found = customers.profile(reader, customer_id, now)
    facts: CustomerFacts = found.facts
    whole = {name: getattr(found, name, None) for name in CustomerShown.model_fields} | dict(facts)
    return CustomerShown.model_validate(whole)


def _check_flag(who: Principal, flag: str) -> None:
    if who.kind is PrincipalKind.API_KEY and flag not in who.flags:
        raise ForbiddenError(f"This key may not say of a customer that it is {flag[:64]}.", code="flag")


def _check_size(name: str, value: Any) -> None:
    if len(jsons.dumps(value)) > MAX_JSON:
        raise InputError(f"The {name} takes more than {MAX_JSON} bytes as JSON.", field=name, limit=MAX_JSON)


def _cursor(last: LineShown) -> str:
    return base64.urlsafe_b64encode(jsons.dumps([to_micros(last.at), last.id]).encode()).decode().rstrip("=")


def _mark(text: str) -> tuple[datetime, str]:
    try:
        found = jsons.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        found = None
    match found:
        case [int(at), str(line)] if 0 <= at < _LATEST and len(line) <= MAX_FOUND and "\0" not in line:
            return from_micros(at), line
    raise InputError("This is not the `next` of an earlier page.", code="cursor")
