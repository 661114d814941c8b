"""Web forms: the public page that anybody may fill in, and the desk's pages about what came of them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from fairlead.api import FRAMED_BY, address_of, limits_of, render_page, require, services
from fairlead.console.shell import Posted, console_of, desk_of, posted, render
from fairlead.customers import asks_privacy, names_of
from fairlead.errors import FaultError, InputError, NotFoundError, TooManyRequestsError
from fairlead.people import Permission, Principal
from fairlead.sales import (
    Answers,
    ConfirmLinks,
    Form,
    Outcome,
    RefusalCounter,
    TokenState,
    add_refusals,
    check_token,
    form_words,
    forms_of,
    issue_token,
    read_answers,
    refusals,
    submission_counts,
    submissions,
    submit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import Bundle

TRAP, TOKEN, CONSENT = "website_url", "form_token", "consent"
PAGE = 50
AUTOCOMPLETE = {
    "name": "name", "first_name": "given-name", "last_name": "family-name", "email": "email", "phone": "tel",
    "company": "organization", "job_title": "organization-title", "country": "country", "postal_code": "postal-code",
    "region": "address-level1", "language": "language",
}  # fmt: skip
REFUSED = {
    "honeypot": "the hidden field was filled in",
    "forged": "no token of ours",
    "too_fast": "sent within two seconds",
    "expired": "the page was open for more than a day",
    "replayed": "the token had been used for something else",
    "busy": "too many posts",
}

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.CASES_READ))]
FormPost = Annotated[Posted, Depends(posted)]


def _deployed(request: Request) -> Bundle | None:
    with services(request).database.reading() as reader:
        return _bundle(request, reader)


def _bundle(request: Request, reader: Reader) -> Bundle | None:
    try:
        return console_of(request).library.current(reader)
    except InputError:
        return None


def _open_form(bundle: Bundle | None, name: str) -> Form | None:
    form = forms_of(bundle).get(name) if bundle is not None else None
    return form if form is not None and form.enabled else None


def _secret(request: Request) -> bytes:
    secret = services(request).settings.secret_key
    if secret is None:
        raise FaultError("forms need the secret key; see settings.provide_secrets")
    return secret.get_secret_value().encode()


def _key(request: Request) -> bytes:
    return hmac.digest(_secret(request), b"fairlead form tokens", hashlib.sha256)


@router.get("/forms/{name}")
def form_page(request: Request, name: str) -> Response:
    """The form, for anybody; a friendly 404 for one that is closed or never was."""
    form = _open_form(_deployed(request), name)
    return _gone(request) if form is None else _page(request, form)


@router.post("/forms/{name}")
def send_form(request: Request, name: str, given: FormPost) -> Response:
    """Take the form in, or show it again with what was typed and what is wrong."""
    bundle = _deployed(request)
    form = _open_form(bundle, name)
    if form is None or bundle is None:
        return _gone(request)
    answers = read_answers(form, given)
    words = form_words[form.language]
    now = services(request).clock.now()
    try:
        limits_of(request).form_senders.take(f"{name}|{address_of(request)}", now)
        limits_of(request).forms.take(name, now)
    except TooManyRequestsError as error:
        _refuse(request, name, "busy")
        seconds = int(error.fields["retry_after_s"])
        told = words["busy"].format(minutes=max(1, -(-seconds // 60)))
        page = _page(request, form, answers, told=told, status=429)
        page.headers["Retry-After"] = str(seconds)
        return page
    if given.get(TRAP):
        # Who fills in what nobody sees is told what a person would be told.
        _refuse(request, name, "honeypot")
        return _thanks(request, form)
    token = given.get(TOKEN, "")
    state = check_token(_key(request), name, token, now)
    if state is not TokenState.GOOD:
        _refuse(request, name, state.value)
        return _page(request, form, answers, told=words["again"], status=422)
    told = ""
    if form.consent is not None and given.get(CONSENT, "") not in {"", "yes", form.consent.digest}:
        # Another wording stood beside the box that was ticked: that consent is not one to this.
        answers, told = replace(answers, consented=False), words["again"]
    if answers.errors or told:
        return _page(request, form, answers, told=told, status=422, token=token)
    return _take(request, bundle, form, answers, token)


def _take(request: Request, bundle: Bundle, form: Form, answers: Answers, token: str) -> Response:
    svc = services(request)
    counter = console_of(request).refused
    counts = counter.take(svc.clock.now())
    links = ConfirmLinks(_secret(request), svc.settings.public_url)
    written = False
    try:
        with svc.database.transaction() as uow:
            private = asks_privacy(request.headers.get("sec-gpc"))
            done = submit(uow, bundle, form, answers, token, links=links, private=private)
            add_refusals(uow, counts)
            uow.after_commit(svc.wake)
        written = True
    finally:
        if not written:
            counter.give_back(counts)
    if done.outcome is Outcome.REPLAYED:
        _refuse(request, form.name, "replayed")
        return _page(request, form, answers, told=form_words[form.language]["again"], status=422)
    return _thanks(request, form)


def _refuse(request: Request, form: str, kind: str) -> None:
    """Count it, and write the counts if that is due."""
    counter, svc = console_of(request).refused, services(request)
    counter.add(form, kind)
    counts = counter.take(svc.clock.now())
    if not counts:
        return
    written = False
    try:
        with svc.database.transaction() as uow:
            add_refusals(uow, counts)
        written = True
    finally:
        if not written:
            counter.give_back(counts)


def _page(
    request: Request,
    form: Form,
    answers: Answers | None = None,
    *,
    told: str = "",
    status: int = 200,
    token: str = "",
) -> HTMLResponse:
    """The form; with `answers` what was typed stands in it and what is wrong beside it."""
    request.scope[FRAMED_BY] = form.embed
    words = form_words[form.language]
    errors = [(field, answers.errors[field.name]) for field in form.fields if answers and field.name in answers.errors]
    return render_page(
        request, "form.html", status=status, form=form, words=words, told=told, errors=errors,
        typed=answers.typed if answers else {}, consented=answers.consented if answers else False,
        token=token or issue_token(_key(request), form.name, services(request).clock.now()), trap=TRAP,
        token_name=TOKEN, autocomplete=AUTOCOMPLETE,
    )  # fmt: skip


def _thanks(request: Request, form: Form) -> HTMLResponse:
    request.scope[FRAMED_BY] = form.embed
    return render_page(request, "form_sent.html", form=form, words=form_words[form.language])


def _gone(request: Request) -> HTMLResponse:
    """In the first of the visitor's languages that we have."""
    wished = [part.split(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    language = next((one for one in wished if one in form_words), "en")
    return render_page(request, "form_gone.html", status=404, words=form_words[language], language=language)


@router.get("/forms")
def forms(request: Request, principal: Reading) -> Response:
    """Every form of the workspace with its address and what came of it."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        counts = submission_counts(reader)
        refused = _refused(request, reader)
    found = [
        {
            "form": form,
            "submissions": counts.get(name, (0, None))[0],
            "last": counts.get(name, (0, None))[1],
            "refused": sum(refused.get(name, {}).values()),
        }
        for name, form in sorted(forms_of(desk.bundle).items() if desk.bundle else ())
    ]
    return render(request, "forms.html", desk, forms=found, address=services(request).settings.public_url)


@router.get("/forms/{name}/submissions")
def form_submissions(
    request: Request, principal: Reading, name: str, before: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """One form at the desk: its last submissions, and how many posts were refused and why."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        form = forms_of(desk.bundle).get(name) if desk.bundle else None
        rows = submissions(reader, name, PAGE + 1, before or None)
        if form is None and not rows:
            raise NotFoundError("There is no such form.")
        names = names_of(reader, [row.customer_id for row in rows]) if principal.can(Permission.CUSTOMERS_READ) else {}
        refused = _refused(request, reader).get(name, {})
        total = submission_counts(reader).get(name, (0, None))[0]
    return render(
        request, "form_desk.html", desk, form_name=name, form=form, rows=rows[:PAGE], names=names, refused=refused,
        reasons=REFUSED, total=total, address=services(request).settings.public_url,
        older=rows[PAGE - 1].id if len(rows) > PAGE else "",
    )  # fmt: skip


def _refused(request: Request, reader: Reader) -> dict[str, dict[str, int]]:
    """Written counts, and those that this process still has in memory."""
    found: dict[str, dict[str, int]] = {form: dict(kinds) for form, kinds in refusals(reader).items()}
    counter: RefusalCounter = console_of(request).refused
    pending: Mapping[tuple[str, str], Any] = counter.pending()
    for (form, kind), posts in pending.items():
        kinds = found.setdefault(form, {})
        kinds[kind] = kinds.get(kind, 0) + posts
    return found
