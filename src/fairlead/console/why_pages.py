"""The why-page: a decision in plain words for the customer it is about, and the way to have a person look at it.

Behind a signed link; nobody signs in, and opening the page changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import arrived_facts, policy_of, render_page, services
from fairlead.checkpoints import read_decision, read_ruling
from fairlead.console.public import SAFE, Guest, gone, guest_of, opened, zone_of
from fairlead.console.shell import console_of, go
from fairlead.console.why_view import Decided, told_of
from fairlead.errors import NotFoundError
from fairlead.evidence import AUTOMATIC, appeals_of, ask_for_person
from fairlead.kit.actors import Actor, ActorKind
from fairlead.playbooks import read_case
from fairlead.understanding import find_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from fairlead.kit.unit_of_work import Reader

router = APIRouter()


@router.api_route("/why/{token}", methods=SAFE)
def why_page(request: Request, token: str, said: str = "") -> Response:
    """What was decided, how, from which information, and what became of asking for a person."""
    parts = opened(request, "why", token)
    if isinstance(parts, Response):
        return parts
    with services(request).database.reading() as reader:
        found = _decision(request, reader, parts)
        if isinstance(found, Response):
            return found
        guest, one = found
        now = services(request).clock.now()
        told = told_of(one, guest.language, zone_of(reader, guest, now), now, fresh=said == "asked")
    return render_page(
        request, "why.html", language=guest.language, words=guest.words, why=told.words, token=token, told=told
    )


@router.post("/why/{token}")
def have_a_person_look(request: Request, token: str) -> Response:
    """Open the blind review, once; pressed again it only leads back to where that stands."""
    parts = opened(request, "why", token)
    if isinstance(parts, Response):
        return parts
    svc = services(request)
    with svc.database.transaction() as uow:
        found = _decision(request, uow, parts)
        if isinstance(found, Response):
            return found
        guest, one = found
        if one.verdict in AUTOMATIC and one.policy is not None and one.appeal is None:
            terms, case_id = one.policy.review, one.ruling.case_id
            playbook = read_case(uow, case_id).playbook if case_id else None
            me = Actor(ActorKind.CUSTOMER, guest.customer_id)
            ask_for_person(uow, me, one.ruling, role=terms.role, due=terms.due, playbook=playbook)
            uow.after_commit(svc.wake)
            uow.after_commit(console_of(request).feed.wake)
    return go(f"/why/{token}", said="asked")


def _decision(request: Request, reader: Reader, parts: Mapping[str, str]) -> tuple[Guest, Decided] | Response:
    """The decision that a link is about with its customer, or the page that says that there is none."""
    try:
        ruling: Any = read_ruling(reader, parts.get("decision", ""))
    except NotFoundError:
        return gone(request)
    guest = guest_of(request, reader, parts, ruling.customer_id or "")
    if isinstance(guest, Response):
        return guest
    made = read_decision(reader, ruling.id)
    # A verdict that can still be taken back is none yet.
    stands = made is not None and made.effective_at <= services(request).clock.now()
    answer = None
    if made is not None and stands:
        answer = ruling.proposal["answer"] if made.answer is None else made.answer
    return guest, Decided(
        ruling=ruling,
        verdict=made.verdict if made is not None and stands else None,
        answer=answer,
        at=made.decided_at if made is not None and stands else None,
        policy=policy_of(reader, console_of(request).library, ruling),
        arrived=_arrived(reader, ruling),
        by_model=_by_model(reader, ruling.producer),
        appeal=appeals_of(reader, [ruling.id]).get(ruling.id),
    )


def _arrived(reader: Reader, ruling: Any) -> Mapping[str, Any]:
    """The facts of a case as they came in; of a program's request only those count that the policy declares."""
    return arrived_facts(reader, ruling.case_id) if ruling.case_id else {}


def _by_model(reader: Reader, producer: str) -> bool:
    try:
        find_model(reader, producer)
    except NotFoundError:
        return False
    return True
