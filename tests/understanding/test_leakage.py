"""Columns that know the outcome are refused with the reason; honest strong ones are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fairlead.testing.leaks import LEAKS, LeakyHistory, leaky_history
from fairlead.understanding.columns import Choice, Refusal
from fairlead.understanding.features import Kind
from fairlead.understanding.history import History
from fairlead.understanding.leakage import Examined, examine

ROWS = 2_000


def history_of(found: LeakyHistory, *, late: tuple[str, ...] = ()) -> History:
    """As training would get it."""
    names = {name: name for name in found.columns}
    return History(
        found.columns, names, found.outcome.tolist(), "won", "yes", len(found.outcome), 0, "0" * 64, frozenset(late)
    )


def look(found: LeakyHistory, **choice: object) -> Examined:
    """What is used and refused."""
    return examine(history_of(found), Choice(time=found.time, **choice))  # type: ignore[arg-type]


def refusals(examined: Examined) -> dict[str, Refusal]:
    """By column."""
    return {one.fact: one for one in examined.refused}


@pytest.mark.parametrize("kind", list(LEAKS))
def test_each_kind_of_leak_is_refused(kind: str) -> None:
    """With a sentence; nothing honest beside it is taken for a leak."""
    found = leaky_history(kind, 11, ROWS)
    refused = refusals(look(found))
    assert found.leak in refused, kind
    assert len(refused[found.leak].why) > 20
    assert [name for name, one in refused.items() if one.kind == "leak" and name != found.leak] == []


@pytest.mark.parametrize("seed", [21, 22])
def test_honest_strong_columns_are_used(seed: int) -> None:
    """An earlier purchase, a strong number, a rate of an earlier period, honestly missing values, planned dates."""
    found = leaky_history(None, seed, ROWS)
    examined = look(found)
    assert [one for one in examined.refused if one.kind == "leak"] == []
    assert set(found.strong) <= {one.column.fact for one in examined.used}


def test_a_leak_is_used_when_forced_and_still_pointed_out() -> None:
    """The person's word counts; the reason stays in the report."""
    found = leaky_history("copy of the outcome", 5, ROWS)
    examined = look(found, force=frozenset({found.leak}))
    assert found.leak in {one.column.fact for one in examined.used}
    (noted,) = [one for one in examined.refused if one.fact == found.leak]
    assert noted.forced
    assert "used all the same" in noted.why


def test_the_moment_of_the_decision_is_no_column_to_learn_from() -> None:
    """Refused with the reason whatever it tells, named by fact or header; forced, by weekday and hour."""
    found = leaky_history(None, 23, ROWS)
    assert found.time is not None
    moments = [datetime(2024, 1, 1, 9, tzinfo=UTC) + timedelta(days=at) for at in range(ROWS)]
    found.columns[found.time] = [one.isoformat() for one in moments]
    found.outcome[:] = [won and one.weekday() != 0 for won, one in zip(found.outcome, moments, strict=True)]
    examined = look(found)
    assert found.time not in {one.column.fact for one in examined.used}
    assert refusals(examined)[found.time].kind == "time"
    assert "moment of the decision" in refusals(examined)[found.time].why
    forced = next(one for one in look(found, force=frozenset({found.time})).used if one.column.fact == found.time)
    assert [one.kind for one in forced.features] == [Kind.WEEKDAY]


def test_two_leaks_do_not_hide_each_other() -> None:
    """Each is compared with the honest columns, not with the other."""
    one, other = leaky_history("length of the deciding talk", 9, ROWS), leaky_history(None, 9, ROWS)
    rng = np.random.default_rng(7)
    noisy = [round(float(v), 2) for v in np.array(one.columns[one.leak]) * np.exp(rng.normal(0, 0.1, ROWS))]
    both = LeakyHistory({**one.columns, "twin": noisy}, one.outcome, one.leak, other.strong, one.time)
    assert {one.leak, "twin"} <= set(refusals(look(both)))


def test_a_late_name_needs_less_proof() -> None:
    """What would pass under a plain name is refused under that of something known afterwards only."""
    found = leaky_history(None, 31, ROWS)
    rng = np.random.default_rng(31)
    weak = [round(float(v), 2) for v in rng.normal(size=ROWS) + 0.9 * found.outcome]
    columns = {"a": [int(v) for v in rng.integers(0, 9, ROWS)], "weak": weak}
    history = LeakyHistory(columns, found.outcome, "weak", {}, "")
    plain = examine(history_of(history), Choice())
    named = examine(history_of(history, late=("weak",)), Choice())
    assert "weak" in {one.column.fact for one in plain.used}
    assert refusals(named)["weak"].kind == "leak"


def test_histories_differ_by_seed_and_repeat_by_seed() -> None:
    """The generator's figures can be made again."""
    one, same, other = (
        leaky_history("group rate in per cent", 1),
        leaky_history("group rate in per cent", 1),
        leaky_history(None, 1),
    )
    assert one.columns == same.columns
    assert (one.outcome == same.outcome).all()
    assert other.leak == ""
