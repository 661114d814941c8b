"""Requests made from the API's own description: no 5xx, and every refusal in the one shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.api.world import refused

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.api.world import World

EXAMPLES = 12
_QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def call(client: TestClient, case: Any) -> Any:
    """Send what was made up as it is."""
    sent: dict[str, Any] = {}
    if case.body.__class__.__name__ != "NotSet":
        raw = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str).encode()
        sent = {"content": raw, "headers": {"Content-Type": "application/json"}}
    return client.request(case.method, case.formatted_path, params=dict(case.query or {}), **sent)


def judge(answer: Any) -> None:
    """No crash; a refusal has the one shape; nothing tells how we are built."""
    assert answer.status_code < 500, (str(answer.request.url), answer.text)
    if answer.status_code >= 400:
        refused(answer, answer.status_code)
    assert "Traceback" not in answer.text


@schemathesis.serializer("message/rfc822")
def _as_mail(_context: Any, value: Any) -> bytes:
    """A mail is bytes as they are."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", ["admin", "program"])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
def test_made_up_requests(light_world: World, who: str, mode: GenerationMode) -> None:
    """A person who may do everything, and a program with every scope, cannot make the server stumble."""
    client = light_world.person("admin") if who == "admin" else light_world.almighty()
    tried = 0
    for result in schemathesis.openapi.from_dict(light_world.app.openapi()).get_all_operations():
        operation = result.ok()

        @_QUIET
        @given(case=operation.as_strategy(generation_mode=mode))
        def try_it(case: Any) -> None:
            nonlocal tried
            tried += 1
            judge(call(client, case))

        try:
            try_it()
        except Unsatisfiable:  # it takes nothing that could be unfitting
            continue
    assert tried > 100


HOSTILE = ["%00", "a" * 5_000, "..%2f..%2fetc", "%F0%9F%92%A9", "'\"><script>", "%ED%A0%80", "0x" + "f" * 60]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_addresses(light_world: World, text: str) -> None:
    """Nonsense in an address or a filter is refused, or finds nothing."""
    admin = light_world.person("admin")
    for path in ("reviews", "cases", "customers", "imports", "stops"):
        judge(admin.get(f"/v1/{path}/{text}"))
    for query in ("reviews?q=", "reviews?after=", "cases?before=", "customers?q=", "audit/entries?subject=",
                  "reviews?checkpoint=", "grants?checkpoint=", "decisions?before="):  # fmt: skip
        judge(admin.get(f"/v1/{query}{text}"))


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"text"', b"{", b'{"a": NaN}', b"[" * 200, b'{"verdict": "\\ud800"}', b'{"x": 1e999}',
     b'{"reason": "\\u0000"}', b"9" * 5_000, b"\xff\xfe", b'{"digest": ' + b"1" * 4_000 + b"}"],
)  # fmt: skip
def test_hostile_bodies(light_world: World, body: bytes) -> None:
    """Whatever stands where JSON should: 4xx in the one shape, and nothing stored."""
    admin = light_world.person("admin")
    one = light_world.review(admin, every_role=True)
    before = light_world.entries()
    for method, path in (
        ("POST", f"reviews/{one['id']}/verdict"), ("POST", f"reviews/{one['id']}/snooze"), ("POST", "cases"),
        ("POST", "events"), ("POST", "grants"), ("PUT", "stops/workspace"), ("POST", "suppressions"),
    ):  # fmt: skip
        answer = admin.request(method, f"/v1/{path}", content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text
        judge(answer)
    assert light_world.entries() == before
