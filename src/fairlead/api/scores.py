"""Scores over HTTP: what a lead was scored, why, and how often such scores came true; and the trained versions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request

from fairlead import reviews
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import PathId, Shown
from fairlead.api.timeline import withheld_rulings
from fairlead.checkpoints import rulings_of_case
from fairlead.errors import NotFoundError
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal
from fairlead.playbooks import read_case
from fairlead.sales import read_lead
from fairlead.understanding import find_model, like_this, list_models, load_model, models_key, report_of, use_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.kit.unit_of_work import Reader, UnitOfWork
    from fairlead.settings import Settings

router = APIRouter(prefix="/v1", tags=["scores"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Deploying = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_DEPLOY))]
Looking = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_READ))]


class ScoreReason(Shown):
    """One line of the way to the points; all `add` up to them."""

    words: str
    add: float


class LikeThis(Shown):
    """Past leads that the model gave about the same chance before it knew how they end."""

    n: int
    converted: int
    low: float = Field(description="Wilson's 95 % interval of the share that converted.")
    high: float
    words: str


class LeadScore(Shown):
    """What a lead was scored and why; `points`, `grade`, `reasons` and `producer` are empty while withheld."""

    case: str
    withheld: bool = Field(description="A person has to answer without seeing what the machine found.")
    points: float | None
    grade: str | None
    reasons: list[ScoreReason]
    producer: str | None = Field(description="name@version of the model, or of the rules where there is none.")
    by: str | None = Field(description="model or rules")
    note: str | None = Field(description="What is missing for a model.")
    scored_at: datetime | None
    like_this: LikeThis | None


class ModelItem(Shown):
    """A trained version; `report` holds its figures, the columns used, and those refused with the reasons."""

    producer: str
    in_use: bool
    digest: str
    data_fingerprint: str
    origin: str
    note: str
    made_by: str
    made_at: datetime
    report: dict[str, Any]


class ModelList(Shown):
    """Trained versions, newest first."""

    items: list[ModelItem]


def score_of(reader: Reader, subject: str, *, to_person: bool) -> LeadScore:
    """The score of a lead or case, by either's id; NotFoundError (`no_score` where it has none).

    `to_person`: it is withheld as long as somebody has to answer without seeing what the machine found.
    """
    case_id = _case_id(reader, subject)
    case = read_case(reader, case_id)
    facts: Mapping[str, Any] = case.facts or {}
    points, found = facts.get("points"), facts.get("score_reasons")
    if isinstance(points, bool) or not isinstance(points, (int, float)) or not isinstance(found, list):
        message = f"{subject} has no score yet; its playbook stands at {case.stage!r}"
        raise NotFoundError(message, code="no_score", case=case_id)
    rulings = rulings_of_case(reader, case_id)
    if to_person and withheld_rulings(reviews.of_rulings(reader, [one.id for one in rulings])):
        return LeadScore(
            case=case_id, withheld=True, points=None, grade=None, reasons=[], producer=None, by=None, note=None,
            scored_at=None, like_this=None,
        )  # fmt: skip
    producer = str(facts["producer"]) if facts.get("producer") else None
    report = report_of(reader, producer) if producer else None
    past = like_this(report, points / 100) if report is not None else None
    return LeadScore(
        case=case_id, withheld=False, points=float(points), grade=_text(facts.get("grade")),
        reasons=[ScoreReason(words=str(one["words"]), add=float(one["add"])) for one in found if _is_reason(one)],
        producer=producer, by="model" if report is not None else "rules", note=_text(facts.get("score_note")),
        scored_at=_moment(facts.get("scored_at")), like_this=LikeThis.model_validate(past) if past else None,
    )  # fmt: skip


def _is_reason(one: Any) -> bool:
    return isinstance(one, dict) and "words" in one and isinstance(one.get("add"), (int, float))


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _moment(value: Any) -> datetime | None:
    """Facts are what a case was given; a column may be called so, too."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _case_id(reader: Reader, subject: str) -> str:
    if is_id(subject, "case"):
        return subject
    if not is_id(subject, "lead"):
        raise NotFoundError("There is no such lead.")
    lead = read_lead(reader, subject)
    if lead.case_id is None:
        message = f"{subject} has no case, so nothing has scored it"
        raise NotFoundError(message, code="no_score")
    return str(lead.case_id)


@router.get("/leads/{lead_id}/score")
def show_score(request: Request, _: Reading, lead_id: PathId) -> LeadScore:
    """A lead's points with the reasons that add up to them, by the id of the lead or of its case."""
    with services(request).database.reading() as reader:
        return score_of(reader, lead_id, to_person=True)


@router.get("/models")
def show_models(request: Request, _: Looking) -> ModelList:
    """Trained scores; the one of each name that is in use scores."""
    with services(request).database.reading() as reader:
        found = list_models(reader)
    return ModelList(items=[ModelItem.model_validate(one) for one in found])


@router.post("/models/{producer}/use")
def use(request: Request, who: Deploying, producer: PathId) -> ModelItem:
    """Score with this version from now on, a former one included; it may decide only what its own grants allow."""
    with services(request).database.transaction() as uow:
        use_version(uow, services(request).settings, who, producer)
        return ModelItem.model_validate(find_model(uow, producer))


def use_version(uow: UnitOfWork, settings: Settings, who: Principal, producer: str) -> None:
    """Put a version into use after its seal was checked; NotFoundError, or InputError when it must not be trusted."""
    assert settings.secret_key is not None  # noqa: S101  a server does not start without
    load_model(uow, models_key(settings.secret_key.get_secret_value()), producer)
    use_model(uow, who.actor, producer)
