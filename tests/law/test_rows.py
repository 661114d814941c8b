"""One test per row of the table in docs/law.md: each fails if that promise is taken away."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from fairlead import customers
from fairlead.actions import Delivery, ReceiptState
from fairlead.connectors.mail_setup import mail_setup
from fairlead.connectors.webhook import WebhookConnector
from fairlead.customers import (
    ConsentRecord,
    ConsentState,
    CustomerDraft,
    consent_history,
    learn_zone,
    publish_notice,
    record_consent,
    resolve_many,
    withdraw_all,
)
from fairlead.customers.jobs import PAUSES_S
from fairlead.errors import InputError
from fairlead.guardrails import contact_log
from fairlead.kit.actors import SYSTEM
from fairlead.kit.links import make_link
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.people import Webhook, create_api_key, set_webhook_url, webhook_of
from fairlead.understanding import Scope, read_keyword, read_opt_out
from fairlead.worker.equipment import outlets_of
from tests.connectors.dkim_reader import signed_names, verify
from tests.guardrails.desk import USER
from tests.law.world import FORM

if TYPE_CHECKING:
    from fairlead.testing.clock import FakeClock
    from tests.guardrails.desk import Desk
    from tests.law.world import Office

ONE_CLICK = "List-Unsubscribe=One-Click"
SECRET = b"whsec-bytes-of-24-or-more-here!!"
HOURS = """\
purposes:
  sales: {class: promotional, mechanism: opt_out}
  offers: {class: promotional, mechanism: opt_in}
quiet_hours:
  - {name: us, from: "21:00", to: "08:00", countries: [US], channels: [sms, phone], always: true}
  - {name: florida, from: "20:00", to: "08:00", flags: [florida], channels: [sms, phone], always: true}
"""


def moment(text: str) -> datetime:
    """In UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def person(desk: Desk, phone: str, **more: str) -> str:
    """Somebody with a mail address and a phone."""
    draft = CustomerDraft("Anna", identities=(("email", "anna@example.test"), ("phone", phone)), source="test", **more)
    with desk.database.transaction() as uow:
        made = resolve_many(uow, [draft])[0].id
        uow.record(AuditEntry("customer.created", made, customer_id=made))
    return made


def test_rfc_2369_and_rfc_8058(office: Office) -> None:
    """RFC 2369, RFC 8058: two ways out in the signed part; a GET changes nothing, one POST without a login does."""
    assert office.send("1") == "sent"
    letter, raw = office.box.last(), office.box.letters[-1].content
    path, mailto = office.one_click()
    assert letter["list-unsubscribe-post"] == ONE_CLICK
    assert mailto.startswith("mailto:sales@example.com?subject=unsubscribe%20")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(signed_names(raw))
    assert verify(raw, office.records)
    assert office.customer not in path, "the token is opaque"

    client = office.client()
    assert client.get(path).status_code == client.head(path).status_code == 200
    assert office.standing() is None
    assert client.post(path, content="List-Unsubscribe=Maybe", headers=FORM).status_code == 400
    assert office.standing() is None
    for _ in range(2):
        answer = client.post(path, content=ONE_CLICK, headers=FORM)
        assert (answer.status_code, answer.headers.get("set-cookie"), answer.is_redirect) == (200, None, False)
    found = office.standing()
    assert found is not None
    assert (found.state, found.mechanism) == ("withdrawn", "one_click")
    assert office.standing("newsletter") is None, "the list that the token names, and no other"
    with office.runtime.database.reading() as reader:
        assert len(consent_history(reader, office.customer)) == 1


def test_gmail_and_yahoo_bulk_senders(office: Office) -> None:
    """Gmail and Yahoo: one-click beside a link that is seen, honoured at once, mail aligned with its signature."""
    office.send("1")
    letter = office.box.last()
    path, _ = office.one_click()
    for kind in ("plain", "html"):
        body = letter.get_body((kind,))
        assert body is not None
        assert path in body.get_content()
    assert f"d={letter['from'].addresses[0].domain};" in letter["dkim-signature"].replace(" ", "")
    settings = office.runtime.settings.model_copy(update={"smtp_dkim_domain": "another.example"})
    with pytest.raises(InputError, match="says nothing about mail from"):
        mail_setup(settings, b"s")
    office.client().post(path, content=ONE_CLICK, headers=FORM)
    assert office.send("2") == "refused", "not within 48 hours: before the answer"


