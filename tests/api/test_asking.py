"""What programs send to the gate: each part is checked and normalised before anything is looked up."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given, settings, strategies as st

from fairlead.api.asking import AskBody, CustomerBody, ExecutedBody, OutcomeBody, body_of, documented
from fairlead.errors import InputError

ASK: dict[str, Any] = {
    "checkpoint": "refund",
    "proposal": {"answer": {"amount": 12}},
    "producer": "bot@1",
    "idempotency_key": "k-1",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def ask(**changes: Any) -> AskBody:
    """A body with these parts changed."""
    return body_of(AskBody, json.dumps({**ASK, **changes}).encode())


def wrong(changes: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Where the refusal says that something is wrong."""
    with pytest.raises(RequestValidationError) as caught:
        ask(**changes)
    return [tuple(one["loc"]) for one in caught.value.errors()]


def test_the_least_that_may_be_asked() -> None:
    """Without the rest there is no customer, no value, no flag, and nobody waits."""
    request = ask().request()
    assert (request.checkpoint, request.key, request.answer, request.producer) == (
        "refund", "k-1", {"amount": 12}, "bot@1",
    )  # fmt: skip
    assert (request.customer_id, request.identity, request.value, request.currency) == (None, None, None, None)
    assert (request.flags, request.signals, request.title) == ((), {}, "")
    assert ask().wait == 0


def test_everything_arrives_as_it_was_given() -> None:
    """Flags once each in their order; money as a decimal without a float's rounding."""
    request = ask(
        value="0.10", currency="JPY", score=0.5, flags=["vip", "press", "vip"], signals={"n": 1}, title="T",
        customer={"id": "cus_1"},
    ).request()  # fmt: skip
    assert request.value == Decimal("0.10")
    assert str(request.value) == "0.10"
    assert request.flags == ("vip", "press")
    assert (request.currency, request.score, request.signals, request.title) == ("JPY", 0.5, {"n": 1}, "T")
    assert request.customer_id == "cus_1"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"checkpoint": ""}, ("body", "checkpoint")),
        ({"checkpoint": "x" * 65}, ("body", "checkpoint")),
        ({"producer": 7}, ("body", "producer")),
        ({"producer": "refund-bot"}, ("body", "producer")),  # without a version no grant could ever fit
        ({"idempotency_key": "k" * 201}, ("body", "idempotency_key")),
        ({"proposal": {"answer": [1]}}, ("body", "proposal", "answer")),
        ({"proposal": {"answer": {}, "why": "x"}}, ("body", "proposal", "why")),
        ({"score": "high"}, ("body", "score")),
        ({"value": -1}, ("body", "value")),
        ({"value": "much"}, ("body", "value")),
        ({"currency": "eur"}, ("body", "currency")),
        ({"currency": "EURO"}, ("body", "currency")),
        ({"flags": ["x"] * 51}, ("body", "flags")),
        ({"flags": "vip"}, ("body", "flags")),
        ({"signals": []}, ("body", "signals")),
        ({"title": "t" * 301}, ("body", "title")),
        ({"wait": 31}, ("body", "wait")),
        ({"wait": -1}, ("body", "wait")),
        ({"customer": {"mail": "a@b.example"}}, ("body", "customer", "mail")),
        ({"decide": "for me"}, ("body", "decide")),
    ],
)
def test_a_wrong_part_is_named(changes: dict[str, Any], place: tuple[str, ...]) -> None:
    """The refusal says where, from the body's root on."""
    assert wrong(changes) == [place]


def test_every_wrong_part_is_named_at_once() -> None:
    """A program that gets three things wrong learns of three."""
    assert len(wrong({"score": "x", "wait": 99, "title": 1})) == 3


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from([*ASK, "value", "customer", "flags", "signals", "wait", "x"]), JSON))
def test_any_json_is_taken_or_refused(changes: dict[str, Any]) -> None:
    """Nothing but a request, a refusal of the shape, or a refusal of the customer comes out."""
    try:
        request = ask(**changes).request()
    except (RequestValidationError, InputError):
        return
    assert request.checkpoint
    assert request.key


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{", b"\xff", b'"text"', b"[" * 10_000])
def test_a_body_that_is_none(raw: bytes) -> None:
    """Malformed bytes are refused in the same way as a wrong part."""
    with pytest.raises(RequestValidationError):
        body_of(AskBody, raw)


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    """A secret in the wrong field does not come back, nor reach a log."""
    with pytest.raises(RequestValidationError) as caught:
        ask(score="hunter2", customer={"email": ["hunter2"]})
    assert "hunter2" not in str(caught.value.errors())


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"id": "cus_1"}, ("cus_1", None)),
        ({"email": "Ada.Keller@Helio.EXAMPLE"}, (None, ("email", "ada.keller@helio.example"))),
        ({"email": "  ada@helio.example "}, (None, ("email", "ada@helio.example"))),
        ({"phone": "+49 (0)30 901820"}, (None, ("phone", "+4930901820"))),
        ({"phone": "+49 30 90 18 20"}, (None, ("phone", "+4930901820"))),
        ({"external_id": " 17 "}, (None, ("external_id", "17"))),
    ],
)
def test_a_customer_in_the_form_in_which_they_are_stored(body: dict[str, str], found: tuple[Any, Any]) -> None:
    """Spelling does not hide a customer from the policy."""
    assert CustomerBody(**body).parts() == found


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "customer"),
        ({"id": "cus_1", "email": "a@b.example"}, "customer"),
        ({"email": "no address"}, "email"),
        ({"email": "a@b@c.example"}, "email"),
        ({"phone": "030 901820"}, "phone"),
        ({"phone": "+49 1"}, "phone"),
        ({"phone": "+999 123456"}, "phone"),
        ({"external_id": "   "}, "external_id"),
    ],
)
def test_a_customer_that_cannot_be_one(body: dict[str, str], code: str) -> None:
    """Two names, none, or one that nobody can have are refused: an unknown customer has no flags to protect them."""
    with pytest.raises(InputError) as caught:
        CustomerBody(**body).parts()
    assert caught.value.reason == code


def test_an_execution_begins_or_ends() -> None:
    """Without `ok` it begins; a word instead of a truth value is not taken for one."""
    begun = body_of(ExecutedBody, b'{"approval": "t"}')
    assert begun.ok is None
    assert body_of(ExecutedBody, b'{"approval": "t", "ok": false, "result": [1]}').result == [1]
    for raw in (b'{"approval": "t", "ok": "yes"}', b'{"approval": "t", "ok": 1}', b'{"approval": ""}'):
        with pytest.raises(RequestValidationError):
            body_of(ExecutedBody, raw)


def test_an_outcome_needs_a_moment() -> None:
    """A time in words is refused, one of RFC 3339 is read."""
    given_outcome = {"decision": "rul_1", "name": "refunded", "value": 1, "key": "k"}
    moment = {**given_outcome, "happened_at": "2026-11-02T09:00:00Z"}
    assert body_of(OutcomeBody, json.dumps(moment).encode()).happened_at.year == 2026
    with pytest.raises(RequestValidationError):
        body_of(OutcomeBody, json.dumps({**given_outcome, "happened_at": "yesterday"}).encode())


@pytest.mark.parametrize("model", [AskBody, ExecutedBody, OutcomeBody])
def test_the_documented_body_stands_alone(model: Any) -> None:
    """No reference is left open, every field is there, and names beside them are refused."""
    body = documented(model)["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert body["required"]
    assert "$ref" not in json.dumps(schema)
    assert set(schema["properties"]) == set(model.model_fields)
    assert schema["additionalProperties"] is False
