"""Links that carry their own authority: made for one thing, readable by us alone, over when their time is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from fairlead.errors import InputError
from fairlead.kit.links import MAX_PARTS, make_link, read_link

SECRET = b"thirty-two characters of a secret"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=10).filter(lambda name: name != "until"), st.text(max_size=20), max_size=5
    )
)
def test_what_was_put_in_comes_out(parts: dict[str, str]) -> None:
    """For the purpose and secret it was made with, and in characters that need no escaping in an address."""
    token = make_link(SECRET, "preferences", parts)
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert read_link(SECRET, "preferences", token) == parts
    for secret, what in ((SECRET + b"x", "preferences"), (SECRET, "unsubscribe")):
        with pytest.raises(InputError) as refused:
            read_link(secret, what, token)
        assert refused.value.reason == "link"


@given(st.integers(min_value=0, max_value=200), st.sampled_from("AZaz09-_.=+/ \n\u00e9"))
def test_no_character_can_be_changed(place: int, letter: str) -> None:
    """Every other text is refused, also a second spelling of the same bytes."""
    token = make_link(SECRET, "consent", {"consent": "cns_1"})
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(InputError):
            read_link(SECRET, "consent", changed)
    with pytest.raises(InputError):
        read_link(SECRET, "consent", token + letter)


def test_a_link_ends_when_it_says() -> None:
    """At that very second; without an end it does not end."""
    token = make_link(SECRET, "why", {"until": str(int(NOW.timestamp()))})
    assert read_link(SECRET, "why", token, now=NOW - timedelta(seconds=1))
    with pytest.raises(InputError):
        read_link(SECRET, "why", token, now=NOW)
    assert read_link(SECRET, "why", make_link(SECRET, "why", {}), now=NOW + timedelta(days=9_999)) == {}


def test_a_link_is_bounded_and_for_something_known() -> None:
    """An unknown purpose, no secret, too many parts, too long: refused before anything is made."""
    for secret, what, parts in (
        (SECRET, "anything", {}), (b"", "why", {}), (SECRET, "why", {str(n): "" for n in range(MAX_PARTS + 1)}),
        (SECRET, "why", {"a": "x" * 3_000}),
    ):  # fmt: skip
        with pytest.raises(InputError):
            make_link(secret, what, parts)
    with pytest.raises(InputError):
        read_link(SECRET, "why", "x" * 100_000)
