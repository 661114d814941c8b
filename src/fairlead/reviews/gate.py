"""The gate: a program's proposal is ruled on, and decided or opened as a review, in one transaction.

Playbooks reach the same checkpoints by themselves; both make their reviews with `draft_review`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fairlead.checkpoints import (
    Ask,
    Asked,
    CheckpointPolicy,
    Path,
    Proposal,
    Ruled,
    current_approval,
    drop_request,
    find_asked,
    insert_request,
    insert_ruled,
    issue_approval,
    lock_asked,
    read_request,
    read_state,
    rule_asks,
)
from fairlead.customers import CustomerFacts, facts_of, holder_of
from fairlead.errors import ConflictError, ForbiddenError, InputError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Principal
from fairlead.reviews.drafting import draft_review, title_from, wants_review
from fairlead.reviews.gate_model import KEY_LIFE, GateRequest, GateTerms, PolicySource, Standing, asked_from
from fairlead.reviews.service import open_many
from fairlead.reviews.store import review_that_decides

MAX_KEY_CHARS = 200
MAX_VALUE_MINOR = 2**53
RETRY_AFTER_S = 5
_TRIES = 3


class Gate:
    """Decides what programs ask; safe to share between threads."""

    def __init__(self, terms: GateTerms, policies: PolicySource) -> None:
        """`policies` is asked within the same transaction."""
        self.terms = terms
        self._policies = policies

    def decide(self, uow: UnitOfWork, asker: Principal, request: GateRequest) -> Standing:
        """Rule on the proposal, or answer with what came of it when this key was used for it before.

        ForbiddenError for a checkpoint, value or flag beyond the asker's limits; NotFoundError for an unknown
        checkpoint or customer id; InputError for an answer off its schema; ConflictError when the key was
        used for
        another body within 30 days. Nothing is stored then.
        """
        _check_checkpoint(asker, request.checkpoint)
        earlier = self._earlier(uow, asker, request)
        if earlier is not None:
            return self.standing_of(uow, earlier)
        policy = self._policies(uow, request.checkpoint)
        policy.answer.check(request.answer)
        ask = self._ask(uow, asker, request)
        state = read_state(uow, policy, None, uow.now)
        ruled = rule_asks(state, [ask], self.terms.seed, minor_digits=self.terms.minor_digits)[0]
        for _ in range(_TRIES):
            if insert_request(uow, _request_row(uow, asker, request, ruled.id)):
                return self._store(uow, asker, request, ruled, policy)
            earlier = self._earlier(uow, asker, request)  # somebody asked the same at the same moment
            if earlier is not None:
                return self.standing_of(uow, earlier)
        raise ConflictError("This idempotency key is being used by many at once.", key=request.key)

    def standing(self, uow: UnitOfWork, asker: Principal, one: Asked) -> Standing:
        """How it stands now; an approval due for the one who asked is issued by this."""
        mine = one.asker == asker.id
        return self.standing_of(uow, one) if mine else Standing(one, uow.now, review_that_decides(uow, one.id))

    def standing_of(self, uow: UnitOfWork, one: Asked) -> Standing:
        """`standing` for the asker."""
        if one.token_hash is None and one.to_execute(uow.now) is not None:
            one = lock_asked(uow, one)
        approval = issue_approval(uow, one, SYSTEM, self.terms.secret, self.terms.approval_life)
        return Standing(one, uow.now, review_that_decides(uow, one.id), approval)

    def look(self, reader: Reader, asker: Principal, one: Asked, now: datetime) -> Standing | None:
        """As `standing`, without writing; None when an approval is due that only a transaction can issue."""
        mine = one.asker == asker.id
        if mine and one.token_hash is None and one.to_execute(now) is not None:
            return None
        approval = current_approval(one, self.terms.secret, now) if mine else None
        return Standing(one, now, review_that_decides(reader, one.id), approval)

    def _earlier(self, uow: UnitOfWork, asker: Principal, request: GateRequest) -> Asked | None:
        row = read_request(uow, asker.id, request.checkpoint, request.key)
        if row is None:
            return None
        expired = uow.now - KEY_LIFE
        if row.at < expired:
            drop_request(uow, asker.id, request.checkpoint, request.key, expired)
            return None
        if row.body_digest != request.digest:
            message = "This idempotency key was used for another request; use a new one for a new proposal."
            raise ConflictError(message, code="key_reused", key=request.key, decision=row.ruling_id)
        return find_asked(uow, row.ruling_id)

    def _ask(self, uow: UnitOfWork, asker: Principal, request: GateRequest) -> Ask:
        customer_id = request.customer_id or (holder_of(uow, request.identity) if request.identity else None)
        known = facts_of(uow, [customer_id], uow.now).get(customer_id) if customer_id else None
        if request.customer_id and known is None:
            raise InputError("There is no customer with this id.", code="no_customer", customer=request.customer_id)
        value, source = self._value(asker, request, known)
        refused = sorted(set(request.flags) - asker.flags)
        if refused:
            message = f"This key may not say of a customer that it is {', '.join(refused)}."
            raise ForbiddenError(message, code="flag", flags=refused)
        facts: dict[str, Any] = dict(known) if known else {}
        facts["flags"] = dict.fromkeys(request.flags, True) | facts.get("flags", {})
        proposal = Proposal(request.checkpoint, request.answer, request.producer, request.score, value, request.signals)
        told = {
            "by": asker.id,
            "value_from": source,
            "customer_known": known is not None,
            "flags": request.flags,
        }
        # The epoch makes the key unique after it was freed, and keeps the draws the same until then.
        epoch = int(uow.now.timestamp() // KEY_LIFE.total_seconds())
        decision_key = f"{asker.id}/{epoch}/{request.key}"
        subject = {**request.signals, "asked": told}
        return Ask(decision_key, proposal, subject, facts, None, customer_id if known else None)

    def _value(self, asker: Principal, request: GateRequest, known: CustomerFacts | None) -> tuple[int | None, str]:
        """The larger of what the record says and what the caller states within its limit; and whose it is."""
        stated, limit = None, asker.max_value_minor
        foreign = request.currency not in {None, self.terms.currency}
        if request.value is not None and foreign and limit is not None:
            own = self.terms.currency
            message = f"This key states values in {own} only; no rate for {request.currency} is known."
            raise InputError(message, code="currency", currency=request.currency)
        if request.value is not None and not foreign:
            stated = _minor(request.value, self.terms.minor_digits)
            if limit is not None and stated > limit:
                shown = Decimal(limit).scaleb(-self.terms.minor_digits)
                message = f"This key may state values up to {shown} {self.terms.currency}."
                raise ForbiddenError(message, code="value_limit", value=str(request.value), limit=str(shown))
        recorded = known["value_minor"] if known else None
        if recorded is not None and (stated is None or recorded >= stated):
            return recorded, "record"
        if stated is not None:
            return stated, "caller"
        return None, f"no rate for {request.currency}" if request.value is not None else "nobody"

    def _store(
        self, uow: UnitOfWork, asker: Principal, request: GateRequest, ruled: Ruled, policy: CheckpointPolicy
    ) -> Standing:
        insert_ruled(uow, [ruled])
        ruling, ask = ruled.ruling, ruled.ask
        review_id, opened = None, None
        if wants_review(ruling):
            title = " ".join(request.title.split()) or title_from(policy, ask.subject, request.key)
            opened = open_many(uow, [draft_review(ruled, policy.review, title)])[0]
            review_id = None if ruling.path is Path.AUTO else opened
        payload = {
            "checkpoint": ruling.checkpoint, "path": ruling.path.value, "segment": ruling.segment,
            "rules": ruling.rules, "needs_information": ruling.needs_information,
            "policy": ruling.policy_version,
            "proposal": ruling.proposal_digest, "answer": ask.proposal.answer, "producer": ruling.producer,
            "score": ruling.score, "value_minor": ask.proposal.value_minor, "key": request.key,
            "review": opened, "label": ruling.label_way.value,
        }  # fmt: skip
        uow.record(AuditEntry("ruling.made", ruled.id, payload, ask.customer_id, asker.actor))
        one = asked_from(ruled)
        if ruling.path is not Path.AUTO:
            return Standing(one, uow.now, review_id)
        machine = Actor(ActorKind.MACHINE, ruling.producer)
        approval = issue_approval(uow, one, machine, self.terms.secret, self.terms.approval_life)
        return Standing(one, uow.now, None, approval)


def _check_checkpoint(asker: Principal, checkpoint: str) -> None:
    if not asker.may_ask(checkpoint):
        # Names only what the key may ask anyway, whether or not the checkpoint exists.
        hint = did_you_mean(checkpoint, asker.checkpoints)
        message = f"Decisions of the checkpoint {checkpoint[:64]!r} are not open to you. {hint or ''}".strip()
        raise ForbiddenError(message, checkpoint=checkpoint[:64])


def _request_row(uow: UnitOfWork, asker: Principal, request: GateRequest, ruling_id: str) -> dict[str, Any]:
    return {
        "api_key_id": asker.id,
        "checkpoint": request.checkpoint,
        "key": request.key,
        "body_digest": request.digest,
        "ruling_id": ruling_id,
        "at": uow.now,
    }


def _minor(value: Decimal, digits: int) -> int:
    if not value.is_finite() or not 0 <= value <= Decimal(MAX_VALUE_MINOR).scaleb(-digits):
        raise InputError("A value is a number from 0 up to 2^53 minor units.", code="value", value=str(value)[:40])
    return int(value.scaleb(digits).quantize(Decimal(1), ROUND_HALF_UP))
