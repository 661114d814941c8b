"""Executions: an approval is used up once, and what was done without one is kept."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.checkpoints import approval_store, grant_store
from fairlead.checkpoints.approvals import digest_to_execute, hash_of
from fairlead.checkpoints.asked import BEGUN, WAITING, Asked
from fairlead.checkpoints.signatures import is_never_stopped
from fairlead.errors import ConflictError, FairleadError, ForbiddenError, GoneError, InputError
from fairlead.kit import jsons
from fairlead.kit.actors import Actor
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_RESULT_BYTES = 16_384


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
    if not hmac.compare_digest(hash_of(said.token), one.token_hash):
        return ForbiddenError("This is not the approval of this decision.", code="other_approval", decision=one.id)
    if _digest_of(one, said) != one.digest:
        message = "The approval is for another content; execute exactly what was decided, or ask again."
        return ForbiddenError(message, code="other_content", approved=one.digest)
    return None


def _use(uow: UnitOfWork, one: Asked, actor: Actor, said: Execution) -> FairleadError | None:
    execution = BEGUN if said.ok is None else {"state": _word(said.ok), "result": said.result}
    if one.consumed_at is not None:
        reports_begun = said.ok is not None and one.execution == BEGUN
        if not (reports_begun and approval_store.complete_execution(uow, one.id, BEGUN, execution)):
            return ConflictError("This approval was used already.", code="approval_used", used_at=one.consumed_at)
    elif said.ok is None and one.verdict == "auto" and (stop := _stopped(uow, one)):
        return ConflictError("Automatic decisions are stopped now; ask again.", code="stopped", scope=stop)
    elif one.expires_at is None or one.expires_at <= uow.now:
        return GoneError("This approval has expired; ask again.", code="approval_expired", expired_at=one.expires_at)
    elif not approval_store.consume_approval(uow, one.id, hash_of(said.token), execution):
        raise ConflictError("This approval is being used by somebody else.", decision=one.id)
    payload = {"digest": one.digest, "execution": execution}
    verb = "approval.begun" if said.ok is None else f"execution.{_word(said.ok)}"
    uow.record(AuditEntry(verb, one.id, payload, one.customer_id, actor))
    return None


def _stopped(reader: Reader, one: Asked) -> str | None:
    scopes = {"workspace", f"checkpoint:{one.checkpoint}"}
    found = next((row.scope for row in grant_store.stops(reader) if row.scope in scopes), None)
    if found is None or is_never_stopped(reader, one.checkpoint, one.record["policy_version"]):
        return None
    return str(found)


def _repeated(one: Asked, said: Execution) -> bool:
    """Whether this is the report that is stored already, sent a second time because its answer was lost."""
    known = one.execution == {"state": _word(bool(said.ok)), "result": said.result}
    same = one.token_hash is not None and hmac.compare_digest(hash_of(said.token), one.token_hash)
    return known and same and _digest_of(one, said) == one.digest


def _note_unasked(uow: UnitOfWork, one: Asked, actor: Actor, said: Execution, refusal: FairleadError) -> None:
    body = {
        "digest": said.digest,
        "answer": said.answer,
        "ok": said.ok,
        "result": said.result,
        "decided": one.digest,
    }
    approval_store.insert_unasked(
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
