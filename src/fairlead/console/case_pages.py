"""Cases: where they stand, what happened to them, and stepping in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from fairlead import reviews
from fairlead.actions import actions_of_case
from fairlead.api import discreet_ruling, require, score_of, services, withheld_rulings
from fairlead.checkpoints import explain, recall, rulings_of_case
from fairlead.console import words
from fairlead.console.case_history import known_facts, told_history
from fairlead.console.contacting import contacts
from fairlead.console.shell import Posted, console_of, desk_of, go, posted, render
from fairlead.console.titles import About, titles_of
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.kit.ids import is_id
from fairlead.people import Permission, Principal, list_people
from fairlead.playbooks import (
    CaseState,
    CaseVerb,
    case_summary,
    cases_page,
    counts_by_stage,
    read_case,
    steer,
)
from fairlead.sales import Handed, assignment_of

if TYPE_CHECKING:
    from fairlead.console.shell import Desk
    from fairlead.kit.unit_of_work import Reader

PAGE = 50
MAX_REASON_CHARS = 4_000
STATES = {
    "": "All", "exception": "Exceptions", "waiting": "Waiting", "ready": "Ready", "paused": "Paused",
    "ended": "Ended",
}  # fmt: skip
OFFERED: dict[CaseState, tuple[CaseVerb, ...]] = {
    CaseState.EXCEPTION: (
        CaseVerb.RETRY,
        CaseVerb.SKIP,
        CaseVerb.TAKE_OVER,
        CaseVerb.REDIRECT,
        CaseVerb.CANCEL,
    ),
    CaseState.READY: (CaseVerb.PAUSE, CaseVerb.TAKE_OVER, CaseVerb.REDIRECT, CaseVerb.SKIP, CaseVerb.CANCEL),
    CaseState.WAITING: (
        CaseVerb.PAUSE,
        CaseVerb.TAKE_OVER,
        CaseVerb.REDIRECT,
        CaseVerb.SKIP,
        CaseVerb.CANCEL,
    ),
    CaseState.PAUSED: (
        CaseVerb.RESUME,
        CaseVerb.HAND_BACK,
        CaseVerb.REDIRECT,
        CaseVerb.SKIP,
        CaseVerb.CANCEL,
    ),
    CaseState.ENDED: (),
}
"""What the page offers in each state; what is allowed is the playbooks' to say."""

HANDED = {
    Handed.OTHER: "another reason",
    Handed.WRONG_TEAM: "it belongs to another team",
    Handed.WRONG_SKILL: "it needs a skill that they lack",
    Handed.LOAD: "they have too much to do",
    Handed.ABSENCE: "they are away",
}
"""Why a lead changes hands; the first two after the first count as routed wrong."""

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
Managing = Annotated[Principal, Depends(require(Permission.CASES_MANAGE))]