def test_can_spam(office: Office, clock: FakeClock) -> None:
    """CAN-SPAM: the link works long after 30 days, asks for nothing, offers to stop all, and counts at once."""
    office.send("1")
    path, _ = office.one_click()
    clock.advance(timedelta(days=400))
    client = office.client()
    page = client.get(path)
    assert page.status_code == 200
    assert "password" not in page.text
    assert office.would().code != "withdrawn"
    menu = "/p/" + make_link(b"s" * 40, "preferences", {"customer": office.customer})
    assert 'value="stop"' in client.get(menu).text
    assert client.post(menu, data={"do": "stop"}).status_code in {200, 303}
    found = office.standing("anything", "sms")
    assert found is not None
    assert found.state == "withdrawn"
    assert office.would().code == "suppressed"
    assert office.would("service").verdict == "allowed", "what is about a request is not advertising"


def test_tcpa_hours(desk: Desk) -> None:
    """TCPA, 47 CFR 64.1200: solicitations from 8:00 to 21:00 where the called party is, whoever consented."""
    desk.deploy(HOURS)
    anna = person(desk, "+13105550123", country="US")
    with desk.database.transaction() as uow:
        learn_zone(uow, USER, anna, ["America/Los_Angeles"], "stated", "form")
        for channel in ("sms", "phone"):
            record_consent(uow, USER, anna, ConsentRecord("offers", channel, ConsentState.GIVEN, "web_form", "test"))
    for channel in ("sms", "phone"):
        late = desk.would(anna, "offers", moment("2026-11-03T05:00"), channel=channel, automatic=False)
        assert (late.verdict, late.code) == ("held", "quiet_hours")
        assert late.allowed_at == moment("2026-11-03T16:00"), "eight in California, not where the sender is"
        fine = desk.would(anna, "offers", moment("2026-11-03T04:59"), channel=channel, automatic=False)
        assert fine.verdict == "allowed"


def test_hours_of_a_state(desk: Desk) -> None:
    """State windows: stricter hours of a state hold for the customers that carry its flag."""
    desk.deploy(HOURS)
    anna = person(desk, "+13055550123", country="US")
    with desk.database.transaction() as uow:
        learn_zone(uow, USER, anna, ["America/New_York"], "stated", "form")
    evening = moment("2026-11-03T01:30")  # 20:30 in Miami
    assert desk.would(anna, "sales", evening, channel="phone").verdict == "allowed"
    desk.flag(anna, "florida")
    held = desk.would(anna, "sales", evening, channel="phone")
    assert (held.code, held.allowed_at) == ("quiet_hours", moment("2026-11-03T13:00"))


def test_fcc_revocation(desk: Desk) -> None:
    """FCC revocation: any reasonable wording on any channel, at once, for all of it, and nothing is sent to confirm."""
    desk.deploy(HOURS)
    for words in ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"):
        wish = read_opt_out(words, "sms")
        assert wish is not None, words
        assert (wish.certain, wish.scope) == (True, Scope.ALL), words
    for channel in ("sms", "email"):
        wish = read_opt_out("Look, please take me off your list and do not contact me again.", channel)
        assert wish is not None
        assert wish.certain
    assert read_opt_out("Please cancel my order 1201 and refund me.", "sms") is None
    anna = person(desk, "+13055550123")
    noon = moment("2026-11-03T18:00")
    assert desk.would(anna, "sales", noon, channel="phone").verdict == "allowed"
    with desk.database.transaction() as uow:
        withdraw_all(uow, USER, anna, source="told a driver at the door", mechanism="spoken")
    for channel in ("email", "phone", "sms"):
        assert desk.would(anna, "sales", noon, channel=channel).code in {"withdrawn", "suppressed"}
    with desk.database.reading() as reader:
        assert contact_log(reader, customer_id=anna) == []


