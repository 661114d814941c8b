"""Leads over HTTP: one taken in, one looked at."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, status
from pydantic import Field, PlainValidator, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api.callers import first_request
from fairlead.api.consents import GpcHeader
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.shapes import PathId, Sent, Shown
from fairlead.customers import asks_privacy, facts_of, record_privacy_signal
from fairlead.errors import NotFoundError
from fairlead.kit.ids import is_id, new_id
from fairlead.people import Permission, Principal
from fairlead.playbooks import read_case
from fairlead.sales import Plain, Taken, known_lead, lead_of, lead_playbook, read_lead, take_lead, taken_before

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader, UnitOfWork

MOST_VALUES = 120
_USEFUL = ("name", "email", "phone", "company", "country", "value")
"""What a lead is usually asked for: a way to name, reach, place and value it."""

router = APIRouter(prefix="/v1/leads", tags=["leads"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Starting = Annotated[Principal, Depends(require(Permission.CASES_START))]


def _plain(value: Any) -> Any:
    if value is not None and not isinstance(value, (str, bool, int, float)):
        raise ValueError("write a text, a number, true or false; lists and objects are not understood here")
    return value


Value = Annotated[str | bool | int | float | None, PlainValidator(_plain)]
Values = Annotated[dict[str, Value], Field(max_length=MOST_VALUES)]


class LeadBody(Sent):
    """A lead as a program gives it."""

    playbook: str = Field(min_length=1, max_length=200)
    fields: Values = Field(default_factory=dict, description="By name of a lead field, such as email; see import.")
    attributes: Values = Field(default_factory=dict, description="Everything else that is known, under its own name.")
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="Remembered 30 days. Without one, the same content is the same lead."
    )
    source: str = Field("", max_length=100, description="Where it came from; an external_id is one of there.")


class LeadProblem(Shown):
    """Something about a value that a person may have to look at."""

    field: str
    code: str
    words: str
    needs_information: bool = Field(description="True: it could not be used. False: used under an assumption.")


class LeadTaken(Shown):
    """What became of the lead; `is_new` false: it was there already, and nothing was added."""

    id: str
    case: str
    customer: str
    is_new: bool
    problems: list[LeadProblem]


class LeadQuality(Shown):
    """How complete a lead is; `missing` are fields that leads are usually asked for."""

    given: list[str]
    missing: list[str]
    unusable: list[str] = Field(description="Fields that were given and could not be used.")
    assumed: list[str] = Field(description="Fields that were used under an assumption.")


class LeadDetail(Shown):
    """A lead as it came, and where its case stands."""

    id: str
    playbook: str
    customer: str
    import_id: str | None = Field(description="The file it came from; null for one that came otherwise.")
    row: int | None
    fields: dict[str, Any]
    attributes: dict[str, Any]
    value_minor: int | None
    currency: str
    problems: list[LeadProblem]
    quality: LeadQuality
    case: dict[str, Any] | None = Field(description="id, stage, state and end of its case.")
    created_at: datetime


@router.post("", status_code=status.HTTP_201_CREATED, responses={200: {"model": LeadTaken}})
def add_lead(request: Request, who: Starting, body: LeadBody, response: Response, gpc: GpcHeader = None) -> LeadTaken:
    """Take a lead in, with the checks of a file's row; 200 with the existing one when it was there already.

    A value that cannot be used does not refuse the lead: it is a problem, for which a person looks. A body that is
    wrong as such is a 422 whose `fields` say what to mend. `Sec-GPC: 1` is the visitor's own, passed on.
    """
    svc = services(request)
    with svc.database.transaction() as uow:
        bundle = library_of(request).current(uow)
        lead_playbook(bundle, body.playbook)
        draft = lead_of(_given(body.fields), _given(body.attributes), bundle.currency, source=body.source)
        fresh = new_id("lead")
        said = body.model_dump(exclude={"idempotency_key"})
        lead_id = known_lead(uow, body.playbook, draft) or fresh
        if body.idempotency_key is not None:
            lead_id = first_request(uow, who, f"lead/{body.idempotency_key}", said, lead_id)
        taken: Taken
        if lead_id != fresh:
            taken = taken_before(uow, lead_id)
        else:
            source = body.source or f"api {who.name}"[:200]
            taken = take_lead(uow, who.actor, bundle, body.playbook, draft, source=source, lead_id=fresh)
            uow.after_commit(svc.wake)
        if asks_privacy(gpc):
            _keep_private(uow, who, taken.customer_id)
            uow.after_commit(svc.wake)
    if not taken.is_new:
        response.status_code = status.HTTP_200_OK
    return LeadTaken(
        id=taken.lead_id,
        case=taken.case_id,
        customer=taken.customer_id,
        is_new=taken.is_new,
        problems=[LeadProblem.model_validate(problem) for problem in map(_Of, taken.problems)],
    )


def _keep_private(uow: UnitOfWork, who: Principal, customer_id: str) -> None:
    """Write the visitor's signal down, once; of somebody who was erased nothing is kept."""
    known = facts_of(uow, [customer_id], uow.now).get(customer_id)
    if known is not None and not known["erased"]:
        record_privacy_signal(uow, who.actor, customer_id, source=str(who.actor), where="/v1/leads")


@router.get("/{lead_id}")
def show_lead(request: Request, _: Reading, lead_id: PathId) -> LeadDetail:
    """One lead with its values, what is wrong with them, how complete it is, and its case."""
    if not is_id(lead_id, "lead"):
        raise NotFoundError("There is no such lead.")
    with services(request).database.reading() as reader:
        row = read_lead(reader, lead_id)
        case = _case(reader, row.case_id)
    problems = [LeadProblem.model_validate(problem) for problem in map(_Of, row.problems)]
    return LeadDetail(
        id=row.id,
        playbook=row.playbook,
        customer=row.customer_id,
        import_id=row.import_id,
        row=row.row_no or None,
        fields=row.fields,
        attributes=row.attributes,
        value_minor=row.value_minor,
        currency=row.currency,
        problems=problems,
        quality=_quality(row, problems),
        case=case,
        created_at=row.created_at,
    )


def _given(values: dict[str, Any]) -> dict[str, Plain]:
    """What is there: null is the same as left out."""
    return {name: value for name, value in values.items() if value is not None}


class _Of:
    """A dict's entries as attributes, which is how answers are read."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def _case(reader: Reader, case_id: str | None) -> dict[str, Any] | None:
    if case_id is None:
        return None
    row = read_case(reader, case_id)
    return {"id": row.id, "playbook": row.playbook, "stage": row.stage, "state": row.state, "end": row.end}


def _quality(row: Any, problems: list[LeadProblem]) -> LeadQuality:
    given = sorted({*row.fields, *(["value"] if row.value_minor is not None else [])})
    unusable = sorted({problem.field for problem in problems if problem.needs_information})
    return LeadQuality(
        given=given,
        missing=[name for name in _USEFUL if name not in given and name not in unusable],
        unusable=unusable,
        assumed=sorted({problem.field for problem in problems if not problem.needs_information}),
    )
