"""The gate: a program's proposal is ruled on, and decided or opened as a review, in one transaction.

Playbooks reach the same checkpoints by themselves; both make their reviews with `draft_review`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import select

from fairlead.actions import ActionDraft, queue_many
from fairlead.checkpoints import (
    Approval,
    Ask,
    Asked,
    CheckpointPolicy,
    Path,
    Proposal,
    ReviewTerms,
    Ruled,
    Ruling,
    current_approval,
    drop_request,
    explain,
    find_asked,
    find_many_asked,
    insert_request,
    insert_ruled,
    issue_approval,
    lock_asked,
    read_request,
    read_state,
    recall,
    rule_asks,
)
from fairlead.customers import CustomerFacts, Identity, facts_of, holder_of
from fairlead.errors import ConflictError, ForbiddenError, InputError
from fairlead.kit import jsons
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.clock import iso, to_micros
from fairlead.kit.money import currency_exponent
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Principal, webhook_of
from fairlead.reviews.model import MAX_TITLE_CHARS, Kind, ReviewDraft
from fairlead.reviews.service import open_many
from fairlead.reviews.store import DECIDES
from fairlead.reviews.tables import review as review_table

KEY_LIFE = timedelta(days=30)
MAX_KEY_CHARS = 200
WEBHOOK = "webhook"
MAX_VALUE_MINOR = 2**53
RETRY_AFTER_S = 5
MAX_TITLE_PART = 60
_TRIES = 3
_ON_EXPIRY = {"keep": "wait", "expire": "reject"}
"""What the policies' words are called by the reviews; the third is escalate."""

PolicySource = Callable[[Reader, str], CheckpointPolicy]
"""The deployed policy of a checkpoint; NotFoundError, with what was probably meant, when there is none."""


@dataclass(frozen=True, slots=True)
class GateTerms:
    """What is the same for every request: `seed` keys the draws, `secret` the approval tokens.

    `currency` is the workspace's, ISO 4217.
    """

    seed: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    approval_life: timedelta = timedelta(minutes=15)
    currency: str = "EUR"

    @property
    def minor_digits(self) -> int:
        """Decimal places of the currency's minor unit."""
        return currency_exponent(self.currency)


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What a program asks.

    `value` is in whole units, `currency` None means the workspace's. The customer is given by `customer_id`
    or by
    an `identity` that was normalised, or not at all. `flags` are what the caller says of the customer.
    """

    checkpoint: str
    key: str
    answer: Mapping[str, Any]
    producer: str
    score: float | None = None
    value: Decimal | None = None
    currency: str | None = None
    customer_id: str | None = None
    identity: Identity | None = None
    flags: tuple[str, ...] = ()
    signals: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""

    @property
    def digest(self) -> str:
        """Of everything but the key: the same key with another digest is a conflict."""
        body = [
            self.checkpoint, self.answer, self.producer, self.score,
            None if self.value is None else str(self.value), self.currency, self.customer_id, self.identity,
            sorted(self.flags), self.signals, self.title,
        ]  # fmt: skip
        return jsons.digest(body)


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision as it stands at `now`; `approval` only while there is something to execute, for the asker
    alone.
    """

    asked: Asked
    now: datetime
    review_id: str | None = None
    approval: Approval | None = None

    @property
    def state(self) -> str:
        """waiting, decided or blocked."""
        return self.asked.state(self.now)


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
        return self.standing_of(uow, one) if mine else Standing(one, uow.now, _review_of(uow, one.id))

    def standing_of(self, uow: UnitOfWork, one: Asked) -> Standing:
        """`standing` for the asker."""
        if one.token_hash is None and one.to_execute(uow.now) is not None:
            one = lock_asked(uow, one)
        approval = issue_approval(uow, one, SYSTEM, self.terms.secret, self.terms.approval_life)
        return Standing(one, uow.now, _review_of(uow, one.id), approval)

    def look(self, reader: Reader, asker: Principal, one: Asked, now: datetime) -> Standing | None:
        """As `standing`, without writing; None when an approval is due that only a transaction can issue."""
        mine = one.asker == asker.id
        if mine and one.token_hash is None and one.to_execute(now) is not None:
            return None
        approval = current_approval(one, self.terms.secret, now) if mine else None
        return Standing(one, now, _review_of(reader, one.id), approval)

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


