"""Input that means harm: refused with a sentence, nothing half-written, never a 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead.checkpoints.tables import request, ruling

if TYPE_CHECKING:
    from tests.gate.world import World


def nested(depth: int) -> Any:
    """Objects in objects."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "changes",
    [
        {"proposal": "pay"},
        {"proposal": {"answer": [1]}},
        {"proposal": {"answer": {"amount": "40"}}},
        {"proposal": {"answer": {"amount": 40}, "more": 1}},
        {"score": "0.97"},
        {"score": True},
        {"value": -1},
        {"value": 1e300},
        {"value": "a lot"},
        {"producer": ""},
        {"idempotency_key": "k" * 201},
        {"idempotency_key": 7},
        {"checkpoint": ""},
        {"customer": {}},
        {"customer": {"id": "a", "email": "a@example.com"}},
        {"customer": {"email": "not an address"}},
        {"customer": {"phone": "12"}},
        {"flags": "vip"},
        {"signals": [1]},
        {"signals": {"text": "x" * 70_000}},
        {"currency": "euro"},
        {"wait": 31},
        {"wait": -1},
        {"unknown": 1},
    ],
)
def test_what_is_malformed_is_refused_and_not_stored(world: World, changes: dict[str, Any]) -> None:
    """422 with a code and a sentence; no ruling, and the key stays free."""
    answer = world.ask(**changes)

    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["message"]
    assert world.count(ruling) == world.count(request) == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'{"checkpoint": "refunds"',
        b'{"score": NaN}',
        b'{"score": Infinity}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b"\xff\xfe",
        b"[" * 5_000,
        json.dumps(nested(100)).encode(),
        b'{"a": "' + b"x" * 1_100_000 + b'"}',
    ],
)
def test_bodies_that_are_no_request_are_refused(world: World, raw: bytes) -> None:
    """Whatever the bytes, the answer is a 4xx in the one shape."""
    headers = {**world.headers(), "content-type": "application/json"}
    answer = world.web.post("/v1/decisions", content=raw, headers=headers)

    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"]
    assert world.count(ruling) == 0


def test_without_a_key_nobody_learns_what_is_wrong_with_a_body(world: World) -> None:
    """Who one is comes first: 401 even for a body that is malformed."""
    answer = world.web.post("/v1/decisions", json={"nonsense": 1})

    assert answer.status_code == 401


def test_a_score_beside_its_scale_or_missing_never_acts_alone(world: World) -> None:
    """No score is no confidence: the proposal goes to a person."""
    assert world.asked(score=None)["path"] == "assist"


def test_deep_and_wide_signals_are_kept_within_bounds(world: World) -> None:
    """What the body guard lets through is ruled on without a fault."""
    found = world.asked(signals={"deep": nested(40), "wide": {str(n): n for n in range(2_000)}})

    assert found["state"] == "decided"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    field=st.sampled_from(
        [
            "checkpoint",
            "proposal",
            "score",
            "value",
            "producer",
            "customer",
            "signals",
            "flags",
            "title",
            "currency",
        ]
    ),
    value=_json,
    number=st.integers(),
)
def test_any_json_in_any_field_is_an_answer_or_a_refusal(world: World, field: str, value: Any, number: int) -> None:
    """Never a 5xx; and whatever was accepted reads back as it was answered."""
    answer = world.ask(**{field: value, "idempotency_key": f"n{number}"})

    assert answer.status_code < 500, answer.text
    if answer.status_code == 200:
        found = answer.json()
        assert world.poll(found)["ruling"] == found["ruling"]
        assert world.poll(found)["explanation"] == found["explanation"]
