"""Signatures under policies over HTTP: by whose word a deterministic checkpoint needs no grant."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.requests import Request

from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import library_of, require, services
from fairlead.api.shapes import Reason, Sent, Shown, Text
from fairlead.checkpoints import sign_policy, signatures_of, withdraw_signatures
from fairlead.errors import ConflictError, NotFoundError
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Permission, Principal, permissions_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.checkpoints import CheckpointPolicy

router = APIRouter(prefix="/v1", tags=["autonomy"], responses=ERROR_RESPONSES)
Reading = Annotated[Principal, Depends(require(Permission.GRANTS_READ))]
Signing = Annotated[Principal, Depends(require(Permission.GRANTS_SIGN))]
Name = Annotated[str, Path(max_length=64, description="A checkpoint.", examples=["opt-out"])]


class SignatureShown(Shown):
    """A person's word for what one version of a policy declares of itself."""

    id: str
    checkpoint: str
    policy_version: str = Field(description="Another version of the policy needs a signature of its own.")
    covers: list[str] = Field(description="deterministic: it needs no grant; stop: stop switches do not reach it.")
    signed_by: str
    signed_role: str
    reason: str
    at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_because: str | None


class SignatureList(Shown):
    """Signatures by checkpoint, newest first; at most 1,000."""

    items: list[SignatureShown]


class SignBody(Sent):
    """A signature to be given."""

    reason: Annotated[Reason, Field(min_length=1)] = Field(description="On what grounds; kept in the audit record.")
    policy_version: Text | None = Field(None, description="Refused with 409 when another version is deployed by now.")


class UnsignBody(Sent):
    """Why a signature is taken back."""

    reason: Annotated[Reason, Field(min_length=1)]


@router.get("/signatures")
def list_signatures(
    request: Request,
    _: Reading,
    checkpoint: Annotated[str | None, Query(max_length=64)] = None,
    withdrawn: Annotated[bool, Query(description="Also those that were taken back.")] = False,  # noqa: FBT002 - a query parameter
) -> SignatureList:
    """Signatures in force, of one checkpoint or all; one of an earlier version counts for the cases that keep it."""
    with services(request).database.reading() as reader:
        found = signatures_of(reader, checkpoint, withdrawn=withdrawn)
    return SignatureList(items=[SignatureShown.model_validate(one) for one in found])


@router.post("/checkpoints/{checkpoint}/signature", status_code=201)
def sign_checkpoint(request: Request, who: Signing, checkpoint: Name, body: SignBody) -> SignatureShown:
    """Sign what the deployed policy declares (`deterministic`, `stop: never`), with your role.

    404 for a checkpoint that is not deployed, 409 for a version that is signed already or not deployed any more,
    422 `nothing_to_sign` for a policy that declares neither.
    """
    svc = services(request)
    with svc.database.transaction() as uow:
        policy = deployed_policy(library_of(request).current(uow).policies, checkpoint)
        check_version(policy, body.policy_version)
        made = sign_policy(uow, who.actor, signing_role(who), policy, body.reason)
        uow.after_commit(svc.wake)
    return SignatureShown.model_validate(made)


@router.delete("/checkpoints/{checkpoint}/signature")
def unsign_checkpoint(request: Request, who: Signing, checkpoint: Name, body: UnsignBody) -> SignatureList:
    """Take back every signature in force at the checkpoint, of whatever version; 404 when there is none.

    From now on grants govern it, and stop switches reach it.
    """
    svc = services(request)
    with svc.database.transaction() as uow:
        withdraw_signatures(uow, who.actor, checkpoint, body.reason)
        uow.after_commit(svc.wake)
        found = signatures_of(uow, checkpoint, withdrawn=True)
    ended = [one for one in found if one.withdrawn_at == uow.now]
    return SignatureList(items=[SignatureShown.model_validate(one) for one in ended])


def deployed_policy(policies: Mapping[str, CheckpointPolicy], checkpoint: str) -> CheckpointPolicy:
    """The policy of this name; NotFoundError, with what was probably meant, when it is not deployed."""
    policy = policies.get(checkpoint)
    if policy is None:
        hint = did_you_mean(checkpoint, policies) or "None is deployed."
        raise NotFoundError(f"There is no checkpoint {checkpoint[:64]!r}. {hint}", checkpoint=checkpoint[:64])
    return policy


def check_version(policy: CheckpointPolicy, version: str | None) -> None:
    """ConflictError when what somebody looked at is not what is deployed now; None was not looked at."""
    if version not in {None, policy.version}:
        message = "Another version of the policy is deployed; look again before you sign."
        raise ConflictError(message, code="policy_changed", version=policy.version)


def signing_role(who: Principal) -> str:
    """The first role of theirs that may sign."""
    return next(role for role in sorted(who.roles) if Permission.GRANTS_SIGN in permissions_of([role]))