def test_sms_keywords() -> None:
    """SMS keywords: the eight that stop, those that start and help, and a stop word with others around it."""
    stops = ("STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL")
    assert {read_keyword(word) for word in stops} == {"stop"}
    assert {read_keyword(word) for word in ("START", "UNSTOP", "YES")} == {"start"}
    assert {read_keyword(word) for word in ("HELP", "INFO")} == {"help"}
    assert read_keyword("STOP PLEASE") is None
    wish = read_opt_out("STOP PLEASE", "sms")
    assert wish is not None
    assert wish.certain
    assert read_opt_out("The bus stops at the end of my street", "sms") is None


def test_gdpr_withdrawal_and_proof(desk: Desk, clock: FakeClock) -> None:
    """GDPR Art. 7: the proof has notice, time, source and actor; withdrawing asks for less than giving, at once."""
    desk.deploy(HOURS)
    anna = desk.customer("anna@example.test")
    noon = clock.now() + timedelta(hours=3)
    with desk.database.transaction() as uow:
        notice = publish_notice(uow, USER, "offers", "en", "Yes, send me offers.")
        given = ConsentRecord("offers", "email", ConsentState.GIVEN, "web_form", "form/7", {"form": "7"}, notice.id)
        record_consent(uow, USER, anna, given)
        publish_notice(uow, USER, "offers", "en", "Yes, send me offers and surveys.")
    assert desk.would(anna, "offers", noon).verdict == "allowed"
    with desk.database.reading() as reader:
        line = consent_history(reader, anna)[0]
    assert line.notice is not None
    shown = hashlib.sha256(b"Yes, send me offers.").hexdigest()
    assert (line.notice.version, line.notice.digest) == (1, shown), "what was shown, not what is now"
    assert (line.source, line.actor, line.at, line.proof) == ("form/7", str(USER), clock.now(), {"form": "7"})
    clock.advance(timedelta(seconds=1))
    desk.consent(anna, "withdrawn", "offers")  # by nothing but the wish
    assert desk.would(anna, "offers", noon).code == "withdrawn"


def test_gdpr_objection(desk: Desk, clock: FakeClock) -> None:
    """GDPR Art. 21: an objection to advertising ends it on every channel, also where no consent was needed."""
    desk.deploy(HOURS + "holdout: {share: 0}\n")
    anna = person(desk, "+493023125000")
    noon = clock.now() + timedelta(hours=3)
    assert desk.would(anna, "sales", noon).verdict == "allowed"
    desk.opt_out(anna)
    assert {desk.would(anna, "sales", noon, channel=one).verdict for one in ("email", "phone", "post")} == {"refused"}
    desk.consent(anna, "given", "offers")
    assert desk.would(anna, "sales", noon).verdict == "refused", "a later yes to one thing brings back nothing else"


def test_global_privacy_control(office: Office) -> None:
    """GPC: `Sec-GPC: 1` withdraws sharing, with the header as proof; any other value, or its absence, does not."""
    path = "/p/" + make_link(b"s" * 40, "preferences", {"customer": office.customer})
    client = office.client()
    form = {"do": "save", "pause": "", "was.sales:email": "on", "on.sales:email": "yes"}
    for value in ("0", "yes", ""):
        client.post(path, data=form, headers={"Sec-GPC": value})
    assert office.standing("sharing", "*") is None
    assert client.post(path, data=form, headers={"Sec-GPC": "1"}).status_code in {200, 303}
    found = office.standing("sharing", "*")
    assert found is not None
    assert (found.state, found.mechanism) == ("withdrawn", "gpc")
    with office.runtime.database.reading() as reader:
        assert customers.consent_history(reader, office.customer)[0].proof["header"] == "Sec-GPC: 1"


