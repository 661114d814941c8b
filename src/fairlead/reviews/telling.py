"""Askers told by signed webhooks that a decision of theirs took effect."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.actions import ActionDraft, queue_many
from fairlead.checkpoints import (
    explain,
    find_many_asked,
    recall,
)
from fairlead.kit.clock import iso, to_micros
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.people import webhook_of

WEBHOOK = "webhook"


def tell_askers(uow: UnitOfWork, ruling_ids: Sequence[str]) -> int:
    """Queue a signed webhook for each of these decisions whose asker registered an address; how many.

    To be called when decisions take effect. The message holds no approval: that is fetched with the key.
    """
    drafts, entries = [], []
    for one in find_many_asked(uow, ruling_ids):
        hook = webhook_of(uow, one.asker or "")
        if hook is None or one.effective_at is None:
            continue
        key = f"webhook/{one.id}/{to_micros(one.effective_at)}"
        data = {
            "id": one.id, "checkpoint": one.checkpoint, "state": one.state(uow.now), "path": one.path,
            "verdict": one.verdict, "answer": one.to_execute(uow.now),
            "explanation": explain(recall(one.record)),
        }  # fmt: skip
        message = {"type": "decision.settled", "timestamp": iso(uow.now), "data": data}
        body = {"key": one.asker, "message": message}
        drafts.append(ActionDraft(key, WEBHOOK, "decision.settled", body, customer_id=one.customer_id, serial_key=""))
        entries.append(AuditEntry("webhook.queued", one.id, {"asker": one.asker, "key": key}, one.customer_id))
    queue_many(uow, drafts)
    uow.record_many(entries)
    return len(drafts)
