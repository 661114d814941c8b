"""Alerts over HTTP: raise one for customers, read it, resolve it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, status
from pydantic import Field
from starlette.requests import Request

from fairlead import alerts
from fairlead.api.asking import CustomerBody
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.shapes import PathId, Sent, Shown, Text
from fairlead.customers import holder_of
from fairlead.people import Permission, Principal

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

MAX_CUSTOMERS = 5_000

router = APIRouter(prefix="/v1", tags=["alerts"], responses=ERROR_RESPONSES)
Sending = Annotated[Principal, Depends(require(Permission.EVENTS_SEND))]
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Field1000 = Annotated[str, Field(max_length=1_000)]


class AlertBody(Sent):
    """What happened and whom it concerns; the same `id` again reaches only customers that it has not reached."""

    id: Text
    kind: Literal["delay", "renewal", "incident"]
    title: Text
    text: Annotated[str, Field(min_length=1, max_length=4_000)]
    fields: Annotated[dict[Text, Field1000], Field(max_length=alerts.MAX_FIELDS)] = Field(
        default_factory=dict, description="Further facts of the case, for your own template."
    )
    customers: Annotated[list[CustomerBody], Field(min_length=1, max_length=MAX_CUSTOMERS)]
    customers_in_all: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(
        None, description="Where one alert is raised in several requests: how many there are. Policies read it."
    )


class AlertRaised(Shown):
    """What became of the customers; `unknown` holds their places in the list, from 0."""

    opened: int
    known: int = Field(description="Those whom the alert had reached before.")
    unknown: list[int]


class ResolveBody(Sent):
    """Why it is over; kept in the audit record."""

    reason: Annotated[str, Field(max_length=500)] = ""


class AlertResolved(Shown):
    """How many cases were cancelled; what was delivered by then is not called back."""

    cancelled: int


class AlertShown(Shown):
    """An alert as it stands; `customers` counts those it was raised for."""

    id: str
    kind: str
    title: str
    text: str
    fields: dict[str, str]
    state: Literal["open", "resolved"]
    at: datetime
    resolved_at: datetime | None
    customers: int


@router.post("/alerts", status_code=status.HTTP_202_ACCEPTED)
def raise_alert(request: Request, who: Sending, body: AlertBody) -> AlertRaised:
    """Open a case of the playbook `alerts` for each customer, 200 in a transaction; safe to send again."""
    svc = services(request)
    draft = alerts.AlertDraft(body.id, alerts.AlertKind(body.kind), body.title, body.text, body.fields)
    of = max(body.customers_in_all or 0, len(body.customers))
    opened, known, unknown = 0, 0, []
    for start in range(0, len(body.customers), alerts.CHUNK):
        part = body.customers[start : start + alerts.CHUNK]
        with svc.database.transaction() as uow:
            ids = [_id_of(uow, one) for one in part]
            bundle = library_of(request).current(uow)
            done = alerts.raise_alert(uow, who.actor, bundle, draft, [one for one in ids if one], of=of)
            uow.after_commit(svc.wake)
        opened, known = opened + len(done.cases), known + done.known
        missing = set(done.unknown)
        unknown += [start + place for place, one in enumerate(ids) if one is None or one in missing]
    return AlertRaised(opened=opened, known=known, unknown=unknown)


@router.get("/alerts/{alert_id}")
def show_alert(request: Request, _: Reading, alert_id: PathId) -> AlertShown:
    """An alert as it stands."""
    with services(request).database.reading() as reader:
        return AlertShown.model_validate(alerts.read_alert(reader, alert_id))


@router.post("/alerts/{alert_id}/resolve")
def resolve_alert(request: Request, who: Sending, alert_id: PathId, body: ResolveBody | None = None) -> AlertResolved:
    """It is over: nobody else is told, and what waits or is queued is taken back; again, it goes on where it was."""
    svc = services(request)
    with svc.database.transaction() as uow:
        alerts.resolve_alert(uow, who.actor, alert_id, reason=body.reason if body else "")
    cancelled, after = 0, ""
    while True:
        with svc.database.transaction() as uow:
            ended, more = alerts.withdraw_alert(uow, who.actor, alert_id, after)
            uow.after_commit(svc.wake)
        cancelled += ended
        if more is None:
            return AlertResolved(cancelled=cancelled)
        after = more


def _id_of(reader: Reader, one: CustomerBody) -> str | None:
    customer_id, identity = one.parts()
    return customer_id or (holder_of(reader, identity) if identity else None)
