"""The ledger of consents over HTTP: said, read, exported, asked for, told to other systems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, status
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fairlead import customers
from fairlead.api.customers import CustomerShown, Editing, Reading, check_size, shown_customer
from fairlead.api.errors import ERROR_RESPONSES
from fairlead.api.http import require, services
from fairlead.api.shapes import Before, Limit, Moment, PathId, Sent, Shown, Text
from fairlead.api.timeline import cursor_of, mark_of
from fairlead.customers import ConsentRecord, ConsentRow, ConsentState, Preference
from fairlead.errors import FaultError, NotFoundError
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.kit.exports import csv_chunks
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Permission, Principal

router = APIRouter(prefix="/v1", tags=["consents"], responses=ERROR_RESPONSES)
Publishing = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_DEPLOY))]
Source = Annotated[str, Field(max_length=200)]
GpcHeader = Annotated[
    str | None, Header(alias="Sec-GPC", max_length=10, description="`1`: the customer's browser asked for privacy.")
]
EXPORT_COLUMNS = (
    "id", "record", "purpose", "channel", "state", "mechanism", "said_at", "recorded_at", "expires_at", "source",
    "actor", "notice", "notice_version", "notice_language", "notice_outdated", "proof",
)  # fmt: skip


class ConsentBody(Sent):
    """What the customer allowed or withdrew, and how that can be shown."""

    purpose: Text
    channel: Text
    state: Literal["given", "withdrawn"]
    mechanism: Text = Field(description="How it was said: web_form, double_opt_in, reply_stop, …")
    source: Source = ""
    proof: dict[str, Any] = Field(default_factory=dict, description="At most 16 KiB; erased with the customer.")
    notice: Annotated[str, Field(max_length=64)] | None = Field(None, description="Id of the wording that was shown.")
    expires_at: Moment | None = Field(None, description="Until when it counts; without it, until it is withdrawn.")
    said_at: Moment | None = Field(None, description="When it was said; without it, now. Never overrules newer words.")


class QuestionBody(Sent):
    """A consent that counts only once the customer has pressed a link."""

    purpose: Text
    channel: Text
    mechanism: Text = "double_opt_in"
    source: Source = ""
    proof: dict[str, Any] = Field(default_factory=dict, description="At most 16 KiB; erased with the customer.")
    notice: Annotated[str, Field(max_length=64)] | None = None
    expires_at: Moment | None = None


class Question(Shown):
    """The link to be sent to the customer's own address; good for 7 days."""

    link: str


class WithdrawalBody(Sent):
    """That the customer wants nothing promotional any more, on any channel."""

    mechanism: Text
    source: Source = ""
    proof: dict[str, Any] = Field(default_factory=dict, description="At most 16 KiB; erased with the customer.")


class SignalBody(Sent):
    """Where a browser sent `Sec-GPC: 1`."""

    where: Text = Field(description="The page or form on which it was seen; kept as proof.")


class ZonesBody(Sent):
    """Where the customer may be."""

    zones: Annotated[list[Text], Field(max_length=60)] = Field(description="As in the tz database: Europe/Berlin.")
    evidence: Literal["stated", "staff", "address", "phone", "country", "web"]
    source: Source = ""


class PreferenceBody(Sent):
    """How often and when the customer wants to hear from us; `*` for every purpose or channel."""

    purpose: Text = "*"
    channel: Text = "*"
    per_week: Annotated[int, Field(ge=1, le=1_000)] | None = None
    paused_until: Moment | None = None
    source: Source = ""


