"""Draws in the database: written once, kept over everything, counted truly."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from fairlead.audit import Trail, history
from fairlead.audit.tables import entry
from fairlead.errors import InputError, NotFoundError
from fairlead.experiments import (
    Arm,
    Experiment,
    Unit,
    Verdict,
    arm_of,
    draws_of,
    enrol,
    experiment_named,
    experiments,
    seed_of,
)
from fairlead.kit.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

MAIL = Experiment("mail", (Arm("short", 0.3), Arm("long", 0.7)), unit="case")
UNITS = [Unit(f"case_{n:03}") for n in range(300)]


@contextmanager
def opened(url: str, clock: FakeClock) -> Iterator[Database]:
    """The database, closed afterwards."""
    database = Database(url, clock=clock, trail=Trail())
    try:
        yield database
    finally:
        database.close()


def test_a_draw_stands_over_retries_and_edited_shares(
    database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is stored with its probability; drawn again under other shares everybody keeps arm and probability."""
    # One in a thousand seeds rightly alarms; this one does not.
    monkeypatch.setattr("fairlead.experiments.seeds.secrets.token_bytes", bytes)
    with opened(database_url, clock) as database:
        with database.transaction() as uow:
            first = enrol(uow, MAIL, UNITS)
        with database.transaction() as uow:
            assert enrol(uow, MAIL, UNITS[::-1]) == first
        edited = Experiment("mail", (Arm("short", 0.9), Arm("long", 0.1)), unit="case")
        with database.transaction() as uow:
            again = enrol(uow, edited, [*UNITS, *(Unit(f"new_{n}") for n in range(100))])
        with database.reading() as reader:
            stored = draws_of(reader, "mail", [one.key for one in UNITS] + ["nobody"])
            seed = seed_of(reader) or b""
            figures = experiment_named(reader, "mail")
    assert {key: again[key] for key in first} == first == stored
    assert all(one.arm == arm_of(MAIL, seed, one.unit).name for one in first.values())
    assert {(one.arm, one.probability) for one in first.values()} == {("short", 0.3), ("long", 0.7)}
    assert {one.probability for key, one in again.items() if key not in first} == {0.9, 0.1}
    counts = Counter(one.arm for one in again.values())
    assert {one.name: one.n for one in figures.arms} == counts
    assert [one.n for one in figures.versions] == [300, 100]
    short = next(one for one in figures.arms if one.name == "short")
    assert short.expected == pytest.approx((300 * 0.3 + 100 * 0.9) / 400)
    assert short.share == counts["short"] / 400
    assert short.low < counts["short"] / 400 < short.high
    assert figures.check.verdict is Verdict.FITS


def test_who_was_not_eligible_never_becomes_so(database_url: str, clock: FakeClock) -> None:
    """It is stored with its reason before any arm, gets none, and stays; figures count it apart."""
    with opened(database_url, clock) as database:
        with database.transaction() as uow:
            drawn = enrol(uow, MAIL, [Unit("case_1", "assist was not allowed"), Unit("case_2")])
        assert (drawn["case_1"].arm, drawn["case_1"].probability) == (None, 0.0)
        with database.transaction() as uow:
            assert enrol(uow, MAIL, [Unit("case_1"), Unit("case_2", "too late")]) == drawn
        with database.reading() as reader:
            figures = experiment_named(reader, "mail")
    assert (figures.n, figures.ineligible) == (1, 1)


def test_two_at_once_draw_the_same(database_url: str, clock: FakeClock) -> None:
    """Four threads over the same units, in different orders: one row for each unit, one answer for everybody."""
    with opened(database_url, clock) as database:

        def draw(turn: int) -> dict[str, str | None]:
            units = UNITS[turn * 50 :] + UNITS[: turn * 50]
            with database.transaction() as uow:
                return {key: one.arm for key, one in enrol(uow, MAIL, units).items()}

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(draw, range(4)))
        with database.reading() as reader:
            assert experiment_named(reader, "mail").n == len(UNITS)
    assert all(one == found[0] for one in found)


def test_each_draw_and_each_version_is_in_the_record(sqlite_url: str, clock: FakeClock) -> None:
    """Once, with arm and probability; a retry adds nothing."""
    with opened(sqlite_url, clock) as database:
        for _ in range(2):
            with database.transaction() as uow:
                enrol(uow, MAIL, UNITS[:3])
        with database.reading() as reader:
            rows = list(reader.execute(select(entry).where(entry.c.verb.like("experiment.%"))))
            told = [json.loads(history(reader, [unit.key])[-1].body or "{}") for unit in UNITS[:3]]
    assert Counter(row.verb for row in rows) == {
        "experiment.seed_made": 1,
        "experiment.version_began": 1,
        "experiment.drawn": 3,
    }
    assert all(set(one) == {"experiment", "version", "arm", "probability"} for one in told)


def test_nothing_is_drawn_that_cannot_be(sqlite_url: str, clock: FakeClock) -> None:
    """Empty, endless and double keys and too many at once are refused whole; none at all is nothing."""
    with opened(sqlite_url, clock) as database:
        for units in ([Unit("")], [Unit("x" * 201)], [Unit("a"), Unit("a")], [Unit(str(n)) for n in range(1_001)]):
            with pytest.raises(InputError), database.transaction() as uow:
                enrol(uow, MAIL, units)
        with database.transaction() as uow:
            assert enrol(uow, MAIL, []) == {}
            hostile = [Unit("'; DROP TABLE experiment_draw; --"), Unit("a\u202eb")]
            assert set(enrol(uow, MAIL, hostile)) == {one.key for one in hostile}
        with database.reading() as reader:
            assert [one.name for one in experiments(reader)] == ["mail"]
            with pytest.raises(NotFoundError):
                experiment_named(reader, "calls")
