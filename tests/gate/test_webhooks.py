"""Webhooks: told once, signed, only where it is allowed, and only when nothing can be taken back any more."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from standardwebhooks import Webhook as Receiver

from fairlead.actions import Delivery, ReceiptState
from fairlead.actions.tables import action
from fairlead.connectors.webhook import WebhookConnector
from fairlead.errors import InputError, NotFoundError
from fairlead.kit import events
from fairlead.kit.actors import SYSTEM
from fairlead.people import Webhook, check_webhook_url, revoke_api_key, set_webhook_url, webhook_of
from fairlead.playbooks import BundleLibrary, StepRegistry
from fairlead.playbooks.delivering import deliver
from fairlead.reviews import Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gate.world import World

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
MESSAGE = {"type": "t", "data": {"a": 1}}
DELIVERY = Delivery("webhook/rul_1/1", "decision.settled", {"key": "key_1", "message": MESSAGE})


class Shop:
    """A receiver on loopback that answers as it is told and keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status, self.headers, self.body = 200, {}, b""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                shop.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(shop.status)
                for name, value in shop.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(shop.body)

            def log_message(self, *args: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Closed afterwards."""
    made = Shop()
    yield made
    made.server.shutdown()
    made.server.server_close()


def connector(url: str, **how: Any) -> WebhookConnector:
    """A connector whose one endpoint is this address."""
    how = {"private_hosts": True} | how
    return WebhookConnector(lambda _key: Webhook(url, SECRET), lambda: datetime.now(UTC), **how)


def settle(world: World) -> int:
    """What the worker does with due events."""
    with world.database.transaction() as uow:
        due = events.due(uow, uow.now, 100)
        deliver(uow, due, BundleLibrary(StepRegistry(), frozenset()))
        events.mark_handled(uow, due)
    return len(due)


def actions(world: World) -> list[Any]:
    """What is queued, in order."""
    with world.database.reading() as reader:
        return list(reader.execute(action.select().order_by(action.c.id)))


def test_a_persons_decision_is_told_once_it_cannot_be_taken_back(world: World) -> None:
    """Queued when it takes effect, one action per decision, audited, without the approval in it."""
    with world.database.transaction() as uow:
        set_webhook_url(uow, SYSTEM, world.key.key.id, "https://shop.example/hook")
    found = world.asked(score=0.1)
    world.decide(found, Verb.EDIT, answer={"amount": 5}, reason="half")
    assert settle(world) == 0
    world.clock.advance(timedelta(seconds=10))
    settle(world)
    settle(world)

    [queued] = actions(world)
    assert (queued.connector, queued.kind) == ("webhook", "decision.settled")
    data = queued.body["message"]["data"]
    assert (data["id"], data["verdict"], data["answer"]) == (found["id"], "edit", {"amount": 5})
    assert "fla_" not in json.dumps(queued.body)
    assert "webhook.queued" in world.audited(found["id"])


def test_without_an_address_or_a_live_key_nobody_is_told(world: World) -> None:
    """No address, or a key revoked meanwhile: no action."""
    found = world.asked(score=0.1)
    world.decide(found, Verb.APPROVE, undo_s=0)
    settle(world)
    other = world.make_key()
    with world.database.transaction() as uow:
        set_webhook_url(uow, SYSTEM, other.key.id, "https://shop.example/hook")
    second = world.ask(other, score=0.1, idempotency_key="b").json()
    with world.database.transaction() as uow:
        revoke_api_key(uow, SYSTEM, other.key.id)
    world.decide(second, Verb.APPROVE, undo_s=0)
    settle(world)

    assert actions(world) == []


def test_the_address_can_be_changed_and_taken_back(world: World) -> None:
    """Registered on the key, audited, None afterwards; a key that cannot ask has none."""
    reader_key = world.make_key(scopes=["reports:read"])
    with world.database.transaction() as uow:
        set_webhook_url(uow, SYSTEM, world.key.key.id, "https://a.example/x")
        first = webhook_of(uow, world.key.key.id)
        set_webhook_url(uow, SYSTEM, world.key.key.id, None)
        assert webhook_of(uow, world.key.key.id) is None
        with pytest.raises(NotFoundError):
            set_webhook_url(uow, SYSTEM, reader_key.key.id, "https://a.example/x")

    assert first == Webhook("https://a.example/x", str(world.key.webhook_secret))
    assert world.audited(world.key.key.id)[-2:] == ["api_key.webhook_set"] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook", "ftp://shop.example", "https://", "https://u:p@shop.example/",
        "https://a b/",
        "https://shop.example/#x", "https://127.0.0.1/", "https://localhost/", "https://10.0.0.8/",
        "https://[::1]/",
        "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/", "https://shop.example:x/",
        "x" * 3_000, "",
    ],
)  # fmt: skip
def test_addresses_that_lead_inside_or_in_the_clear_are_refused(url: str) -> None:
    """Only https, to the outside, unless the settings allow this machine."""
    with pytest.raises(InputError):
        check_webhook_url(url, private_hosts=False)


def test_the_receiver_can_verify_what_it_got(shop: Shop) -> None:
    """Signed after the specification, with an id that stays the same over retries."""
    connector(shop.url).deliver(DELIVERY)
    receipt = connector(shop.url).deliver(DELIVERY)
    (first, body), (second, _) = shop.got

    assert receipt.state is ReceiptState.SENT
    assert Receiver(SECRET).verify(body, first) == {"type": "t", "data": {"a": 1}}
    assert first["webhook-id"] == second["webhook-id"] == DELIVERY.idempotency_key
    with pytest.raises(Exception, match="signature"):
        Receiver(SECRET).verify(body + b" ", first)


@pytest.mark.parametrize(
    ("status", "state"),
    [(204, "sent"), (410, "refused"), (302, "refused"), (500, "failed"), (429, "failed"), (404, "failed")],
)
def test_what_the_receiver_answers_decides_about_another_try(shop: Shop, status: int, state: str) -> None:
    """2xx is sent, gone and redirects are final, the rest is tried again; no redirect is followed."""
    shop.status, shop.headers = status, {"location": shop.url}
    receipt = connector(shop.url).deliver(DELIVERY)

    assert receipt.state.value == state
    assert len(shop.got) == 1


def test_an_endless_answer_is_cut_off(shop: Shop) -> None:
    """Little of a long answer is read and kept."""
    shop.status, shop.body = 500, b"x" * 5_000_000
    receipt = connector(shop.url).deliver(DELIVERY)

    assert receipt.state is ReceiptState.FAILED
    assert len(receipt.detail) < 1_000


def test_nothing_is_sent_inside_when_it_is_not_allowed(shop: Shop) -> None:
    """An address that was allowed once, or a public name that leads to this machine, is refused unsent."""
    sent: list[httpx2.Request] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    for url in (shop.url, "https://localhost.localdomain/hook"):
        receipt = connector(url, private_hosts=False, transport=httpx2.MockTransport(note)).deliver(DELIVERY)
        assert receipt.state in {ReceiptState.REFUSED, ReceiptState.FAILED}

    assert sent == []
    assert shop.got == []


def test_a_receiver_that_is_down_is_tried_again() -> None:
    """Nobody listens: failed, not refused."""
    assert connector("http://127.0.0.1:9/").deliver(DELIVERY).state is ReceiptState.FAILED


def test_a_key_without_an_address_is_refused() -> None:
    """Whoever took the address back is not tried again."""
    gone = WebhookConnector(lambda _key: None, lambda: datetime.now(UTC))

    assert gone.deliver(DELIVERY).state is ReceiptState.REFUSED