class NoticeBody(Sent):
    """The wording of a question, exactly as it is shown."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    language: Annotated[str, Field(min_length=2, max_length=35)] = "en"
    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class NoticeShown(Shown):
    """A version of a notice."""

    id: str
    name: str
    version: int
    language: str
    digest: str = Field(description="SHA-256 of the text, hex.")


class NoticeText(NoticeShown):
    """A version of a notice with its text."""

    text: str
    at: datetime


class Notices(Shown):
    """Every version, newest first within name and language."""

    items: list[NoticeText]


class StandingShown(Shown):
    """What counts now for a purpose and a channel."""

    purpose: str
    channel: str
    state: str = Field(description="given, withdrawn, pending or expired")
    at: datetime
    expires_at: datetime | None
    mechanism: str
    source: str
    notice: NoticeShown | None
    outdated: bool = Field(description="True: the notice has had another text since.")
    consent_id: str


class ConsentLine(Shown):
    """One line of the ledger; `record_id` is the record it is about, before any merge."""

    id: str
    record_id: str
    purpose: str
    channel: str
    state: str
    mechanism: str
    source: str
    actor: str
    proof: dict[str, Any]
    notice: NoticeShown | None
    outdated: bool
    expires_at: datetime | None
    at: datetime = Field(description="When it was said.")
    recorded_at: datetime


class Ledger(Shown):
    """What counts now, and the lines behind it by when they were written down, newest first."""

    standing: list[StandingShown]
    items: list[ConsentLine]
    next: str | None


class PreferenceShown(Shown):
    """A wish that counts now."""

    purpose: str
    channel: str
    per_week: int | None
    paused_until: datetime | None
    source: str
    at: datetime | None


class Preferences(Shown):
    """Every wish of the customer that counts now."""

    items: list[PreferenceShown]


class DeliveryShown(Shown):
    """What became of telling one system about one consent; `why` is the reason of skipped and failed."""

    id: str
    consent_id: str
    customer_id: str
    downstream: str
    purpose: str
    channel: str
    said: str
    state: str = Field(description="pending, sent, skipped or failed")
    why: str
    attempt: int
    at: datetime
    due_at: datetime | None


class Deliveries(Shown):
    """Newest first, with how many there are by downstream and state."""

    items: list[DeliveryShown]
    counts: dict[str, dict[str, int]]
    next: str | None


@router.get("/customers/{customer_id}/consents")
def show_consents(
    request: Request, _: Reading, customer_id: PathId,
    before: Annotated[str | None, Query(max_length=200, description="The `next` of the page before.")] = None,
    limit: Limit = 50,
) -> Ledger:  # fmt: skip
    """What the customer allows now and everything they ever said, with the notice that was shown."""
    svc = services(request)
    mark = None if before is None else mark_of(before)
    with svc.database.reading() as reader:
        survivor = customers.profile(reader, customer_id, svc.clock.now()).id
        standings = customers.consents_of(reader, [survivor], svc.clock.now())[survivor]
        rows = customers.consent_history(reader, survivor, limit + 1, before=mark)
    standing = [StandingShown.model_validate(_of(one, purpose=key[0], channel=key[1])) for key, one in
                sorted(standings.items())]  # fmt: skip
    items = [ConsentLine.model_validate(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Ledger(standing=standing, items=items, next=cursor_of(items[-1].recorded_at, items[-1].id) if more else None)


@router.get("/customers/{customer_id}/consents/export")
def export_consents(
    request: Request, _: Reading, customer_id: PathId,
    form: Annotated[Literal["csv", "json"], Query(alias="format")] = "csv",
) -> Response:  # fmt: skip
    """The customer's whole ledger with every proof, as a file."""
    svc = services(request)
    with svc.database.reading() as reader:
        survivor = customers.profile(reader, customer_id, svc.clock.now()).id
        rows = [exported(row) for row in customers.whole_history(reader, survivor)]
    headers = {"Content-Disposition": f'attachment; filename="consents-{survivor}.{form}"'}
    if form == "json":
        body = jsons.dumps({"customer": survivor, "consents": rows})
        return Response(body, media_type="application/json", headers=headers)
    cells = ([jsons.dumps(row[name]) if name == "proof" else row[name] for name in EXPORT_COLUMNS] for row in rows)
    return StreamingResponse(csv_chunks(EXPORT_COLUMNS, cells), media_type="text/csv; charset=utf-8", headers=headers)