def test_standard_webhooks(office: Office) -> None:
    """Standard Webhooks 1.0: id kept over retries, time, HMAC, 2xx alone, 410 disables, no private addresses."""
    seen: list[httpx2.Request] = []
    answers = [500, 302, 204, 410]

    def receive(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(answers[len(seen) - 1], content=iter([b"so"]))

    database, gone = office.runtime.database, list[tuple[str, str]]()
    secret, url = "whsec_" + base64.b64encode(SECRET).decode(), "http://127.0.0.1:9/hook"
    connector = WebhookConnector(
        lambda _key: Webhook(url, secret), database.clock.now, private_hosts=True,
        gone=lambda *one: gone.append(one), transport=httpx2.MockTransport(receive),
    )  # fmt: skip
    states = [connector.deliver(Delivery("evt_1", "t", {"key": "k", "message": {"a": 1}}, None)).state for _ in answers]
    assert states == [ReceiptState.FAILED, ReceiptState.REFUSED, ReceiptState.SENT, ReceiptState.REFUSED]
    assert {one.headers["webhook-id"] for one in seen} == {"evt_1"}
    sent = seen[0]
    signed = f"evt_1.{sent.headers['webhook-timestamp']}.".encode() + sent.content
    mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert sent.headers["webhook-signature"] == f"v1,{mac}"
    assert abs(int(sent.headers["webhook-timestamp"]) - database.clock.now().timestamp()) < 1
    assert gone == [("k", url)]
    assert PAUSES_S == (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    inside = WebhookConnector(lambda _key: Webhook("https://127.0.0.1/", secret), database.clock.now)
    assert inside.deliver(Delivery("evt_2", "t", {"key": "k"}, None)).state is ReceiptState.REFUSED
    assert len(seen) == len(answers)


def test_a_410_takes_the_address_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard Webhooks 1.0, 410: the installation's own connector forgets that address and keeps a newer one."""
    database = office.runtime.database
    settings = office.runtime.settings.model_copy(update={"webhook_private_hosts": True})
    with database.transaction() as uow:
        key = create_api_key(
            uow, SYSTEM, name="crm", scopes=["decisions:ask"], checkpoints=["*"], max_value_minor=None, flags=[]
        ).key
    _, outlets = outlets_of(settings, database, {})
    connector = outlets["webhook"]
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        if request.url.path == "/moving":
            with database.transaction() as uow:
                set_webhook_url(uow, SYSTEM, key.id, "http://127.0.0.1/new", private_hosts=True)
        return httpx2.Response(410, content=iter([b"gone"]))

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    monkeypatch.setattr(connector, "_client", client)
    for path, left in (("moving", "http://127.0.0.1/new"), ("new", None)):
        if path == "moving":
            with database.transaction() as uow:
                set_webhook_url(uow, SYSTEM, key.id, "http://127.0.0.1/moving", private_hosts=True)
        assert connector.deliver(Delivery(path, "t", {"key": key.id}, None)).state is ReceiptState.REFUSED
        with database.reading() as reader:
            found = webhook_of(reader, key.id)
        assert (found.url if found else None) == left
    assert asked == ["/moving", "/new"]


def test_cloud_events() -> None:
    """CloudEvents 1.0: id, source, type and version on every event; two attempts are known for one by the first two."""
    seen: list[httpx2.Request] = []
    connector = WebhookConnector(
        lambda _key: Webhook("http://127.0.0.1:9/", "whsec_" + base64.b64encode(SECRET).decode()),
        lambda: moment("2026-11-03T12:00"), private_hosts=True, source="https://desk.example",
        transport=httpx2.MockTransport(lambda request: (seen.append(request), httpx2.Response(204))[1]),
    )  # fmt: skip
    for identity in ("a b/c%", "a b/c%", "another"):
        connector.deliver(Delivery(identity, "consent.changed", {"key": "k", "message": {"n": 1}}, None))
    first = seen[0].headers
    assert (first["ce-specversion"], first["ce-type"]) == ("1.0", "fairlead.consent.changed")
    assert first["content-type"] == "application/json"
    assert first["ce-id"] == "a%20b/c%25", "as the HTTP binding writes blanks and per cents"
    known = [(one.headers["ce-source"], one.headers["ce-id"]) for one in seen]
    assert known[0] == known[1] != known[2]
    assert {source for source, _ in known} == {"https://desk.example"}
