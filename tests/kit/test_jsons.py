"""JSON is stored in one form, and equal values have equal digests."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from fairlead.kit import jsons

TEXTS = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@given(value=VALUES)
def test_what_is_stored_comes_back(value: object) -> None:
    """Any JSON value survives, and other JSON readers read the same."""
    text = jsons.dumps(value)
    assert jsons.loads(text) == value
    assert json.loads(text) == value


@given(value=st.dictionaries(TEXTS, VALUES))
def test_digests_do_not_depend_on_key_order(value: dict[str, object]) -> None:
    """The same object written in another order has the same digest; another object has another."""
    assert jsons.digest(dict(reversed(value.items()))) == jsons.digest(value)
    assert jsons.digest({**value, "more": 1, "x": [value]}) != jsons.digest(value)


def test_what_json_cannot_say_becomes_null_or_text() -> None:
    """Numbers that are none become null, moments RFC 3339; the result is JSON for everybody."""
    stored = jsons.dumps({"a": math.nan, "b": [math.inf, -math.inf], "c": datetime(2026, 1, 1, tzinfo=UTC)})
    assert json.loads(stored, parse_constant=pytest.fail) == {
        "a": None,
        "b": [None, None],
        "c": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("value", ["\ud800", object(), {"x": b"\xff"}])
def test_what_cannot_be_stored_is_a_value_error(value: object) -> None:
    """Lone surrogates, unknown objects and raw bytes are refused."""
    with pytest.raises(ValueError):
        jsons.dumps(value)


def test_cycles_are_a_value_error() -> None:
    """A value that contains itself does not end in a crash."""
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError):
        jsons.dumps(value)


@pytest.mark.parametrize("text", ["", "{", "nan", '{"a":NaN}', "[Infinity]", b"\xff", "[" * 100_000, '"\\ud800"'])
def test_malformed_text_is_a_value_error(text: str | bytes) -> None:
    """Hostile text, nested a hundred thousand deep too, is refused and nothing else happens."""
    with pytest.raises(ValueError):
        jsons.loads(text)


def test_the_canonical_form_is_fixed() -> None:
    """Digests stored years ago must be found again: this form never changes."""
    value = {"b": [1, 1.5, None], "a": "ü\n"}
    assert jsons.canonical(value) == '{"a":"ü\\n","b":[1,1.5,null]}'.encode()
    assert jsons.digest(value) == hashlib.sha256(jsons.canonical(value)).hexdigest()
    with pytest.raises(ValueError):
        jsons.canonical(math.nan)