def asked_from(ruled: Ruled) -> Asked:
    """What `find_asked` would read back of a ruling just stored."""
    ruling, ask = ruled.ruling, ruled.ask
    one = Asked(
        ruled.id, ruling.checkpoint, ask.decision_key, ask.customer_id, ruling.path.value,
        {"answer": ask.proposal.answer, "signals": ask.proposal.signals}, ruling.as_dict(), ruled.at,
    )  # fmt: skip
    if ruling.path is Path.AUTO:
        by = str(Actor(ActorKind.MACHINE, ruling.producer))
        answer = ask.proposal.answer
        return replace(one, verdict="auto", answer=answer, decided_by=by, reason="", effective_at=ruled.at)
    if ruling.path is Path.BLOCKED:
        why = ", ".join(ruling.rules)
        return replace(one, verdict="blocked", decided_by="system:policy", reason=why, effective_at=ruled.at)
    return one


def wants_review(ruling: Ruling) -> bool:
    """Whether a person has something to do: decide, or answer what was drawn after the machine decided."""
    return ruling.path in {Path.ASSIST, Path.HUMAN} or (ruling.path is Path.AUTO and ruling.lottery.drawn)


def title_from(policy: CheckpointPolicy, subject: Mapping[str, Any], key: str) -> str:
    """`Refunds: country de, order A-17` from the facts that the policy reads of the subject; else the caller's key.

    What the machine says (its answer and signals) is left out: a title is seen by who must answer without it.
    """
    fields = dict.fromkeys(fact.field for fact in policy.facts if fact.source == "subject")
    pairs = [f"{name.replace('_', ' ')} {_words(subject[name])}" for name in fields if subject.get(name) is not None]
    name = policy.checkpoint.replace("-", " ").replace("_", " ")
    return f"{name[:1].upper()}{name[1:]}: {', '.join(pairs) or key}"[:MAX_TITLE_CHARS]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join((value if isinstance(value, str) else jsons.dumps(value)).split())[:MAX_TITLE_PART]


def draft_review(item: Ruled, terms: ReviewTerms, title: str, *, playbook: str | None = None) -> ReviewDraft:
    """The review that a ruling asks for; `playbook` None when a program asked from outside.

    To an automatic ruling that was drawn belongs a label: one person of the policy's role answers, with no end.
    """
    ruling, ask = item.ruling, item.ask
    drawn_auto = ruling.path is Path.AUTO
    return ReviewDraft(
        ruling_id=item.id,
        checkpoint=ruling.checkpoint,
        path=Path.HUMAN.value if drawn_auto else ruling.path.value,
        title=title[:300],
        segment=ruling.segment,
        needs=ruling.trace.needs or ((terms.role, 1),),
        proposal_digest=ruling.proposal_digest,
        facts_digest=hashlib.sha256(jsons.dumps(ask.subject).encode()).hexdigest(),
        kind=Kind.LABEL if drawn_auto else Kind.DECISION,
        blind=ruling.path is Path.ASSIST and ruling.lottery.drawn,
        # A required fact is missing, or the subject names facts that were given and cannot be used.
        needs_information=bool(ruling.needs_information or ask.subject.get("unusable")),
        priority=max(0, min(100, round(ruling.priority))),
        on_expiry="wait" if drawn_auto else _ON_EXPIRY.get(terms.on_expiry) or f"escalate:{terms.escalate_to}",
        playbook=playbook,
        case_id=ask.case_id,
        customer_id=ask.customer_id,
        value_minor=ask.proposal.value_minor,
        due_at=item.at + terms.due,
    )


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


def _review_of(reader: Reader, ruling_id: str) -> str | None:
    r = review_table.c
    query = select(r.id).where(r.ruling_id == ruling_id, DECIDES).order_by(r.id.desc()).limit(1)
    return reader.execute(query).scalar()
