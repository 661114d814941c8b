"""Cases over HTTP: start one, look at it, step into it, tell it what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, status
from starlette.requests import Request
from starlette.responses import Response

from fairlead import audit, reviews
from fairlead.actions import EVENT as ACTION, actions_of_case
from fairlead.api.callers import first_request, known_customer, scoped_id
from fairlead.api.case_shapes import (
    ActionShown,
    CaseDetail,
    CaseItem,
    CasePage,
    CaseStarted,
    EventBody,
    EventTaken,
    RulingShown,
    StartBody,
    SteerBody,
    Steered,
    SteerWord,
)
from fairlead.api.discretion import discreet_facts, discreet_payload, discreet_record
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.review_shapes import item
from fairlead.api.shapes import Before, Limit, PathId
from fairlead.api.story import arrived_facts
from fairlead.api.telling import Happened, happened
from fairlead.checkpoints import DECISION, explain, recall, rulings_of_case
from fairlead.customers import CustomerDraft, TimelineNote, note_many, resolve_many
from fairlead.errors import InputError
from fairlead.kit.events import Event, publish
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Permission, Principal
from fairlead.playbooks import CaseDraft, CaseState, case_summary, cases_page, open_cases, read_case, steer
from fairlead.reviews import Mode

if TYPE_CHECKING:
    from fairlead.api.case_shapes import CaseCustomer
    from fairlead.kit.unit_of_work import UnitOfWork

MAX_HISTORY = 500
OURS = frozenset({DECISION, ACTION, "timeout"})
"""Event types that only Fairlead itself publishes; those with a dot cannot be sent anyway."""

router = APIRouter(prefix="/v1", tags=["cases"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Starting = Annotated[Principal, Depends(require(Permission.CASES_START))]
Managing = Annotated[Principal, Depends(require(Permission.CASES_MANAGE))]
Sending = Annotated[Principal, Depends(require(Permission.EVENTS_SEND))]


@router.get("/cases")
def list_cases(
    request: Request,
    _: Reading,
    state: CaseState | None = None,
    playbook: Annotated[str | None, Query(max_length=200)] = None,
    before: Before = None,
    limit: Limit = 50,
) -> CasePage:
    """Cases, newest first; `state=exception` are those that somebody must look at."""
    with services(request).database.reading() as reader:
        rows = cases_page(reader, state=state and state.value, playbook=playbook, before=before, limit=limit + 1)
    items = [CaseItem.model_validate(row) for row in rows[:limit]]
    return CasePage(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/cases/{case_id}")
def show_case(request: Request, who: Reading, case_id: PathId) -> CaseDetail:
    """One case with its reviews, rulings, actions and history.

    While one of its reviews awaits an answer without the proposal, everything that would give it away is kept
    back here, too.
    """
    with services(request).database.reading() as reader:
        row = read_case(reader, case_id)
        work = reviews.of_case(reader, case_id)
        rulings = rulings_of_case(reader, case_id)
        actions = actions_of_case(reader, case_id)
        blind = {one.ruling_id for one in work if one.is_open and one.mode is not Mode.ASSIST}
        facts = arrived_facts(reader, case_id) if blind else row.facts
        sensitive = who.can(Permission.SENSITIVE_READ)
        parts = [*(one.id for one in work), *(one.id for one in rulings), *(one.id for one in actions)]
        history = audit.history(reader, [case_id, *parts][:MAX_HISTORY], MAX_HISTORY)
    return CaseDetail.model_validate({
        **case_summary(row),
        "withheld": bool(blind),
        "facts": facts if sensitive else discreet_facts(facts),
        "reviews": [item(one) for one in work],
        "rulings": [_ruling(one, withheld=bool(blind), sensitive=sensitive) for one in rulings],
        "actions": [ActionShown.model_validate(one) for one in actions],
        "history": [_happened(one, withheld=bool(blind), sensitive=sensitive) for one in history],
    })  # fmt: skip


@router.post("/cases", status_code=status.HTTP_201_CREATED, responses={200: {"model": CaseStarted}})
def start_case(request: Request, who: Starting, body: StartBody, response: Response) -> CaseStarted:
    """Start a case; 201, or 200 with the same case when this key was used for the same body before."""
    svc = services(request)
    with svc.database.transaction() as uow:
        bundle = library_of(request).current(uow)
        compiled = bundle.playbooks.get(body.playbook)
        if compiled is None:
            hint = did_you_mean(body.playbook, bundle.playbooks) or ""
            message = f"There is no playbook {body.playbook!r}. {hint}".rstrip()
            raise InputError(message, code="no_playbook")
        fresh = new_id("case")
        key = f"case/{body.idempotency_key}"
        case_id = first_request(uow, who, key, body.model_dump(exclude={"idempotency_key"}), fresh)
        if case_id == fresh:
            customer = None if body.customer is None else _customer(uow, who, body.customer)
            kind = compiled.playbook.subject
            subject = body.subject or new_id(kind if kind.isalpha() and kind.islower() else "subject")
            draft = CaseDraft(body.playbook, kind, subject, body.facts, customer, id=fresh)
            open_cases(uow, [draft], bundle, who.actor)
            uow.after_commit(svc.wake)
        else:
            response.status_code = status.HTTP_200_OK
    return CaseStarted(id=case_id, is_new=case_id == fresh)


@router.post("/cases/{case_id}/{verb}")
def steer_case(
    request: Request, who: Managing, case_id: PathId, verb: SteerWord, body: SteerBody | None = None
) -> Steered:
    """Pause, resume, redirect, skip, take over, hand back, cancel or retry; 409 if its state forbids it."""
    svc, said = services(request), body or SteerBody()
    with svc.database.transaction() as uow:
        steer(
            uow, library_of(request), who.actor, case_id, verb.verb,
            stage=said.stage, reason=said.reason, version=said.version,
        )  # fmt: skip
        uow.after_commit(svc.wake)
        row = read_case(uow, case_id)
    return Steered(id=case_id, state=row.state, stage=row.stage, version=row.version)


@router.post("/events", status_code=status.HTTP_202_ACCEPTED)
def send_event(request: Request, who: Sending, body: EventBody) -> EventTaken:
    """Say what happened to a customer: cases that wait for it go on, others are interrupted by it."""
    if body.type in OURS:
        raise InputError(f"Events of the type {body.type} are Fairlead's own.", code="event_type")
    if not isinstance(body.payload.get("found", {}), dict):
        raise InputError("What was found must be an object of facts.", code="event_found", field="payload.found")
    svc = services(request)
    with svc.database.transaction() as uow:
        customer = known_customer(uow, uow.now, body.customer)
        event_id = scoped_id(who, f"event/{body.id}") if body.id else new_id("evt")
        is_new = publish(uow, Event(body.type, customer, body.payload, id=event_id))
        if is_new:
            payload = {"type": body.type, "event": event_id, "id": body.id, "payload": body.payload}
            uow.record(AuditEntry("event.received", customer, payload, customer, who.actor))
            words = f"{who.name} reported: {body.type.replace('_', ' ')}."
            note_many(uow, [TimelineNote(customer, "event", words)])
        uow.after_commit(svc.wake)
    return EventTaken(customer=customer, is_new=is_new)


def _customer(uow: UnitOfWork, who: Principal, body: CaseCustomer) -> str:
    customer_id, identity = body.parts()
    if customer_id is not None or identity is None:
        return known_customer(uow, uow.now, body)
    draft = CustomerDraft(
        body.name, body.company, body.country, body.language, None, (identity,), source=str(who.actor)
    )
    return resolve_many(uow, [draft])[0].id


def _happened(row: Any, *, withheld: bool, sensitive: bool) -> Happened:
    shown = happened(row, withheld=withheld)
    return shown if sensitive else shown.model_copy(update={"payload": discreet_payload(shown.payload)})


def _ruling(row: Any, *, withheld: bool, sensitive: bool) -> RulingShown:
    shown = {name: getattr(row, name) for name in RulingShown.model_fields if name != "explanation"}
    shown["proposal"] = row.proposal["answer"]
    shown["explanation"] = explain(recall(row.record if sensitive else discreet_record(row.record)))
    if withheld:
        shown |= dict.fromkeys(("proposal", "explanation", "score", "answer"))
    return RulingShown.model_validate(shown)
