"""Customers over HTTP: find, read, flag, consent, suppress."""

from __future__ import annotations

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
from fairlead.api.timeline import cursor_of, customer_timeline, mark_of
from fairlead.errors import ForbiddenError, InputError
from fairlead.kit import jsons
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Permission, Principal, PrincipalKind

MAX_FOUND = 100
MAX_JSON = 16_384
router = APIRouter(prefix="/v1", tags=["customers"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]
Source = Annotated[str, Field(max_length=200)]
TimelineKind = Literal["decision", "contact", "consent", "flag", "preference", "time_zone", "note"]


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


class FlagShown(Shown):
    """A flag that counts now: where it is known from, who answers for it, and when it ends."""

    flag: str
    value: Any
    source: str
    owner: str
    set_at: datetime
    expires_at: datetime | None


class ZonesShown(Shown):
    """Where the customer may be: every plausible zone, and how that is known; no zones: nothing is known."""

    zones: list[str]
    evidence: str
    words: str


class CustomerShown(Shown):
    """Everything current about a customer."""

    id: str
    name: str
    company: str
    time_zone: str | None
    zones: ZonesShown
    country: str | None
    language: str | None
    owner: str | None
    value_minor: int | None
    flags: dict[str, Any] = Field(
        description="Flags that count now, with their values; delicate ones only with sensitive:read."
    )
    flag_details: list[FlagShown]
    consents: dict[str, dict[str, str]] = Field(
        description="purpose → channel → given, withdrawn, pending or expired; `*` for all."
    )
    suppressed: list[str] = Field(description="Channels on which nothing is sent.")
    unsubscribed: list[str] = Field(description="Channels on which nothing promotional is sent.")
    identities: list[IdentityShown]
    created_at: datetime
    erased_at: datetime | None


class LineShown(Shown):
    """A line of a timeline."""

    id: str
    at: datetime
    kind: str = Field(description="decision, contact, consent, flag, preference or time_zone; anything else was noted.")
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


class SuppressionBody(Sent):
    """An address to which nothing more is sent, or to which sending is allowed again."""

    channel: Literal["email", "phone", "sms"]
    address: Text
    reason: Annotated[Reason, Field(min_length=1, max_length=500)]
    state: Literal["suppressed", "lifted"] = "suppressed"
    scope: Literal["all", "promotional"] = Field("all", description="`promotional` leaves other messages alone.")


class SuppressionShown(Shown):
    """What counts now for this address, as it was normalised."""

    channel: str
    address: str
    state: str
    scope: str


class OwnerBody(Sent):
    """Who looks after the customer; null: nobody."""

    owner: Text | None


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
def show_customer(request: Request, who: Reading, customer_id: PathId) -> CustomerShown:
    """Everything current about one customer."""
    svc = services(request)
    with svc.database.reading() as reader:
        return shown_customer(reader, who, customer_id, svc.clock.now())


@router.get("/customers/{customer_id}/timeline")
def show_timeline(
    request: Request,
    who: Reading,
    customer_id: PathId,
    kind: Annotated[list[TimelineKind] | None, Query(description="Only lines of these kinds.")] = None,
    before: Annotated[str | None, Query(max_length=200, description="The `next` of the page before.")] = None,
    limit: Limit = 50,
) -> Timeline:
    """What happened to the customer and what was decided about them, newest first."""
    svc = services(request)
    mark = None if before is None else mark_of(before)
    with svc.database.reading() as reader:
        erased = customers.profile(reader, customer_id, svc.clock.now()).erased_at is not None
        lines = customer_timeline(
            reader, customer_id, limit + 1, before=mark, erased=erased, kinds=kind,
            sensitive=who.can(Permission.SENSITIVE_READ),
        )  # fmt: skip
    items = [LineShown.model_validate(one) for one in lines[:limit]]
    return Timeline(items=items, next=cursor_of(items[-1].at, items[-1].id) if len(lines) > limit else None)


@router.post("/customers/{customer_id}/flags")
def set_flag(request: Request, who: Editing, customer_id: PathId, body: FlagBody) -> CustomerShown:
    """Set a flag; a key only those that it may assert."""
    _check_flag(who, body.flag)
    check_size("value", body.value)
    with services(request).database.transaction() as uow:
        customers.set_flag(
            uow, who.actor, customer_id, body.flag, body.value,
            source=body.source or str(who.actor), owner=str(who.actor), expires_at=body.expires_at,
        )  # fmt: skip
        return shown_customer(uow, who, customer_id, uow.now)


@router.delete("/customers/{customer_id}/flags/{flag}")
def clear_flag(request: Request, who: Editing, customer_id: PathId, flag: PathId) -> CustomerShown:
    """Take a flag back, whether it was set or not."""
    _check_flag(who, flag)
    with services(request).database.transaction() as uow:
        customers.clear_flag(uow, who.actor, customer_id, flag, source=str(who.actor))
        return shown_customer(uow, who, customer_id, uow.now)


@router.put("/customers/{customer_id}/owner")
def set_owner(request: Request, who: Editing, customer_id: PathId, body: OwnerBody) -> CustomerShown:
    """Say who looks after the customer."""
    with services(request).database.transaction() as uow:
        customers.set_owner(uow, who.actor, customer_id, body.owner)
        return shown_customer(uow, who, customer_id, uow.now)


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
        change(
            uow, who.actor, body.channel, address, reason=body.reason, source=str(who.actor), scope=body.scope
        )  # fmt: skip
    return SuppressionShown(channel=body.channel, address=address, state=body.state, scope=body.scope)


def shown_customer(reader: Reader, who: Principal, customer_id: str, now: datetime) -> CustomerShown:
    """Everything current about a customer that this principal may see."""
    found = customers.profile(reader, customer_id, now)
    sensitive = who.can(Permission.SENSITIVE_READ)
    facts = customers.visible_facts(found.facts, sensitive=sensitive)
    more = {
        "zones": customers.zones_of(reader, [found.id], now)[found.id],
        "flag_details": customers.flags_of(reader, found.id, now, sensitive=sensitive),
    }
    whole = {name: getattr(found, name, None) for name in CustomerShown.model_fields} | facts | more
    return CustomerShown.model_validate(whole)


def _check_flag(who: Principal, flag: str) -> None:
    if who.kind is PrincipalKind.API_KEY and flag not in who.flags:
        raise ForbiddenError(f"This key may not say of a customer that it is {flag[:64]}.", code="flag")


def check_size(name: str, value: Any) -> None:
    """InputError for what takes more than 16 KiB as JSON."""
    if len(jsons.dumps(value)) > MAX_JSON:
        raise InputError(f"The {name} takes more than {MAX_JSON} bytes as JSON.", field=name, limit=MAX_JSON)
