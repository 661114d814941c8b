"""Writing to the ledger of consents: giving, withdrawing, asking and confirming."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fairlead.customers import consent_store, lineage, propagating, store
from fairlead.customers.addresses import CHANNELS_OF
from fairlead.customers.consents import ALL, Standing, covers, standing_for
from fairlead.customers.ledger import consents_of
from fairlead.customers.living import living
from fairlead.customers.model import ConsentRecord, ConsentState, check_text
from fairlead.customers.noticing import notice_of
from fairlead.customers.suppressing import PROMOTIONAL, suppress
from fairlead.errors import ConflictError, InputError
from fairlead.kit import jsons
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.events import Event, publish
from fairlead.kit.links import UNTIL, make_link, read_link
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork

CONFIRM_WITHIN = timedelta(days=7)
"""How long the link of a double opt-in can be pressed."""
MAX_PROOF = 16_384
OPTED_IN, OPTED_OUT = "opted_in", "opted_out"
_SAID = {ConsentState.GIVEN: OPTED_IN, ConsentState.WITHDRAWN: OPTED_OUT}


def record_consent(uow: UnitOfWork, actor: Actor, customer_id: str, consent: ConsentRecord) -> str:
    """Append what the customer allowed or withdrew; the id of the row.

    The newest word on a purpose and channel counts. What changes by it is told to every downstream, and to
    waiting cases by the event `opted_in` or `opted_out`. InputError for a consent to `*`, for one that has ended
    already, for a moment in the future and for a proof over 16 KiB; NotFoundError for an unknown notice.
    """
    if consent.state is ConsentState.PENDING:
        raise InputError("A question is asked with ask_consent, which makes the link.", field="state")
    check_consent(uow, consent)
    row = living(uow, customer_id)
    return append(uow, actor, row.id, consent)


def check_consent(uow: UnitOfWork, consent: ConsentRecord) -> None:
    """InputError or NotFoundError for what `record_consent` refuses, without writing anything."""
    for name in ("purpose", "channel", "mechanism", "source"):
        check_text(name, getattr(consent, name), needed=True)
    if consent.state is not ConsentState.WITHDRAWN and ALL in {consent.purpose, consent.channel}:
        raise InputError("Only a withdrawal can be about every purpose or channel.", field="purpose")
    if consent.at is not None and consent.at > uow.now:
        raise InputError("A consent cannot have been said in the future.", field="at")
    if consent.expires_at is not None and consent.expires_at <= (consent.at or uow.now):
        raise InputError("The consent would have ended before it was given.", field="expires_at")
    if len(jsons.dumps(consent.proof).encode()) > MAX_PROOF:
        message = f"the proof takes more than {MAX_PROOF} bytes as JSON"
        raise InputError(message, field="proof", limit=MAX_PROOF)
    if consent.notice is not None:
        notice_of(uow, consent.notice)


def append(uow: UnitOfWork, actor: Actor, customer_id: str, consent: ConsentRecord) -> str:
    """Write a checked row about a survivor whose row is locked, and tell whoever must know if it counts."""
    values: dict[str, Any] = {
        "purpose": consent.purpose, "channel": consent.channel, "state": consent.state.value,
        "mechanism": consent.mechanism, "proof": consent.proof, "source": consent.source, "actor": str(actor),
        "notice_id": consent.notice, "expires_at": consent.expires_at, "at": consent.at or uow.now,
    }  # fmt: skip
    row_id = consent_store.insert_consent(uow, customer_id, values)
    payload = {name: value for name, value in values.items() if name not in {"actor", "at"}} | {"consent": row_id}
    payload["expires_at"] = consent.expires_at.isoformat() if consent.expires_at else None
    payload["said_at"] = consent.at.isoformat() if consent.at else None
    uow.record(AuditEntry("customer.consent_recorded", customer_id, payload, customer_id=customer_id, actor=actor))
    if consent.state in _SAID and (consent.at is None or _counts(uow, customer_id, row_id, consent)):
        _tell(uow, customer_id, row_id, consent)
    return row_id


def _counts(uow: UnitOfWork, customer_id: str, row_id: str, consent: ConsentRecord) -> bool:
    """Whether a word that was dated back is still the last one."""
    standing = consents_of(uow, [customer_id], uow.now)[customer_id].get((consent.purpose, consent.channel))
    return standing is not None and standing.consent_id == row_id


def _tell(uow: UnitOfWork, customer_id: str, row_id: str, consent: ConsentRecord) -> None:
    kind = _SAID[consent.state]
    payload = {"purpose": consent.purpose, "channel": consent.channel, "consent": row_id}
    for one in lineage.families_of(uow, [customer_id])[customer_id]:
        publish(uow, Event(kind, one, payload, id=f"{kind}/{row_id}/{one}"))
    propagating.queue(uow, customer_id, row_id, (consent.purpose, consent.channel))


def ask_consent(uow: UnitOfWork, actor: Actor, customer_id: str, consent: ConsentRecord, secret: bytes) -> str:
    """Write down that somebody asked for a consent; the token of the link that confirms it, good for 7 days.

    `consent.state` does not matter: nothing is allowed until the link is pressed, and what stands given stays so.
    Send the token to the very address that the consent is about; whoever presses it proves to have it.
    """
    asked = ConsentRecord(
        consent.purpose, consent.channel, ConsentState.PENDING, consent.mechanism, consent.source, consent.proof,
        consent.notice, consent.expires_at,
    )  # fmt: skip
    check_consent(uow, asked)
    row = living(uow, customer_id)
    row_id = append(uow, actor, row.id, asked)
    ends = int((uow.now + CONFIRM_WITHIN).timestamp())
    return make_link(secret, "consent", {"consent": row_id, UNTIL: str(ends)})


def confirm_consent(uow: UnitOfWork, secret: bytes, token: str) -> Standing:
    """Turn the question behind a link into a consent; pressing it twice changes nothing.

    InputError `link` for a token that is not ours or too old; ConflictError `withdrawn_since` when the customer
    has withdrawn after the question was asked: an old mail must not bring a consent back.
    """
    parts = read_link(secret, "consent", token, now=uow.now)
    asked = consent_store.row_of(uow, parts.get("consent", ""))
    if asked is None or asked.state != ConsentState.PENDING:
        raise InputError("This link is not valid, or its time is over.", code="link")
    row = living(uow, asked.customer_id)
    key = (asked.purpose, asked.channel)
    said = consent_store.said_of(uow, lineage.families_of(uow, [row.id])[row.id])
    since = [one for one in said if (one.at, one.id) > (asked.at, asked.id) and covers((one.purpose, one.channel), key)]
    if any(one.state == ConsentState.WITHDRAWN for one in since):
        raise ConflictError(
            "This consent was withdrawn after the mail with this link was sent. Ask for it again to give it.",
            code="withdrawn_since",
        )
    if not any(one.state == ConsentState.GIVEN and one.source == f"link {asked.id}" for one in since):
        proof = {"asked": asked.id, "asked_at": asked.at.isoformat(), "asked_by": asked.actor, **asked.proof}
        given = ConsentRecord(
            asked.purpose, asked.channel, ConsentState.GIVEN, "double_opt_in", f"link {asked.id}", proof,
            asked.notice_id, asked.expires_at,
        )  # fmt: skip
        if given.expires_at is None or given.expires_at > uow.now:
            append(uow, Actor(ActorKind.CUSTOMER, row.id), row.id, given)
    standing = standing_for(consents_of(uow, [row.id], uow.now)[row.id], *key)
    assert standing is not None  # noqa: S101  the question itself is a word about it
    return standing


def withdraw_all(
    uow: UnitOfWork, actor: Actor, customer_id: str, *, source: str, mechanism: str, proof: dict[str, Any] | None = None
) -> str:
    """Withdraw every consent of the customer and suppress promotions to each address; the id of the row.

    Waiting cases see one event `opted_out` with purpose and channel `*`. Messages about orders and requests of
    theirs may still go.
    """
    everything = ConsentRecord(ALL, ALL, ConsentState.WITHDRAWN, mechanism, source, proof or {})
    row_id = record_consent(uow, actor, customer_id, everything)
    family = lineage.families_of(uow, [customer_id])[customer_id]
    for identity in store.identities_of(uow, family):
        for channel in CHANNELS_OF.get(identity.kind, ()):
            suppress(
                uow, actor, channel, identity.value, reason="asked not to be written to", source=source,
                scope=PROMOTIONAL,
            )  # fmt: skip
    return row_id
