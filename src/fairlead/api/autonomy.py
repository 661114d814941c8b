"""How far the machine may go: grants, stop switches, and what is deployed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.shapes import Moment, PathId, Reason, Sent, Share, Shown, Text
from fairlead.api.signing import SignatureShown, signing_role
from fairlead.checkpoints import (
    Grant,
    Level,
    Signature,
    grants_of,
    lift_stop,
    set_grant,
    signatures_of,
    stops,
    switch_stop,
    withdraw_grant,
)
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Permission, Principal
from fairlead.playbooks import Bundle, counts_by_stage

router = APIRouter(prefix="/v1", tags=["autonomy"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.GRANTS_READ))]
Signing = Annotated[Principal, Depends(require(Permission.GRANTS_SIGN))]
Switching = Annotated[Principal, Depends(require(Permission.SWITCHES_SET))]
Looking = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_READ))]
ScopeText = Annotated[
    str,
    Path(max_length=200, description="workspace, playbook:NAME or checkpoint:NAME", examples=["workspace"]),
]


class GrantShown(Shown):
    """Autonomy held by one producer in one segment of one checkpoint."""

    id: str
    checkpoint: str
    segment: str
    producer: str
    level: str = Field(description="shadow, assist or auto")
    threshold: float | None = Field(description="The least score that may act alone.")
    promised_error: float | None = Field(description="Share of wrong automatic decisions promised; 0.02 = 2 %.")
    lottery_rate: float | None = Field(description="Share drawn to be checked blind; null: the policy's own.")
    policy_version: str
    evidence: dict[str, Any]
    signed_by: str
    signed_role: str
    created_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    withdrawn_because: str | None


class GrantList(Shown):
    """Grants by checkpoint and segment, newest first."""

    items: list[GrantShown]


class GrantBody(Sent):
    """Autonomy to be given by hand; it replaces the one in force for the same segment and producer."""

    checkpoint: Text
    segment: Text
    producer: Text = Field(description="name@version of the model, prompt or rule set.")
    level: Level
    expires_at: Moment
    reason: Annotated[Reason, Field(min_length=1)] = Field(description="On what grounds; kept as evidence.")
    threshold: Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)] | None = Field(
        None, description="Needed for auto: the least score that may act alone."
    )
    promised_error: Share | None = None
    lottery_rate: Share | None = None
    policy_version: Text | None = Field(None, description="Refused with 409 when another version is deployed by now.")


class Because(Sent):
    """Why."""

    reason: Annotated[Reason, Field(min_length=1)]


class StopShown(Shown):
    """A stop switch that is on: in its scope, people decide everything."""

    scope: str
    words: str
    set_by: str
    set_at: datetime


class StopList(Shown):
    """Every stop switch that is on."""

    items: list[StopShown]


class StopBody(Sent):
    """Why automation is stopped."""

    words: Annotated[Reason, Field(min_length=1)]
    undeployed: bool = Field(False, description="Also a playbook or checkpoint that is not deployed now.")  # noqa: FBT003 - the field's default


class Switched(Shown):
    """What a switch did; `actions` were held when it went on, or go out after all when it went off."""

    scope: str
    on: bool
    actions: int


class SegmentShown(Shown):
    """A named part of a checkpoint's cases."""

    name: str
    description: str


class CheckpointShown(Shown):
    """A deployed checkpoint."""

    checkpoint: str
    description: str
    version: str = Field(description="Digest of the policy's content.")
    segments: list[SegmentShown] = Field(description="In order; the first that matches is a case's own.")
    answer_schema: dict[str, Any]
    role: str = Field(description="Who decides, unless a rule says otherwise.")
    deterministic: bool = Field(description="Declared; it counts only while `signature` is not null.")
    never_stopped: bool = Field(description="Declared (`stop: never`); it counts only while `signature` is not null.")
    signature: SignatureShown | None = Field(description="Under this version of the policy, in force now.")
    lottery_rate: float
    rules: list[str] = Field(description="Ids of its rules.")


