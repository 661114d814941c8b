"""Approvals: leave to do once, soon, exactly what was decided; and what was done with them.

A token is HMAC(secret, ruling, digest), so the same caller can be shown it again although only its hash is
stored.
The digest covers the checkpoint, the answer as decided and the customer: another answer needs another
decision.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fairlead.checkpoints import store
from fairlead.checkpoints.asked import BEGUN, WAITING, Asked
from fairlead.checkpoints.signatures import is_never_stopped
from fairlead.errors import ConflictError, FairleadError, ForbiddenError, GoneError, InputError
from fairlead.kit import jsons
from fairlead.kit.actors import Actor
from fairlead.kit.clock import iso
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_RESULT_BYTES = 16_384
_PURPOSE = b"fairlead approval v1\0"


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave to execute the answer with this digest, once, before `expires_at`."""

    token: str = field(repr=False)
    digest: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Execution:
    """What a caller says of an execution: which token and content, and how it went.

    `ok` None means that it is about to begin; `result` is any JSON of at most 16 KiB. Either `digest` or
    `answer`.
    """

    token: str = field(repr=False)
    digest: str | None = None
    answer: Mapping[str, Any] | None = None
    ok: bool | None = None
    result: Any = None


def digest_to_execute(checkpoint: str, answer: Mapping[str, Any], customer_id: str | None) -> str:
    """SHA-256 of what may be executed: canonical JSON of the three, customer null where none is known."""
    return jsons.digest({"answer": answer, "checkpoint": checkpoint, "customer": customer_id})


def token_of(secret: bytes, ruling_id: str, digest: str) -> str:
    """The token of this ruling and content, `fla_` and 43 characters."""
    mac = hmac.digest(secret, _PURPOSE + ruling_id.encode() + b"\0" + digest.encode(), hashlib.sha256)
    return "fla_" + base64.urlsafe_b64encode(mac).decode().rstrip("=")


def issue(uow: UnitOfWork, one: Asked, actor: Actor, secret: bytes, life: timedelta) -> Approval | None:
    """The approval of an effective decision: issued now if it never was, None once used or expired.

    None, too, where there is nothing to execute. The life begins with the first time that it is issued.
    """
    answer = one.to_execute(uow.now)
    if answer is None:
        return None
    if one.token_hash is not None:
        return current(one, secret, uow.now)
    digest = digest_to_execute(one.checkpoint, answer, one.customer_id)
    token = token_of(secret, one.id, digest)
    expires_at = uow.now + life
    stored = store.insert_approval(
        uow,
        {
            "ruling_id": one.id,
            "token_hash": _hash(token),
            "digest": digest,
            "issued_at": uow.now,
            "expires_at": expires_at,
            "consumed_at": None,
            "execution": None,
        },
    )
    if not stored:
        raise ConflictError("The approval is being issued to somebody else.", decision=one.id)
    payload = {"digest": digest, "expires_at": iso(expires_at)}
    uow.record(AuditEntry("approval.issued", one.id, payload, one.customer_id, actor))
    return Approval(token, digest, expires_at)


def current(one: Asked, secret: bytes, now: datetime) -> Approval | None:
    """The approval that was issued, as long as it can be used."""
    if one.digest is None or one.expires_at is None or one.consumed_at is not None or one.expires_at <= now:
        return None
    return Approval(token_of(secret, one.id, one.digest), one.digest, one.expires_at)


def stands(one: Asked, now: datetime) -> str:
    """none, open, expired, begun, executed or failed: what became of the leave to execute."""
    if one.token_hash is None:
        return "none"
    if one.consumed_at is not None:
        return str((one.execution or BEGUN)["state"])
    return "open" if one.expires_at is not None and one.expires_at > now else "expired"


def execute(uow: UnitOfWork, one: Asked, actor: Actor, said: Execution) -> FairleadError | None:
    """Use an approval up (of a decision from `lock_asked`): begin (`ok` None), report what was begun, or both
    at once.

    Returns the refusal instead of raising it, because an execution that nothing allowed is stored as well,
    and the
    caller must commit first: ForbiddenError for another token or content, ConflictError when it was used, is
    not
    decided or the checkpoint was stopped, GoneError when it expired. InputError is raised: nothing is stored
    then.
    """
    _check(said)
    refusal = _refusal(one, said, uow.now)
    if refusal is None:
        refusal = _use(uow, one, actor, said)
    if refusal is not None and said.ok is not None and not _repeated(one, said):
        _note_unasked(uow, one, actor, said, refusal)
    return refusal


