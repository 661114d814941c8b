"""Outcomes: what came of a decision is kept once, as it was said, by whoever said it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead.audit import Trail, history
from fairlead.checkpoints import Ask, CheckpointState, Proposal, insert_ruled, parse_policy, rule_asks
from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.evidence import Outcome, OutcomeReport, outcomes_of, report_outcome
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

BOT, OTHER = Actor(ActorKind.API_KEY, "key_1"), Actor(ActorKind.API_KEY, "key_2")
POLICY = parse_policy("checkpoint: c\nanswer: {type: object}\nreview: {role: rep, due: 4h}\n", "c.yaml")


@pytest.fixture
def database(database_url: str, clock: FakeClock) -> Iterator[Database]:
    """On both, closed at the end."""
    opened = Database(database_url, clock=clock, trail=Trail())
    yield opened
    opened.close()


@pytest.fixture
def light_database(sqlite_url: str, clock: FakeClock) -> Iterator[Database]:
    """On SQLite alone."""
    opened = Database(sqlite_url, clock=clock, trail=Trail())
    yield opened
    opened.close()


def _decision(database: Database, key: str = "a") -> str:
    state = CheckpointState(POLICY, {}, None, database.clock.now())
    ruled = rule_asks(state, [Ask(key, Proposal("c", {}, "m@1"), {}, customer_id="cus_1")], b"seed")
    with database.transaction() as uow:
        insert_ruled(uow, ruled)
        uow.record(AuditEntry("ruling.made", ruled[0].id))
    return ruled[0].id


def _report(database: Database, ruling_id: str, **changed: Any) -> OutcomeReport:
    report = OutcomeReport(ruling_id, "deal.won", {"minor": 5}, database.clock.now() - timedelta(hours=1), "k1")
    return replace(report, **changed)


def _tell(database: Database, report: OutcomeReport, actor: Actor = BOT) -> tuple[Outcome, bool]:
    with database.transaction() as uow:
        return report_outcome(uow, actor, report)


def _kept(database: Database, ruling_id: str) -> list[Outcome]:
    with database.reading() as reader:
        return outcomes_of(reader, ruling_id)


def test_an_outcome_is_kept_as_it_was_said(database: Database) -> None:
    """Value, time and source come back unchanged, and the record of the customer says so too."""
    ruling = _decision(database)
    report = _report(database, ruling, value=[1, 2.5, "ü", None, {"deep": True}])

    one, new = _tell(database, report)

    assert new
    assert _kept(database, ruling) == [one]
    assert (one.value, one.source, one.happened_at) == (report.value, "api_key:key_1", report.happened_at)
    assert one.recorded_at == database.clock.now()
    with database.reading() as reader:
        entry = history(reader, [ruling])[-1]
    assert (entry.verb, entry.scope, entry.actor) == ("outcome.reported", "cus_1", "api_key:key_1")


def test_the_same_report_counts_once(database: Database, clock: FakeClock) -> None:
    """A program that lost the answer may say it again, later too; nothing is added and nothing moves."""
    report = _report(database, _decision(database))
    first, _ = _tell(database, report)
    clock.advance(timedelta(days=3))

    assert _tell(database, report) == (first, False)
    assert _kept(database, report.ruling_id) == [first]
    with database.reading() as reader:
        assert [one.verb for one in history(reader, [report.ruling_id])] == ["ruling.made", "outcome.reported"]


@pytest.mark.parametrize(
    "changed", [{"value": {"minor": 6}}, {"name": "deal.lost"}, {"happened_at": datetime(2020, 1, 1, tzinfo=UTC)}]
)
def test_a_key_is_not_used_for_something_else(database: Database, changed: dict[str, Any]) -> None:
    """What was said first stands; a key with other content is a mistake that its sender must see."""
    report = _report(database, _decision(database))
    first, _ = _tell(database, report)

    with pytest.raises(ConflictError) as caught:
        _tell(database, replace(report, **changed))

    assert caught.value.reason == "key_reused"
    assert _kept(database, report.ruling_id) == [first]


def test_a_key_is_one_of_its_source(database: Database) -> None:
    """Two programs that count from 1 do not get in each other's way; one decision's key is not free for another."""
    one, other = _decision(database), _decision(database, "b")
    _tell(database, _report(database, one))

    assert _tell(database, _report(database, one, value=7), OTHER)[1]
    with pytest.raises(ConflictError):
        _tell(database, _report(database, other))

    assert [found.source for found in _kept(database, one)] == ["api_key:key_1", "api_key:key_2"]
    assert _kept(database, other) == []


def test_outcomes_come_in_the_order_of_their_reports(light_database: Database) -> None:
    """Not in that of what happened: late news is appended, never pushed in."""
    ruling = _decision(light_database)
    start = light_database.clock.now()
    for n in range(4):
        _tell(light_database, _report(light_database, ruling, key=f"k{n}", happened_at=start - timedelta(days=n)))

    assert [one.key for one in _kept(light_database, ruling)] == ["k0", "k1", "k2", "k3"]


@pytest.mark.parametrize("ruling_id", ["", "rul_0", "' OR 1=1", "rul_" + "9" * 5_000])
def test_an_unknown_decision_has_no_outcome(light_database: Database, ruling_id: str) -> None:
    """Evidence hangs on a decision that was made here, or on none."""
    with pytest.raises(NotFoundError):
        _tell(light_database, _report(light_database, ruling_id))

    assert _kept(light_database, ruling_id) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": ""}, "outcome_name"),
        ({"name": "Deal"}, "outcome_name"),
        ({"name": "1deal"}, "outcome_name"),
        ({"name": "deal won"}, "outcome_name"),
        ({"name": "deal\n"}, "outcome_name"),
        ({"name": "d" * 65}, "outcome_name"),
        ({"name": "dëal"}, "outcome_name"),
        ({"key": ""}, "outcome_key"),
        ({"key": "k" * 201}, "outcome_key"),
        ({"value": None}, "outcome_value"),
        ({"value": "x" * 4_095}, "outcome_value"),
        ({"value": "€" * 1_500}, "outcome_value"),
        ({"value": [0] * 2_100}, "outcome_value"),
        ({"happened_at": datetime(2020, 1, 1)}, "outcome_time"),  # noqa: DTZ001  the missing zone is the point
        ({"happened_at": datetime(2999, 1, 1, tzinfo=UTC)}, "outcome_time"),
        ({"happened_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))}, "outcome_time"),
    ],
)
def test_what_cannot_be_kept_is_refused(light_database: Database, changed: dict[str, Any], code: str) -> None:
    """Names no report can list, keys and values beyond their size in bytes, times without zone or to come."""
    report = _report(light_database, "rul_1", **changed)

    with pytest.raises(InputError) as caught:
        report.check(light_database.clock.now())

    assert caught.value.reason == code


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "d"},
        {"name": "d" * 64},
        {"name": "a.b_c-9"},
        {"key": "k" * 200},
        {"value": False},
        {"value": 0},
        {"value": ""},
        {"value": "x" * 4_094},
        {"happened_at": datetime(1, 1, 2, tzinfo=UTC)},
    ],
)
def test_the_bounds_themselves_are_allowed(light_database: Database, changed: dict[str, Any]) -> None:
    """Falsy values are values, and what is exactly as large as allowed is kept."""
    ruling = _decision(light_database)
    one, new = _tell(light_database, _report(light_database, ruling, **changed))

    assert new
    assert _kept(light_database, ruling) == [one]


def test_a_clock_that_is_a_little_ahead_is_forgiven(light_database: Database) -> None:
    """Five minutes, and not a microsecond more."""
    ruling, now = _decision(light_database), light_database.clock.now()
    ahead = _report(light_database, ruling, happened_at=now + timedelta(minutes=5))

    assert _tell(light_database, ahead)[1]
    with pytest.raises(InputError):
        _tell(light_database, replace(ahead, key="k2", happened_at=ahead.happened_at + timedelta(microseconds=1)))


def test_zones_do_not_make_another_time(light_database: Database) -> None:
    """The same moment in another zone is the same report."""
    report = _report(light_database, _decision(light_database))
    first, _ = _tell(light_database, report)

    elsewhere = report.happened_at.astimezone(timezone(timedelta(hours=9)))

    assert _tell(light_database, replace(report, happened_at=elsewhere)) == (first, False)


def test_true_is_not_one(light_database: Database) -> None:
    """JSON tells them apart, so the second of the two is not a repetition."""
    report = _report(light_database, _decision(light_database), value=[True])
    _tell(light_database, report)

    with pytest.raises(ConflictError):
        _tell(light_database, replace(report, value=[1]))


_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text("aü€\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_VALUES)
def test_any_value_is_the_same_when_repeated(light_database: Database, value: Any) -> None:
    """Whatever JSON it was, storing it and saying it again is a repetition, never a conflict."""
    key = f"k{len(_KEYS)}"
    _KEYS.append(key)
    ruling = _decision(light_database, f"{key}-{light_database.clock.now()}")
    report = _report(light_database, ruling, value=value, key=key)

    assert _tell(light_database, report)[1]
    assert not _tell(light_database, report)[1]
    assert _kept(light_database, ruling)[0].value == value


_KEYS: list[str] = []
