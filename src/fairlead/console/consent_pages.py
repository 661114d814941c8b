"""The ledger of consents at the desk: what a customer allows, every word of theirs, and which systems were told."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import actor_namer, cursor_of, mark_of, require, services
from fairlead.console.customer_pages import check_customer_id
from fairlead.console.shell import Posted, desk_of, go, posted, render
from fairlead.customers import (
    ALL,
    ConsentRecord,
    ConsentState,
    consent_history,
    consents_of,
    current_notice,
    deliveries,
    delivery_counts,
    downstreams,
    names_of,
    notice_texts,
    notices,
    profile,
    record_consent,
    retry_delivery,
    withdraw_all,
)
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.guardrails import current_rules
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Permission, Principal

PAGE = 50
TOLD = 100
CHANNELS = ("email", "sms", "phone", "chat", "post")
MECHANISMS = {
    "phone_call": "on the telephone", "in_person": "in person", "paper_form": "on paper", "email_reply": "by e-mail",
    "chat": "in a chat",
}  # fmt: skip

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CUSTOMERS_READ))]
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/customers/{customer_id}/consents")
def ledger_page(
    request: Request, principal: Reading, customer_id: str, before: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """What the customer allows now, every line behind it, and who was told."""
    return _ledger(request, principal, customer_id, before=before)


def _ledger(
    request: Request, principal: Principal, customer_id: str, *, before: str = "",
    problem: FairleadError | None = None, typed: Posted | None = None,
) -> Response:  # fmt: skip
    check_customer_id(customer_id)
    svc = services(request)
    now = svc.clock.now()
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        one = profile(reader, customer_id, now)
        standings = sorted(consents_of(reader, [one.id], now)[one.id].items())
        rows = consent_history(reader, one.id, PAGE + 1, before=mark_of(before) if before else None)
        shown = notice_texts(reader, {row.notice.id for row in rows if row.notice})
        told = deliveries(reader, customer_id=one.id, limit=TOLD)
        purposes = sorted(current_rules(reader).purposes)
        named = sorted({row.name for row in notices(reader)})
        name = actor_namer(reader)
        who = {row.actor: name(row.actor) for row in rows}
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render(
        request, "consents.html", desk, status=problem.status if problem else 200, one=one, standings=standings,
        rows=rows[:PAGE], shown=shown, told=told, purposes=purposes, named=named, channels=CHANNELS,
        mechanisms=MECHANISMS, problem=problem, typed=typed, paged=bool(before), who=who,
        older=cursor_of(last.recorded_at, last.id) if last else "",
    )  # fmt: skip


@router.post("/customers/{customer_id}/consents")
def change_consent(request: Request, principal: Editing, customer_id: str, form: Form) -> Response:
    """Write down that the customer allowed something or withdrew something, or everything."""
    check_customer_id(customer_id)
    svc = services(request)
    action = form.text("action")
    try:
        with svc.database.transaction() as uow:
            uow.after_commit(svc.wake)
            if action == "give":
                record_consent(uow, principal.actor, customer_id, _given(uow, form, principal.name))
            elif action == "withdraw_all" or (form.text("purpose"), form.text("channel")) == (ALL, ALL):
                withdraw_all(uow, principal.actor, customer_id, source=principal.name, mechanism="told_staff")
            else:
                withdrawn = ConsentRecord(
                    form.text("purpose"), form.text("channel"), ConsentState.WITHDRAWN, "told_staff", principal.name
                )
                record_consent(uow, principal.actor, customer_id, withdrawn)
    except (InputError, ConflictError, NotFoundError) as problem:
        return _ledger(request, principal, customer_id, problem=problem, typed=form)
    return go(f"/customers/{customer_id}/consents", said="consented" if action == "give" else "withdrawn_consent")


def _given(reader: Reader, form: Posted, source: str) -> ConsentRecord:
    """What the form says was allowed; InputError without proof, or for a notice that nobody could have been shown."""
    name, language = form.text("notice"), form.text("language") or "en"
    notice = current_notice(reader, name, language) if name else None
    if name and notice is None:
        raise InputError("This notice was never published in that language.", field="notice")
    if not form.text("proof"):
        raise InputError("A consent needs something that shows it.", field="proof")
    return ConsentRecord(
        form.text("purpose"), form.text("channel"), ConsentState.GIVEN, form.text("mechanism"), source,
        {"words": form.text("proof")}, notice.id if notice else None,
    )  # fmt: skip


@router.get("/consents")
def deliveries_page(
    request: Request,
    principal: Reading,
    downstream: Annotated[str, Query(max_length=100)] = "",
    state: Literal["", "pending", "sent", "skipped", "failed"] = "",
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Which system was told of which consent, which was not and why, and the notices in all their versions."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = deliveries(
            reader, downstream=downstream or None, state=state or None, before=before or None, limit=PAGE + 1
        )  # fmt: skip
        counts = delivery_counts(reader)
        systems = downstreams(reader)
        names = names_of(reader, [row.customer_id for row in rows])
        wordings = notices(reader)
    return render(
        request, "consent_deliveries.html", desk, rows=rows[:PAGE], counts=counts, systems=systems, names=names,
        wordings=wordings, downstream=downstream, state=state, older=rows[PAGE - 1].id if len(rows) > PAGE else "",
    )  # fmt: skip


@router.post("/consents/{delivery_id}/retry")
def retry(request: Request, principal: Editing, delivery_id: str) -> Response:
    """Tell a system again that could not be told."""
    svc = services(request)
    with svc.database.transaction() as uow:
        retry_delivery(uow, principal.actor, delivery_id)
        uow.after_commit(svc.wake)
    return go("/consents", said="retelling", state="pending")