def _check(said: Execution) -> None:
    if (said.digest is None) == (said.answer is None):
        raise InputError("Say what was executed: either its digest or the answer itself.", code="what_executed")
    if len(jsons.dumps(said.result).encode()) > MAX_RESULT_BYTES:
        message = f"A result may take at most {MAX_RESULT_BYTES} bytes as JSON."
        raise InputError(message, code="result_too_large", limit=MAX_RESULT_BYTES)


def _refusal(one: Asked, said: Execution, now: datetime) -> FairleadError | None:
    if one.token_hash is None or one.digest is None:
        if one.state(now) == WAITING:
            return ConflictError("This is not decided, so nothing may be executed.", code="not_decided")
        return ForbiddenError("No approval was issued for this decision.", code="no_approval", decision=one.id)
    if not hmac.compare_digest(_hash(said.token), one.token_hash):
        return ForbiddenError("This is not the approval of this decision.", code="other_approval", decision=one.id)
    if _digest_of(one, said) != one.digest:
        message = "The approval is for another content; execute exactly what was decided, or ask again."
        return ForbiddenError(message, code="other_content", approved=one.digest)
    return None


def _use(uow: UnitOfWork, one: Asked, actor: Actor, said: Execution) -> FairleadError | None:
    execution = BEGUN if said.ok is None else {"state": _word(said.ok), "result": said.result}
    if one.consumed_at is not None:
        reports_begun = said.ok is not None and one.execution == BEGUN
        if not (reports_begun and store.complete_execution(uow, one.id, BEGUN, execution)):
            return ConflictError("This approval was used already.", code="approval_used", used_at=one.consumed_at)
    elif said.ok is None and one.verdict == "auto" and (stop := _stopped(uow, one)):
        return ConflictError("Automatic decisions are stopped now; ask again.", code="stopped", scope=stop)
    elif one.expires_at is None or one.expires_at <= uow.now:
        return GoneError("This approval has expired; ask again.", code="approval_expired", expired_at=one.expires_at)
    elif not store.consume_approval(uow, one.id, _hash(said.token), execution):
        raise ConflictError("This approval is being used by somebody else.", decision=one.id)
    payload = {"digest": one.digest, "execution": execution}
    verb = "approval.begun" if said.ok is None else f"execution.{_word(said.ok)}"
    uow.record(AuditEntry(verb, one.id, payload, one.customer_id, actor))
    return None


def _stopped(reader: Reader, one: Asked) -> str | None:
    scopes = {"workspace", f"checkpoint:{one.checkpoint}"}
    found = next((row.scope for row in store.stops(reader) if row.scope in scopes), None)
    if found is None or is_never_stopped(reader, one.checkpoint, one.record["policy_version"]):
        return None
    return str(found)


def _repeated(one: Asked, said: Execution) -> bool:
    """Whether this is the report that is stored already, sent a second time because its answer was lost."""
    known = one.execution == {"state": _word(bool(said.ok)), "result": said.result}
    same = one.token_hash is not None and hmac.compare_digest(_hash(said.token), one.token_hash)
    return known and same and _digest_of(one, said) == one.digest


def _note_unasked(uow: UnitOfWork, one: Asked, actor: Actor, said: Execution, refusal: FairleadError) -> None:
    body = {
        "digest": said.digest,
        "answer": said.answer,
        "ok": said.ok,
        "result": said.result,
        "decided": one.digest,
    }
    store.insert_unasked(
        uow,
        {
            "id": new_id("una"),
            "checkpoint": one.checkpoint,
            "api_key_id": actor.id,
            "ruling_id": one.id,
            "why": refusal.reason,
            "body": body,
            "at": uow.now,
        },
    )
    payload = {"why": refusal.reason, **body}
    uow.record(AuditEntry("execution.unasked", one.id, payload, one.customer_id, actor))


def _digest_of(one: Asked, said: Execution) -> str | None:
    if said.answer is None:
        return said.digest
    return digest_to_execute(one.checkpoint, said.answer, one.customer_id)


def _word(ok: bool) -> str:  # noqa: FBT001  the two words of one flag
    return "executed" if ok else "failed"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