def exported(row: ConsentRow) -> dict[str, Any]:
    """A line of the ledger under the names of EXPORT_COLUMNS."""
    return {
        "id": row.id, "record": row.record_id, "purpose": row.purpose, "channel": row.channel, "state": row.state,
        "mechanism": row.mechanism, "said_at": iso(row.at), "recorded_at": iso(row.recorded_at),
        "expires_at": iso(row.expires_at) if row.expires_at else None, "source": row.source, "actor": row.actor,
        "notice": row.notice.name if row.notice else None, "notice_version": row.notice.version if row.notice else None,
        "notice_language": row.notice.language if row.notice else None, "notice_outdated": row.outdated,
        "proof": row.proof,
    }  # fmt: skip


@router.post("/customers/{customer_id}/consents")
def record_consent(
    request: Request, who: Editing, customer_id: PathId, body: ConsentBody, gpc: GpcHeader = None
) -> CustomerShown:
    """Append what the customer said last about a purpose and a channel; the customer's own `Sec-GPC: 1`, too."""
    check_size("proof", body.proof)
    source = body.source or str(who.actor)
    said = ConsentRecord(
        body.purpose, body.channel, ConsentState(body.state), body.mechanism, source, body.proof, body.notice,
        body.expires_at, body.said_at,
    )  # fmt: skip
    svc = services(request)
    with svc.database.transaction() as uow:
        customers.record_consent(uow, who.actor, customer_id, said)
        if customers.asks_privacy(gpc):
            customers.record_privacy_signal(uow, who.actor, customer_id, source=source, where="API")
        uow.after_commit(svc.wake)
        return shown_customer(uow, who, customer_id, uow.now)


@router.post("/customers/{customer_id}/consents/question", status_code=status.HTTP_201_CREATED)
def ask_consent(request: Request, who: Editing, customer_id: PathId, body: QuestionBody) -> Question:
    """Ask for a consent that only a link, sent to the customer, can give; nothing is allowed before."""
    check_size("proof", body.proof)
    asked = ConsentRecord(
        body.purpose, body.channel, ConsentState.PENDING, body.mechanism, body.source or str(who.actor), body.proof,
        body.notice, body.expires_at,
    )  # fmt: skip
    svc = services(request)
    secret = svc.settings.secret_key
    if secret is None:
        raise FaultError("links need the secret key; see settings.provide_secrets")
    with svc.database.transaction() as uow:
        token = customers.ask_consent(uow, who.actor, customer_id, asked, secret.get_secret_value().encode())
    return Question(link=f"{svc.settings.public_url}/c/{token}")


@router.post("/customers/{customer_id}/withdrawal")
def withdraw_all(request: Request, who: Editing, customer_id: PathId, body: WithdrawalBody) -> CustomerShown:
    """Withdraw every consent at once and suppress promotions to each of the customer's addresses."""
    check_size("proof", body.proof)
    svc = services(request)
    with svc.database.transaction() as uow:
        customers.withdraw_all(
            uow, who.actor, customer_id, source=body.source or str(who.actor), mechanism=body.mechanism,
            proof=body.proof,
        )  # fmt: skip
        uow.after_commit(svc.wake)
        return shown_customer(uow, who, customer_id, uow.now)


@router.post("/customers/{customer_id}/privacy-signal")
def privacy_signal(request: Request, who: Editing, customer_id: PathId, body: SignalBody) -> CustomerShown:
    """Write down that the customer's browser sent `Sec-GPC: 1`: nothing of theirs is sold or shared."""
    svc = services(request)
    with svc.database.transaction() as uow:
        customers.record_privacy_signal(uow, who.actor, customer_id, source=str(who.actor), where=body.where)
        uow.after_commit(svc.wake)
        return shown_customer(uow, who, customer_id, uow.now)


