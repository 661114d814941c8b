"""Grants and stop switches: what the machine may do alone, and how people take it back."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import require, services
from fairlead.checkpoints import (
    Grant,
    Level,
    Signature,
    declared,
    grants_of,
    lift_stop,
    set_grant,
    sign_policy,
    signatures_of,
    switch_stop,
    withdraw_grant,
    withdraw_signatures,
)
from fairlead.console import words
from fairlead.console.shell import Posted, console_of, desk_of, go, posted, render
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.evidence import label_counts
from fairlead.people import Permission, Principal, permissions_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.checkpoints import CheckpointPolicy
    from fairlead.playbooks import Bundle

MAX_WORDS = 1_000
MAX_DAYS = 366
LEVELS = {
    "shadow": "Shadow: the machine only answers along; a person answers without seeing it.",
    "assist": "Assist: a person sees the proposal and approves, changes or rejects it.",
    "auto": "Auto: from the threshold on, the machine decides alone.",
}

router = APIRouter()
Reading = Annotated[Principal, Depends(require(Permission.GRANTS_READ))]
Signing = Annotated[Principal, Depends(require(Permission.GRANTS_SIGN))]
Switching = Annotated[Principal, Depends(require(Permission.SWITCHES_SET))]
Form = Annotated[Posted, Depends(posted)]


@router.get("/grants")
def grants(request: Request, principal: Reading) -> Response:
    """What may be automatic now, by checkpoint, segment and producer."""
    return _grants(request, principal)


def _grants(
    request: Request, principal: Principal, typed: Posted | None = None, problem: FairleadError | None = None
) -> Response:
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = grants_of(reader)
        name = words.actor_namer(reader)
        signatures = signatures_of(reader)
        signers = {row.id: name(row.signed_by) for row in rows}
        signers |= {one.id: name(one.signed_by) for one in signatures}
        counted = label_counts(reader) if principal.can(Permission.REPORTS_READ) else []
    policies = desk.bundle.policies if desk.bundle else {}
    return render(
        request, "grants.html", desk, status=problem.status if problem else 200, rows=rows, signers=signers,
        policies=policies, producers=_producers(desk.bundle), levels=LEVELS, typed=typed, problem=problem,
        roles=_signing_roles(principal), max_days=MAX_DAYS, signable=_signable(policies, signatures),
        counted=counted,
    )  # fmt: skip


class Signable(NamedTuple):
    """A checkpoint that declares what counts only when signed; `older` are signatures under other versions.

    `policy` None: it is not deployed any more.
    """

    policy: CheckpointPolicy | None
    declares: dict[str, str]
    signature: Signature | None
    older: list[Signature]


def _signable(policies: Mapping[str, CheckpointPolicy], signatures: list[Signature]) -> dict[str, Signable]:
    """By name, with those that only running cases still need."""
    found = {}
    for name in sorted({*policies, *(one.checkpoint for one in signatures)}):
        policy = policies.get(name)
        mine = [one for one in signatures if one.checkpoint == name]
        declares = declared(policy) if policy else {}
        if not (declares or mine):
            continue
        now = next((one for one in mine if policy and one.policy_version == policy.version), None)
        found[name] = Signable(policy, declares, now, [one for one in mine if one is not now])
    return found


def _signing_roles(principal: Principal) -> list[str]:
    return sorted(role for role in principal.roles if Permission.GRANTS_SIGN in permissions_of([role]))


def _producers(bundle: Bundle | None) -> list[str]:
    """Who proposes at the checkpoints of the playbooks; programs that ask may name others."""
    if bundle is None:
        return []
    stages = (stage for book in bundle.playbooks.values() for stage in book.playbook.stages.values())
    return sorted({producer for stage in stages if (producer := getattr(stage, "producer", ""))})


@router.post("/grants")
def give(request: Request, principal: Signing, form: Form) -> Response:
    """Set a grant by hand; it replaces the one in force for the same segment and producer."""
    svc = services(request)
    try:
        with svc.database.transaction() as uow:
            bundle = console_of(request).library.current(uow)
            grant = _grant_from(form, bundle.policies, uow.now)
            role = _role_of(form, principal)
            evidence = {"note": _short(form, "evidence", "the evidence"), "by_hand": True}
            set_grant(uow, principal.actor, role, grant, evidence)
    except (InputError, ConflictError) as error:
        return _grants(request, principal, typed=form, problem=error)
    return go("/grants", said="granted")


def _grant_from(form: Posted, policies: Any, now: Any) -> Grant:
    policy: CheckpointPolicy | None = policies.get(form.text("checkpoint"))
    if policy is None:
        raise InputError("Choose a checkpoint that is deployed.", field="checkpoint")
    if form.text("segment") not in policy.segment_names:
        raise InputError(f"{policy.checkpoint} has no such segment.", field="segment", known=policy.segment_names)
    producer = form.text("producer")
    if not producer or len(producer) > 200 or "@" not in producer:  # noqa: PLR2004  no name is that long
        raise InputError("A producer is written name@version, such as lead-rules@1.", field="producer")
    if form.text("level") not in {level.value for level in Level}:
        raise InputError("Choose a level.", field="level")
    level = Level(form.text("level"))
    days = _number(form, "days", least=1, most=MAX_DAYS)
    if days is None:
        raise InputError("Say for how many days; no grant lasts for ever.", field="days")
    threshold = _number(form, "threshold", least=-1e9, most=1e9) if level is Level.AUTO else None
    promised = _number(form, "promised", least=0.01, most=50)
    return Grant(
        "", policy.checkpoint, form.text("segment"), producer, level, policy.version,
        now + timedelta(days=days), threshold, None if promised is None else promised / 100,
    )  # fmt: skip


def _number(form: Posted, name: str, *, least: float, most: float) -> float | None:
    text = form.text(name).replace(",", ".")
    if not text:
        return None
    try:
        value = float(text[:40])
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise InputError(f"{words.plain(name)}: a number from {least:g} to {most:g}, please.", field=name)
    return value


def _short(form: Posted, name: str, what: str) -> str:
    text = form.text(name)
    if not text:
        raise InputError(f"Write down {what}: others will ask.", code="reason_missing", field=name)
    if len(text) > MAX_WORDS:
        raise InputError(f"At most {MAX_WORDS} characters, please.", field=name)
    return text


@router.post("/grants/{grant_id}/withdraw")
def take_back(request: Request, principal: Signing, grant_id: str, form: Form) -> Response:
    """End a grant at once."""
    svc = services(request)
    try:
        with svc.database.transaction() as uow:
            withdraw_grant(uow, principal.actor, grant_id, _short(form, "because", "why"))
    except InputError as error:
        return _grants(request, principal, typed=form, problem=error)
    except NotFoundError:
        gone = ConflictError("This grant is not in force any more; somebody withdrew or replaced it.")
        return _grants(request, principal, problem=gone)
    return go("/grants", said="withdrawn")


@router.post("/signatures")
def sign(request: Request, principal: Signing, form: Form) -> Response:
    """Sign what the version of the policy that the page showed declares."""
    svc = services(request)
    try:
        with svc.database.transaction() as uow:
            policy = _policy_shown(form, console_of(request).library.current(uow).policies)
            role = _role_of(form, principal)
            sign_policy(uow, principal.actor, role, policy, _short(form, "reason", "why"))
    except (InputError, ConflictError) as error:
        return _grants(request, principal, typed=form, problem=error)
    return go("/grants", said="signed")


@router.post("/signatures/{checkpoint}/withdraw")
def unsign(request: Request, principal: Signing, checkpoint: str, form: Form) -> Response:
    """Take back every signature in force at a checkpoint, at once."""
    svc = services(request)
    try:
        with svc.database.transaction() as uow:
            withdraw_signatures(uow, principal.actor, checkpoint, _short(form, "reason", "why"))
    except InputError as error:
        return _grants(request, principal, typed=form, problem=error)
    except NotFoundError:
        gone = ConflictError("No signature is in force there any more; somebody withdrew it.")
        return _grants(request, principal, problem=gone)
    return go("/grants", said="unsigned")


def _policy_shown(form: Posted, policies: Mapping[str, CheckpointPolicy]) -> CheckpointPolicy:
    policy = policies.get(form.text("checkpoint"))
    if policy is None:
        raise InputError("Choose a checkpoint that is deployed.", field="checkpoint")
    if form.text("version") != policy.version:
        message = "Another version of the policy is deployed by now; look at what it declares, then sign."
        raise ConflictError(message, code="policy_changed", version=policy.version)
    return policy


def _role_of(form: Posted, principal: Principal) -> str:
    role = form.text("role")
    principal.require_role(role)
    if role not in _signing_roles(principal):
        raise InputError("Sign with one of your roles that may sign.", field="role")
    return role


@router.get("/stops")
def stop_switches(request: Request, principal: Reading) -> Response:
    """Which switches there are and which are on."""
    return _stops(request, principal)


def _stops(
    request: Request, principal: Principal, typed: Posted | None = None, problem: FairleadError | None = None
) -> Response:
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        name = words.actor_namer(reader)
        setters = {row.scope: name(row.set_by) for row in desk.stops}
    scopes = {"workspace": "Everything"}
    if desk.bundle:
        scopes |= {f"playbook:{one}": f"Playbook {one}" for one in sorted(desk.bundle.playbooks)}
        scopes |= {f"checkpoint:{one}": f"Checkpoint {one}" for one in sorted(desk.bundle.policies)}
    on = {row.scope: row for row in desk.stops}
    scopes |= {scope: scope for scope in on if scope not in scopes}
    return render(
        request, "stops.html", desk, status=problem.status if problem else 200, scopes=scopes, on=on,
        setters=setters, typed=typed, problem=problem,
    )  # fmt: skip


@router.post("/stops")
def switch(request: Request, principal: Switching, form: Form) -> Response:
    """Switch one on or off; a scope that is not deployed cannot be switched on."""
    svc, scope, wanted = services(request), form.text("scope"), form.text("wanted")
    if wanted not in {"on", "off"}:
        raise InputError("A switch is put on or off.", field="wanted")
    try:
        with svc.database.transaction() as uow:
            if wanted == "off":
                lift_stop(uow, principal.actor, scope)
            else:
                _check_scope(console_of(request).library.current(uow), scope)
                switch_stop(uow, principal.actor, scope, _short(form, "words", "why"))
    except (InputError, ConflictError) as error:
        return _stops(request, principal, typed=form, problem=error)
    return go("/stops", said="stopped" if wanted == "on" else "lifted")


def _check_scope(bundle: Bundle, scope: str) -> None:
    kind, _, name = scope.partition(":")
    known = {"workspace": {""}, "playbook": {*bundle.playbooks}, "checkpoint": {*bundle.policies}}
    if name not in known.get(kind, ()):
        raise InputError("There is nothing of this name to be stopped.", field="scope")
