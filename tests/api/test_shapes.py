"""Shapes that many routes share: moments in UTC, bounded figures, bodies without unknown names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import TypeAdapter, ValidationError

from fairlead.api.shapes import Moment, Reason, Sent, Share, Shown, Text, Version

MOMENTS = TypeAdapter(Moment)


@pytest.mark.parametrize(
    "text",
    ["2026-11-02T09:00:00Z", "2026-11-02T09:00:00+00:00", "2026-11-02T10:00:00+01:00", "2026-11-01T22:00:00-11:00"],
)
def test_a_moment_is_the_same_in_any_zone(text: str) -> None:
    """Whatever offset it is given with, it is kept in UTC."""
    found = MOMENTS.validate_python(text)
    assert found == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T09:00:00",
        "tomorrow",
        "",
        "9999-12-31T23:59:59-12:00",
        "9001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_moment_that_cannot_be_kept(text: str) -> None:
    """Without a zone, beyond the calendar's edge in UTC, or too far ahead: refused, not a crash."""
    with pytest.raises(ValidationError):
        MOMENTS.validate_python(text)


@settings(max_examples=50, deadline=None)
@given(st.datetimes(timezones=st.timezones()))
def test_no_moment_crashes(moment: datetime) -> None:
    """Every aware datetime is kept as the same instant or refused."""
    try:
        found = MOMENTS.validate_python(moment)
    except ValidationError:
        return
    assert found == moment.astimezone(UTC)
    assert found.year <= 9000


@pytest.mark.parametrize(
    ("shape", "value", "fits"),
    [
        (Text, "x" * 200, True),
        (Text, "x" * 201, False),
        (Text, "", False),
        (Reason, "", True),
        (Reason, "x" * 4_000, True),
        (Reason, "x" * 4_001, False),
        (Version, 1, True),
        (Version, 0, False),
        (Version, 2**31 - 1, True),
        (Version, 2**31, False),
        (Share, 0.5, True),
        (Share, 0, False),
        (Share, 1, False),
        (Share, float("nan"), False),
        (Share, float("inf"), False),
    ],
)
def test_bounds(shape: Any, value: Any, fits: bool) -> None:
    """The last that fits fits, the next does not; a share is no number beside the line."""
    if fits:
        assert TypeAdapter(shape).validate_python(value) == value
    else:
        with pytest.raises(ValidationError):
            TypeAdapter(shape).validate_python(value)


def test_a_body_refuses_unknown_names() -> None:
    """A misspelt option is not silently passed over."""

    class Body(Sent):
        """One field."""

        reason: str = ""

    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"reson": "x"})
    assert caught.value.errors()[0]["loc"] == ("reson",)


def test_an_answer_reads_objects() -> None:
    """Any object with attributes of the same names will do; what it has besides is not shown."""

    class Answer(Shown):
        """One field."""

        name: str

    class Stored:
        """As a row comes from a feature."""

        name = "Ada"
        secret = "hunter2"

    assert Answer.model_validate(Stored()).model_dump() == {"name": "Ada"}
