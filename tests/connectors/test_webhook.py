"""The webhook connector: whom it tells, where it refuses to send, and what it makes of an answer."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from standardwebhooks import Webhook as Signer

from fairlead.connectors import Delivery, ReceiptState
from fairlead.connectors.webhook import WebhookConnector
from fairlead.kit.clock import SystemClock
from fairlead.kit.jsons import loads
from fairlead.people import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example.com:8443/in?x=1"


class _Receiver:
    """Answers as told, and keeps what it was sent."""

    def __init__(self, answer: Callable[[], httpx2.Response]) -> None:
        self.requests: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self._answer()


def _answer(status: int, content: bytes = b"", **headers: str) -> httpx2.Response:
    """Still to be read, as one from the network is."""
    return httpx2.Response(status, headers=headers, content=iter([content]))


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What host names lead to; nothing leaves the machine."""
    known = {"hooks.example.com": "93.184.216.34"}

    def look_up(host: str, port: int, **_options: Any) -> list[Any]:
        if host not in known:
            message = "no such name"
            raise socket.gaierror(message)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def _deliver(receiver: _Receiver, url: str = URL, **options: Any) -> tuple[ReceiptState, str]:
    connector = WebhookConnector(
        lambda key: Webhook(url, SECRET) if key == "key_1" else None,
        SystemClock().now,
        transport=httpx2.MockTransport(receiver),
        **options,
    )
    receipt = connector.deliver(Delivery("act-1", "decision", {"key": "key_1", "message": {"n": "ü"}}, None))
    return receipt.state, str(receipt)


def test_a_delivery_is_signed_and_goes_to_the_checked_address() -> None:
    """The body is the message alone, its signature holds, and the name stays in the Host header."""
    receiver = _Receiver(lambda: httpx2.Response(204))

    state, _ = _deliver(receiver)

    (request,) = receiver.requests
    assert state is ReceiptState.SENT
    assert Signer(SECRET).verify(request.content, dict(request.headers))
    assert loads(request.content) == {"n": "ü"}
    assert request.headers["webhook-id"] == "act-1"
    assert (request.method, request.url.host, request.url.port) == ("POST", "93.184.216.34", 8443)
    assert request.headers["host"] == "hooks.example.com:8443"
    assert request.extensions["sni_hostname"] == "hooks.example.com"
    assert request.url.raw_path == b"/in?x=1"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, ReceiptState.SENT),
        (299, ReceiptState.SENT),
        (301, ReceiptState.REFUSED),
        (307, ReceiptState.REFUSED),
        (400, ReceiptState.FAILED),
        (404, ReceiptState.FAILED),
        (410, ReceiptState.REFUSED),
        (429, ReceiptState.FAILED),
        (500, ReceiptState.FAILED),
        (599, ReceiptState.FAILED),
    ],
)
def test_the_answer_decides(status: int, state: ReceiptState) -> None:
    """One request whatever it is: redirects, inward ones too, are never followed."""
    receiver = _Receiver(lambda: _answer(status, location="https://127.0.0.1/"))

    assert _deliver(receiver)[0] is state
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:192.168.0.1"])
def test_a_name_that_leads_inside_is_refused(names: dict[str, str], address: str) -> None:
    """The name looked harmless when it was registered; what counts is where it leads now."""
    names["hooks.example.com"] = address
    receiver = _Receiver(lambda: httpx2.Response(200))

    assert _deliver(receiver)[0] is ReceiptState.REFUSED
    assert receiver.requests == []


@pytest.mark.parametrize("url", ["http://hooks.example.com", "https://10.0.0.1/", "https://u:p@hooks.example.com", ""])
def test_an_address_that_is_not_allowed_any_more_is_refused(url: str) -> None:
    """It may have been registered under other settings; it is looked at before each delivery."""
    receiver = _Receiver(lambda: httpx2.Response(200))

    assert _deliver(receiver, url)[0] is ReceiptState.REFUSED
    assert receiver.requests == []


def test_a_name_that_is_unknown_may_be_known_later() -> None:
    """A broken name service is a failure for now, not the receiver's last word."""
    receiver = _Receiver(lambda: httpx2.Response(200))

    assert _deliver(receiver, "https://gone.example.com/")[0] is ReceiptState.FAILED
    assert receiver.requests == []


@pytest.mark.parametrize("error", [httpx2.ConnectError, httpx2.ReadTimeout, httpx2.RemoteProtocolError])
def test_a_broken_connection_is_tried_again(error: type[httpx2.HTTPError]) -> None:
    """The receiver knows a repetition by its id, so nothing is lost and nothing counts twice."""

    def fail() -> httpx2.Response:
        message = "broken"
        raise error(message)

    assert _deliver(_Receiver(fail))[0] is ReceiptState.FAILED


def test_a_long_answer_is_kept_short() -> None:
    """Of an error page only the beginning is kept, and bytes that are no text do no harm."""
    state, words = _deliver(_Receiver(lambda: _answer(500, b"\xff\xfe oops " + b"x" * 100_000)))

    assert state is ReceiptState.FAILED
    assert "oops" in words
    assert len(words) < 1_000
    assert SECRET not in words


@pytest.mark.parametrize("body", [{}, {"key": "key_2"}, {"key": None}, {"key": ["key_1"]}])
def test_a_key_without_an_address_is_told_nothing(body: dict[str, Any]) -> None:
    """Also where the delivery names no key at all: refused for good, and nothing is sent."""
    receiver = _Receiver(lambda: httpx2.Response(200))
    connector = WebhookConnector(
        lambda key: Webhook(URL, SECRET) if key == "key_1" else None,
        SystemClock().now,
        transport=httpx2.MockTransport(receiver),
    )

    receipt = connector.deliver(Delivery("act-1", "decision", {**body, "message": {}}, None))

    assert receipt.state is ReceiptState.REFUSED
    assert receiver.requests == []
