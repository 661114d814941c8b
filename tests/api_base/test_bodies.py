"""Bodies that are too big, too slow, too deep or not what they say."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.api import bodies
from tests.api_base.conftest import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api_base.conftest import Site

JSON = {"Content-Type": "application/json"}


def chunks(size: int, step: int = 100) -> Iterator[bytes]:
    """`size` bytes in pieces, sent without saying how many there will be."""
    for start in range(0, size, step):
        yield b"x" * min(step, size - start)


@pytest.mark.parametrize(("size", "status"), [(0, 200), (BODY_LIMIT, 200), (BODY_LIMIT + 1, 413), (10_000_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_are_bounded(site: Site, size: int, status: int, chunked: bool) -> None:
    """The limit holds to the byte, whether the length is announced or the body comes in chunks."""
    content: Any = chunks(size, 10_000) if chunked else b"x" * size
    answer = site.client().post("/raw", content=content)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"bytes": size}
    else:
        assert answer.json()["error"]["code"] == "too_large"
        assert answer.json()["error"]["fields"] == {"limit": BODY_LIMIT, "unit": "bytes"}
        assert answer.headers["connection"] == "close"


def test_an_endless_body_is_not_read_to_its_end(site: Site) -> None:
    """Reading stops just past the limit, however much more would come."""
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1000
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    assert call(site, receive, []) == 413
    assert taken == 3000


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "1" * 5000, "0x10", " 5"])
def test_lengths_that_lie(site: Site, length: str) -> None:
    """A Content-Length that is no number or beyond all reason is refused before anything is read."""

    async def receive() -> dict[str, Any]:
        pytest.fail("the body was read")

    assert call(site, receive, [(b"content-length", length.encode())]) in {400, 413}


def test_a_stalled_body_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stops sending gets 408 instead of holding its place for ever."""
    monkeypatch.setattr(bodies, "READ_S", 0.0)

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    assert call(site, receive, []) == 408


def test_a_client_that_leaves_is_no_error(site: Site) -> None:
    """Going away in the middle of a body ends the request without an answer."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert call(site, receive, []) is None


def call(site: Site, receive: Any, headers: list[tuple[bytes, bytes]]) -> int | None:
    """Speak to the application without a client in between; the status, None for no answer."""
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/raw",
        "raw_path": b"/raw",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    asyncio.run(site.app(scope, receive, send))
    return statuses[0] if statuses else None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{", "json"),
        (b'{"a": 1,}', "json"),
        (b"{'a': 1}", "json"),
        (b"NaN", "json"),
        (b'{"a": Infinity}', "json"),
        (b'"\xff"', "json"),
        (b'"\\ud800"', "json"),
        (b'"a\x00b"', "json"),
        (b"[" * 1000 + b"]" * 1000, "json"),
        (b"1" * 2000 + b"e" + b"9" * 40 + b"x", "json"),
        (b"[" * 66 + b"]" * 66, "too_deep"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "too_deep"),
        (b'["a\\u0000b"]', "nul"),
        (b'{"a\\u0000": 1}', "nul"),
    ],
    ids=range(14),
)
@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/x+json"])
def test_json_that_cannot_be_used(site: Site, text: bytes, code: str, content_type: str) -> None:
    """Malformed, too deep or with what no table takes: a 400 that says which, in the one shape."""
    answer = site.client().post("/v1/echo", content=text, headers={"Content-Type": content_type})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    "value", [1, "ü \\u0000", ["[" * 100], [[]] * 200, {"a": [{"b": None}]}, json.loads("[" * 60 + "]" * 60)]
)
def test_json_that_can_be_used(site: Site, value: Any) -> None:
    """The guard changes nothing: brackets in text, many short lists and an escaped escape all pass."""
    assert site.client().post("/v1/echo", json=value).json() == {"echo": value}


def test_nul_in_forms_and_addresses(site: Site) -> None:
    """NUL is refused wherever it can hide; a form without one arrives."""
    client = site.client()
    assert client.post("/form", data={"word": "ü"}).json() == {"word": "ü"}
    assert client.post("/form", data={"word": "a\0b"}).status_code == 400
    assert client.post("/form", files={"word": (None, "a\0b")}).status_code == 400
    for path in ("/sign-in/a%00b", "/v1/me?x=%00"):
        assert client.get(path).json()["error"]["code"] == "nul"


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data", "application/json;;;", "é"])
def test_bodies_of_another_type(site: Site, content_type: str) -> None:
    """A body that does not say it is JSON is not taken for it: 4xx in the one shape, never a crash."""
    headers = {"Content-Type": content_type.encode("latin-1")}
    answer = site.client().post("/v1/orders/1", content=b'{"amount": 1, "note": ', headers=headers)
    assert 400 <= answer.status_code < 500
    assert set(answer.json()) == {"error"}