@router.get("/cases")
def cases(
    request: Request,
    principal: Reading,
    state: str = "",
    playbook: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Cases, newest first; `state=exception` is the exceptions queue."""
    if state not in STATES:
        raise InputError(f"Cases are never {state[:40]!r}.", field="state")
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = cases_page(reader, state=state or None, playbook=playbook or None, before=before or None, limit=PAGE + 1)
        shown = rows[:PAGE]
        about = [About(row.id, row.subject_id, row.customer_id, row.facts or {}) for row in shown]
        titles = titles_of(reader, about)
        playbooks = sorted(desk.bundle.playbooks) if desk.bundle else []
        stages = counts_by_stage(reader, playbook) if playbook else []
    return render(
        request, "cases.html", desk, rows=shown, titles=titles, state=state, states=STATES, playbook=playbook,
        playbooks=playbooks, stages=stages, older=shown[-1].id if len(rows) > PAGE else "",
        before=before,
    )  # fmt: skip


@router.get("/cases/{case_id}")
def case(request: Request, principal: Reading, case_id: str) -> Response:
    """A case's story."""
    return _page(request, principal, case_id)


def _page(
    request: Request,
    principal: Principal,
    case_id: str,
    typed: Posted | None = None,
    problem: FairleadError | None = None,
) -> Response:
    if not is_id(case_id, "case"):
        raise NotFoundError("There is no such case.")
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        row = read_case(reader, case_id)
        rulings = rulings_of_case(reader, case_id)
        if not principal.can(Permission.SENSITIVE_READ):
            rulings = [discreet_ruling(one) for one in rulings]
        actions = actions_of_case(reader, case_id)
        work = reviews.of_rulings(reader, [one.id for one in rulings])
        hidden = withheld_rulings(work)
        guarded = bool(hidden)
        title = titles_of(reader, [About(row.id, row.subject_id, row.customer_id, row.facts or {})])[row.id]
        decided = [_decided(one, withheld=one.id in hidden) for one in rulings]
        score, assigned = None if guarded else _score(reader, case_id), _assigned(reader, desk, case_id, guarded)
        context = {
            "one": case_summary(row), "version": row.version, "title": title, "rulings": decided, "actions": actions,
            "guarded": guarded,
            "history": told_history(reader, case_id, [*rulings, *work, *actions], guarded=guarded),
            "known": [] if guarded else known_facts(
                row.facts, [one.result or {} for one in decided], score=score, assignment=assigned["assignment"]
            ),
            "stages": _stages(request, reader, row), "verbs": OFFERED[CaseState(row.state)],
            "actor": words.actor_namer(reader), **assigned, "score": score,
            "contacts": contacts(reader, principal, case_id, services(request).clock.now()),
        }  # fmt: skip
        status = problem.status if problem else 200
        return render(request, "case.html", desk, status=status, typed=typed, problem=problem, **context)


def _score(reader: Reader, case_id: str) -> Any:
    """Its points with their reasons; None while no stage has scored it."""
    try:
        return score_of(reader, case_id, to_person=True)
    except NotFoundError:
        return None


class Decided(NamedTuple):
    """A ruling as its case's page tells it; `rows` are (name, proposed, decided) with None where there is none.

    `result` is None while it waits and when nothing may be done; then, and where it is `same`, the page shows
    one column.
    """

    ruling: Any
    why: str
    withheld: bool
    rows: list[tuple[str, Any, Any]]
    result: Any
    same: bool


def _decided(ruling: Any, *, withheld: bool) -> Decided:
    if withheld:
        return Decided(ruling, "", withheld, [], None, same=True)
    proposed = ruling.proposal["answer"]
    result = None if ruling.verdict not in words.EXECUTED else proposed if ruling.answer is None else ruling.answer
    names = dict.fromkeys([*proposed, *(result or {})])
    rows = [(name, proposed.get(name), (result or {}).get(name)) for name in names]
    return Decided(
        ruling, words.without_ids(explain(recall(ruling.record))), withheld, rows, result, same=result == proposed
    )


def _stages(request: Request, reader: Reader, row: Any) -> list[str]:
    try:
        return list(console_of(request).library.load(reader, row.bundle).playbooks[row.playbook].playbook.stages)
    except FairleadError:  # its version needs what this build lacks; the page shows the rest
        return []


def _assigned(reader: Reader, desk: Desk, case_id: str, guarded: bool) -> dict[str, Any]:  # noqa: FBT001
    """Who has the lead; left out as long as somebody answers without knowing what was decided before."""
    found = None if guarded else assignment_of(reader, case_id)
    if found is None or not desk.can(Permission.CASES_MANAGE):
        return {"assignment": found}
    people = [one for one in list_people(reader) if one.disabled_at is None]
    return {"assignment": found, "colleagues": people, "handed": HANDED}


def again(request: Request, principal: Principal, case_id: str, typed: Posted, problem: FairleadError) -> Response:
    """The case's page after a refused form, with what was typed."""
    return _page(request, principal, case_id, typed=typed, problem=problem)


@router.post("/cases/{case_id}/steer")
def step_in(request: Request, principal: Managing, case_id: str, form: Annotated[Posted, Depends(posted)]) -> Response:
    """One of the verbs on a running case; refused when the case moved on since the page was made."""
    word, reason, version = form.text("verb"), form.text("reason"), form.text("version")
    if word not in set(CaseVerb):
        raise InputError("Choose what to do with this case.", field="verb")
    svc = services(request)
    try:
        _check(word, reason, version)
        with svc.database.transaction() as uow:
            steer(
                uow, console_of(request).library, principal.actor, case_id, CaseVerb(word), reason=reason,
                stage=form.text("stage") or None if word in {CaseVerb.REDIRECT, CaseVerb.HAND_BACK} else None,
                version=int(version),
            )  # fmt: skip
            uow.after_commit(console_of(request).feed.wake)
    except (ConflictError, InputError) as error:
        return _page(request, principal, case_id, typed=form, problem=error)
    return go(f"/cases/{case_id}", said="steered")


def _check(word: str, reason: str, version: str) -> None:
    if not reason and word not in {CaseVerb.RESUME, CaseVerb.RETRY}:
        raise InputError("Say why, so that others understand it later.", code="reason_missing", field="reason")
    if len(reason) > MAX_REASON_CHARS:
        raise InputError(f"A reason has at most {MAX_REASON_CHARS} characters.", field="reason")
    if not (version.isdigit() and len(version) < 10):  # noqa: PLR2004  no case changes a billion times
        raise InputError("The form is not whole; load the page again.", field="version")