class CheckpointList(Shown):
    """All that is deployed now."""

    bundle: str | None = Field(description="Digest of the workspace; null before the first deploy.")
    items: list[CheckpointShown]


class StageCount(Shown):
    """How many open cases stand at a stage in a state."""

    stage: str
    state: str
    count: int


class PlaybookShown(Shown):
    """A deployed playbook, with the open cases of all its versions."""

    playbook: str
    description: str
    subject: str
    start: str
    stages: list[str]
    open: list[StageCount]


class PlaybookList(Shown):
    """All that is deployed now."""

    bundle: str | None
    items: list[PlaybookShown]


@router.get("/grants")
def list_grants(
    request: Request,
    _: Reading,
    checkpoint: Annotated[str | None, Query(max_length=64)] = None,
    withdrawn: Annotated[bool, Query(description="Also those that ended early.")] = False,  # noqa: FBT002 - a query parameter
) -> GrantList:
    """Grants in force (an expired one counts for nothing), of one checkpoint or all."""
    with services(request).database.reading() as reader:
        rows = grants_of(reader, checkpoint, withdrawn=withdrawn)
    return GrantList(items=[GrantShown.model_validate(row) for row in rows])


@router.post("/grants", status_code=201)
def give_grant(request: Request, who: Signing, body: GrantBody) -> GrantShown:
    """Give autonomy by hand, signed with your role."""
    svc = services(request)
    with svc.database.transaction() as uow:
        policy = _known(library_of(request).current(uow).policies, body.checkpoint, "checkpoint")
        if body.segment not in policy.segment_names:
            hint = did_you_mean(body.segment, policy.segment_names) or ""
            raise InputError(f"{body.checkpoint} has no segment {body.segment!r}. {hint}".rstrip(), field="segment")
        if body.policy_version not in {None, policy.version}:
            message = "Another version of the policy is deployed; look again before you sign."
            raise ConflictError(message, code="policy_changed", version=policy.version)
        wanted = Grant(
            "", body.checkpoint, body.segment, body.producer, body.level, policy.version, body.expires_at,
            body.threshold, body.promised_error, body.lottery_rate,
        )  # fmt: skip
        made = set_grant(uow, who.actor, signing_role(who), wanted, {"reason": body.reason})
        uow.after_commit(svc.wake)
        row = _grant(uow, made.id, body.checkpoint)
    return GrantShown.model_validate(row)


@router.post("/grants/{grant_id}/withdrawal")
def end_grant(request: Request, who: Signing, grant_id: PathId, body: Because) -> GrantShown:
    """End a grant at once; the producer is back in shadow there."""
    svc = services(request)
    with svc.database.transaction() as uow:
        withdraw_grant(uow, who.actor, grant_id, body.reason)
        uow.after_commit(svc.wake)
        row = _grant(uow, grant_id, None)
    return GrantShown.model_validate(row)


@router.get("/stops")
def list_stops(request: Request, _: Reading) -> StopList:
    """Every stop switch that is on."""
    with services(request).database.reading() as reader:
        return StopList(items=[StopShown.model_validate(row) for row in stops(reader)])


@router.get("/stops/{scope}")
def show_stop(request: Request, _: Reading, scope: ScopeText) -> StopShown:
    """The stop switch of this scope; 404 while it is off."""
    with services(request).database.reading() as reader:
        found = _stop(reader, scope)
    if found is None:
        raise NotFoundError(f"{scope[:64]} is not stopped.", scope=scope[:64])
    return found


@router.put("/stops/{scope}")
def stop(request: Request, who: Switching, scope: ScopeText, body: StopBody) -> Switched:
    """Send everything in scope to people from now on and hold its undelivered automatic actions.

    Stopping what is stopped changes nothing but, with other words, is told by 409.
    """
    svc = services(request)
    with svc.database.transaction() as uow:
        before = _stop(uow, scope)
        if before is not None and before.words == body.words:
            return Switched(scope=scope, on=True, actions=0)
        if not body.undeployed:
            _check_scope(library_of(request).current(uow), scope)
        held = switch_stop(uow, who.actor, scope, body.words)
        uow.after_commit(svc.wake)
    return Switched(scope=scope, on=True, actions=held)


