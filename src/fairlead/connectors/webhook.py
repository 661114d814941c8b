"""Signed webhooks after the Standard Webhooks specification: a POST to the address that the API key
registered, which is a CloudEvent in binary mode, too.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote, urlsplit

import httpx2
from standardwebhooks import Webhook as Signer

from fairlead.connectors.ports import Delivery, Receipt, ReceiptState
from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.people import Webhook, check_webhook_url, is_public_host

MAX_ANSWER_BYTES = 16_384
_GONE = 410
_REDIRECTS = range(300, 400)
_OK = range(200, 300)

Endpoints = Callable[[str], Webhook | None]
"""Where the owner of an API key wants to be told, None when nowhere any more."""
Gone = Callable[[str, str], None]
"""Hears that the address (second) of an API key (first) said 410: it wants no more."""
_CE_SAFE = "!#$&'()*+,/:;=?@[]^`{|}"


class WebhookConnector:
    """Delivers `{"key": API key id, "message": JSON}`; the receiver knows a repetition by its `webhook-id`.

    That id is the idempotency key, so a lost answer is harmless and is tried again. 2xx is sent; 410,
    redirects and
    addresses that are no longer allowed are refused; everything else failed for now.
    """

    name = "webhook"

    def __init__(
        self,
        endpoints: Endpoints,
        now: Callable[[], datetime],
        *,
        timeout_s: float = 10.0,
        private_hosts: bool = False,
        source: str = "urn:fairlead",
        gone: Gone = lambda _key, _url: None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`timeout_s` bounds each part of a delivery; `source` is the URI that events name as where they come from;
        `transport` None means the network.
        """
        self._source = source
        self._gone = gone
        self._endpoints = endpoints
        self._now = now
        self._private_hosts = private_hosts
        timeout = httpx2.Timeout(min(timeout_s, 10.0) / 2)
        self._timeout_s = timeout_s
        self._client = httpx2.Client(
            transport=transport,
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            # A kept connection was verified for one host name and could be used for another at the same
            # address.
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def deliver(self, delivery: Delivery) -> Receipt:
        """See `Connector.deliver`; the address and secret are those of now, not of when it was queued."""
        key = str(delivery.body.get("key", ""))
        endpoint = self._endpoints(key)
        if endpoint is None:
            return Receipt(ReceiptState.REFUSED, "the API key is revoked or has no webhook address any more")
        body = jsons.dumps(delivery.body.get("message"))
        at = self._now()
        headers = {
            "content-type": "application/json",
            "user-agent": "fairlead-webhook",
            "webhook-id": delivery.idempotency_key,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Signer(endpoint.secret).sign(delivery.idempotency_key, at, body),
            **self._event(delivery),
        }
        try:
            check_webhook_url(endpoint.url, private_hosts=self._private_hosts)
        except InputError as error:
            return Receipt(ReceiptState.REFUSED, error.message)
        try:
            return self._post(endpoint.url, body, headers, lambda: self._gone(key, endpoint.url))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return Receipt(ReceiptState.FAILED, f"{type(error).__name__}: {error}")

    def _event(self, delivery: Delivery) -> dict[str, str]:
        """The attributes of CloudEvents 1.0; `ce-source` and `ce-id` together are the same for every attempt."""
        attributes = {
            "ce-specversion": "1.0",
            "ce-id": delivery.idempotency_key,
            "ce-source": self._source,
            "ce-type": f"fairlead.{delivery.kind}",
        }
        return {name: quote(value, safe=_CE_SAFE) for name, value in attributes.items()}

    def _post(self, url: str, body: str, headers: dict[str, str], gone: Callable[[], None]) -> Receipt:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
        if not self._private_hosts and not is_public_host(str(address)):
            return Receipt(ReceiptState.REFUSED, "the host name leads to a loopback or private address")
        # To the address that was checked: a second look-up could lead elsewhere.
        target = httpx2.URL(url).copy_with(host=str(address))
        request = self._client.build_request(
            "POST", target, content=body, headers={**headers, "host": parts.netloc},
            extensions={"sni_hostname": host},
        )  # fmt: skip
        response = self._client.send(request, stream=True)
        try:
            if response.status_code == _GONE:
                gone()
            return _receipt(response.status_code, self._beginning(response))
        finally:
            response.close()

    def _beginning(self, response: httpx2.Response) -> str:
        """What was answered, no more of it and for no longer than it is worth."""
        if response.status_code in _OK:
            return ""
        found, until = b"", time.monotonic() + self._timeout_s / 2
        for piece in response.iter_raw():
            found += piece
            if len(found) >= MAX_ANSWER_BYTES or time.monotonic() > until:
                break
        return found[:500].decode("utf-8", "replace")


def _receipt(status: int, answer: str) -> Receipt:
    words = f"HTTP {status} {answer}".strip()
    if status in _OK:
        return Receipt(ReceiptState.SENT, f"HTTP {status}")
    if status == _GONE:
        return Receipt(ReceiptState.REFUSED, words)
    if status in _REDIRECTS:
        return Receipt(ReceiptState.REFUSED, f"HTTP {status}: redirects are not followed; register the final address")
    return Receipt(ReceiptState.FAILED, words)
