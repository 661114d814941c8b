"""Checking at the desk who is in touch: send a code to an address of the customer, type what they read out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import code_secret, require, services
from fairlead.console.customer_pages import check_customer_id, customer_page
from fairlead.console.shell import Posted, go, posted
from fairlead.customers import profile
from fairlead.errors import ConflictError, InputError, TooManyRequestsError
from fairlead.identity import Outcome, ask_code, confirm_code
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.people import Permission, Principal

router = APIRouter()
Editing = Annotated[Principal, Depends(require(Permission.CUSTOMERS_EDIT))]
Form = Annotated[Posted, Depends(posted)]


@router.post("/customers/{customer_id}/identity-check")
def send_code(request: Request, principal: Editing, customer_id: str, form: Form) -> Response:
    """Send a code to one of the customer's addresses."""
    check_customer_id(customer_id)
    svc = services(request)
    address = form.text("address")
    try:
        with svc.database.transaction() as uow:
            _check_address(uow, customer_id, address)
            ask_code(uow, principal.actor, customer_id, "email", address, code_secret(svc))
            uow.after_commit(svc.wake)
    except (InputError, ConflictError, TooManyRequestsError) as problem:
        return customer_page(request, principal, customer_id, problem=problem)
    return go(f"/customers/{customer_id}", said="code_sent")


@router.post("/customers/{customer_id}/identity-check/confirm")
def try_code(request: Request, principal: Editing, customer_id: str, form: Form) -> Response:
    """Try what the customer read out; a wrong code is said on the page, and never shown again."""
    check_customer_id(customer_id)
    svc = services(request)
    try:
        with svc.database.transaction() as uow:
            tried = confirm_code(uow, principal.actor, customer_id, form.text("code"), code_secret(svc))
    except ConflictError as problem:
        return customer_page(request, principal, customer_id, problem=problem)
    if tried.outcome is Outcome.CONFIRMED:
        return go(f"/customers/{customer_id}", said="checked")
    if tried.outcome is Outcome.WRONG and tried.tries_left:
        tries = "one more try" if tried.tries_left == 1 else f"{tried.tries_left} more tries"
        words = f"This is not the code. There {'is' if tried.tries_left == 1 else 'are'} {tries}."
    else:
        words = "No code can be used any more: it was used, tried too often, or its time is over. Send another."
    return customer_page(request, principal, customer_id, problem=InputError(words, field="code"))


def _check_address(uow: UnitOfWork, customer_id: str, address: str) -> None:
    """Staff see the addresses anyway, so they are told when one was taken back meanwhile."""
    known = profile(uow, customer_id, uow.now).identities
    if not any(one.kind == "email" and one.value == address for one in known):
        raise InputError("This is no address of the customer any more.", field="address")