@router.delete("/stops/{scope}")
def lift(request: Request, who: Switching, scope: ScopeText) -> Switched:
    """Let automation go on; 404 when it was not stopped."""
    svc = services(request)
    with svc.database.transaction() as uow:
        if _stop(uow, scope) is None:
            raise NotFoundError(f"{scope[:64]} is not stopped.", scope=scope[:64])
        released = lift_stop(uow, who.actor, scope)
        uow.after_commit(svc.wake)
    return Switched(scope=scope, on=False, actions=released)


@router.get("/checkpoints")
def list_checkpoints(request: Request, _: Looking) -> CheckpointList:
    """What is deployed: policies with their versions, segments and answer schemas."""
    with services(request).database.reading() as reader:
        bundle = current_or_none(request, reader)
        if bundle is None:
            return CheckpointList(bundle=None, items=[])
        signed = {(one.checkpoint, one.policy_version): one for one in signatures_of(reader)}
    items = [
        CheckpointShown(
            checkpoint=name, description=one.description, version=one.version,
            segments=[*(SegmentShown.model_validate(part) for part in one.segments),
                      SegmentShown(name=one.segment_names[-1], description="Everything else.")],
            answer_schema=dict(one.answer.schema), role=one.review.role, deterministic=one.deterministic,
            never_stopped=one.never_stopped, signature=_shown_signature(signed.get((name, one.version))),
            lottery_rate=one.lottery_rate, rules=[rule.id for rule in one.rules],
        )
        for name, one in sorted(bundle.policies.items())
    ]  # fmt: skip
    return CheckpointList(bundle=bundle.digest, items=items)


@router.get("/playbooks")
def list_playbooks(request: Request, _: Looking) -> PlaybookList:
    """What is deployed, and where its open cases stand."""
    with services(request).database.reading() as reader:
        bundle = current_or_none(request, reader)
        if bundle is None:
            return PlaybookList(bundle=None, items=[])
        items = [
            PlaybookShown(
                playbook=name, description=one.playbook.description, subject=one.playbook.subject,
                start=one.playbook.start, stages=list(one.playbook.stages),
                open=[
                    StageCount(stage=row.stage, state=row.state, count=row._mapping["count"])  # noqa: SLF001 - rows have a method of that name
                    for row in counts_by_stage(reader, name)
                ],
            )
            for name, one in sorted(bundle.playbooks.items())
        ]  # fmt: skip
    return PlaybookList(bundle=bundle.digest, items=items)


def current_or_none(request: Request, reader: Reader) -> Bundle | None:
    """What is deployed; None before the first deploy."""
    try:
        return library_of(request).current(reader)
    except InputError:
        return None


def _known(known: Any, name: str, kind: str) -> Any:
    if name not in known:
        message = f"There is no {kind} {name!r}. {did_you_mean(name, known) or 'None is deployed.'}"
        raise InputError(message, code=f"no_{kind}", field=kind)
    return known[name]


def _check_scope(bundle: Bundle, scope: str) -> None:
    """A misspelt name would stop nothing and look as if it did."""
    kind, _, name = scope.partition(":")
    if kind in {"playbook", "checkpoint"} and name:
        _known(bundle.playbooks if kind == "playbook" else bundle.policies, name, kind)


def _shown_signature(one: Signature | None) -> SignatureShown | None:
    return None if one is None else SignatureShown.model_validate(one)


def _grant(uow: UnitOfWork, grant_id: str, checkpoint: str | None) -> Any:
    return next(row for row in grants_of(uow, checkpoint, withdrawn=True) if row.id == grant_id)


def _stop(reader: Reader, scope: str) -> StopShown | None:
    return next((StopShown.model_validate(row) for row in stops(reader) if row.scope == scope), None)