@router.post("/customers/{customer_id}/zones")
def learn_zone(request: Request, who: Editing, customer_id: PathId, body: ZonesBody) -> CustomerShown:
    """Write down where the customer may be, and how that is known; no zones take this evidence back."""
    with services(request).database.transaction() as uow:
        source = body.source or str(who.actor)
        customers.learn_zone(uow, who.actor, customer_id, body.zones, body.evidence, source)
        return shown_customer(uow, who, customer_id, uow.now)


@router.get("/customers/{customer_id}/preferences")
def show_preferences(request: Request, _: Reading, customer_id: PathId) -> Preferences:
    """How often and when the customer wants to hear from us."""
    svc = services(request)
    with svc.database.reading() as reader:
        survivor = customers.profile(reader, customer_id, svc.clock.now()).id
        return _preferences(reader, survivor, svc.clock.now())


@router.post("/customers/{customer_id}/preferences")
def set_preference(request: Request, who: Editing, customer_id: PathId, body: PreferenceBody) -> Preferences:
    """Write a wish down; the newest about a purpose and a channel counts."""
    wish = Preference(
        body.purpose, body.channel, body.per_week, body.paused_until, body.source or str(who.actor)
    )  # fmt: skip
    with services(request).database.transaction() as uow:
        customers.set_preference(uow, who.actor, customer_id, wish)
        return _preferences(uow, customer_id, uow.now)


@router.get("/notices")
def list_notices(request: Request, _: Reading) -> Notices:
    """Every wording that was ever shown beside a question, in each of its versions."""
    with services(request).database.reading() as reader:
        return Notices(items=[NoticeText.model_validate(row) for row in customers.notices(reader)])


@router.post("/notices", status_code=status.HTTP_201_CREATED)
def publish_notice(request: Request, who: Publishing, body: NoticeBody) -> NoticeShown:
    """Make this the newest version; the standing one comes back where it says just that."""
    with services(request).database.transaction() as uow:
        found = customers.publish_notice(uow, who.actor, body.name, body.language, body.text)
    return NoticeShown.model_validate(found)


@router.get("/consent-deliveries")
def list_deliveries(
    request: Request,
    _: Reading,
    downstream: Annotated[str | None, Query(max_length=100)] = None,
    state: Literal["pending", "sent", "skipped", "failed"] | None = None,
    customer: Annotated[str | None, Query(max_length=64)] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Deliveries:
    """Which system was told of which consent, and which was not and why."""
    with services(request).database.reading() as reader:
        rows = customers.deliveries(
            reader, downstream=downstream, state=state, customer_id=customer, before=before, limit=limit + 1
        )  # fmt: skip
        counts = customers.delivery_counts(reader)
    items = [DeliveryShown.model_validate(row) for row in rows[:limit]]
    return Deliveries(items=items, counts=counts, next=items[-1].id if len(rows) > limit else None)


@router.post("/consent-deliveries/{delivery_id}/retry")
def retry_delivery(request: Request, who: Editing, delivery_id: PathId) -> DeliveryShown:
    """Tell a system again that could not be told; 409 for a delivery that has not failed."""
    svc = services(request)
    with svc.database.transaction() as uow:
        customers.retry_delivery(uow, who.actor, delivery_id)
        uow.after_commit(svc.wake)
        found = customers.delivery_of(uow, delivery_id)
    if found is None:
        raise NotFoundError("There is no such delivery.", delivery=delivery_id)
    return DeliveryShown.model_validate(found)


def _preferences(reader: Reader, customer_id: str, now: datetime) -> Preferences:
    wishes = customers.preferences_of(reader, [customer_id], now)[customer_id]
    return Preferences(items=[PreferenceShown.model_validate(one) for _, one in sorted(wishes.items())])


def _of(one: Any, **more: Any) -> dict[str, Any]:
    names = StandingShown.model_fields.keys() - more.keys()
    return {name: getattr(one, name) for name in names} | more
