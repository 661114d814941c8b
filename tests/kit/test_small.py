"""The kit's small rules: money, actors, the pace of bulk work, and CSV to a file."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import InputError
from fairlead.kit.actors import SYSTEM, TIMER, Actor, ActorKind
from fairlead.kit.exports import write_csv
from fairlead.kit.money import currency_exponent
from fairlead.kit.pace import LEAST_ALONE, LEAST_BESIDE, MOST, BatchPace, Started

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("CLP", 0), ("KWD", 3), ("TND", 3), ("BHD", 3)],
)
def test_minor_units_of_a_currency(currency: str, exponent: int) -> None:
    """As ISO 4217 says: an amount in yen is not a hundredth of one, one in dinars not ten times as much."""
    assert currency_exponent(currency) == exponent


@pytest.mark.parametrize("currency", ["", "jpy", "XXX", "JPY ", "\0", "EURO" * 1_000])
def test_an_unknown_currency_has_cents(currency: str) -> None:
    """Codes are exact: what is not known is not guessed at."""
    assert currency_exponent(currency) == 2


@given(kind=st.sampled_from(ActorKind), name=st.text())
@settings(max_examples=50)
def test_an_actor_survives_the_record(kind: ActorKind, name: str) -> None:
    """Whatever the id, colons and all, what the audit record stores is read back as the same actor."""
    actor = Actor(kind, name)

    assert Actor.parse(str(actor)) == actor


@pytest.mark.parametrize("text", ["", "usr_1", "root:usr_1", "USER:usr_1", " user:usr_1", ":usr_1"])
def test_what_is_no_actor_is_refused(text: str) -> None:
    """A kind that is not one of the six never becomes an actor."""
    with pytest.raises(ValueError, match="ActorKind"):
        Actor.parse(text)


def test_fairleads_own_actors_are_apart() -> None:
    """What a timer did is told apart from what Fairlead did by itself."""
    assert (str(SYSTEM), str(TIMER)) == ("system:fairlead", "timer:fairlead")


class _Time:
    """Both clocks of a thread, as the test says."""

    def __init__(self) -> None:
        self.wall = self.own = 100.0

    def spend(self, own: float, wall: float) -> None:
        """Seconds that pass for the thread and on the wall."""
        self.own += own
        self.wall += wall


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> _Time:
    """Time that passes only when the test says so."""
    made = _Time()
    monkeypatch.setattr("fairlead.kit.pace.time.perf_counter", lambda: made.wall)
    monkeypatch.setattr("fairlead.kit.pace.time.thread_time", lambda: made.own)
    return made


def _run(learner: BatchPace, spent: _Time, *, own: float = 0.0, wall: float = 0.0, times: int = 40) -> list[int]:
    """Sizes of that many transactions, each row of which takes so long."""
    sizes = []
    for _ in range(times):
        sizes.append(learner.size())
        started = learner.start()
        spent.spend(own * sizes[-1], max(own, wall) * sizes[-1])
        learner.note(sizes[-1], started)
    return sizes


@pytest.mark.parametrize("exclusive", [True, False])
def test_batches_become_as_large_as_the_time_allows(spent: _Time, exclusive: bool) -> None:
    """At 0.1 ms for a row and 30 ms for a transaction, 300 rows after a while."""
    sizes = _run(BatchPace(30, exclusive=exclusive), spent, own=0.0001)

    assert 295 <= sizes[-1] <= 300
    assert sizes[0] < sizes[-1]


@pytest.mark.parametrize(("exclusive", "least"), [(True, LEAST_ALONE), (False, LEAST_BESIDE)])
def test_batches_keep_within_their_bounds(spent: _Time, exclusive: bool, least: int) -> None:
    """However slow or fast a row is: never fewer than pays, never more than 500."""
    learner = BatchPace(30, exclusive=exclusive)

    assert _run(learner, spent, own=10.0)[-1] == least
    assert _run(learner, spent, own=0.0, times=200)[-1] == MOST


def test_a_busy_machine_does_not_shrink_batches(spent: _Time) -> None:
    """Waiting up to three times as long as working counts as the machine's business; more is the disk's."""
    idle = _run(BatchPace(30, exclusive=True), spent, own=0.0001)[-1]
    busy = _run(BatchPace(30, exclusive=True), spent, own=0.0001, wall=0.0003)[-1]
    disk = _run(BatchPace(30, exclusive=True), spent, own=0.0001, wall=0.0012)[-1]

    assert busy == idle
    assert disk < idle / 2


def test_one_slow_transaction_is_not_the_rule(spent: _Time) -> None:
    """A hiccup makes the next batch smaller, but not smallest, and is forgotten."""
    learner = BatchPace(30, exclusive=True)
    usual = _run(learner, spent, own=0.0001)[-1]
    _run(learner, spent, own=0.0005, times=1)

    assert LEAST_ALONE < learner.size() < usual
    assert _run(learner, spent, own=0.0001)[-1] >= usual - 1


@pytest.mark.parametrize("rows", [0, -1])
def test_a_transaction_without_rows_teaches_no_nonsense(spent: _Time, rows: int) -> None:
    """No division by nothing, and the size stays one that can be used."""
    learner = BatchPace(30, exclusive=True)
    learner.note(rows, learner.start())

    assert LEAST_ALONE <= learner.size() <= MOST


def test_clocks_that_go_back_teach_no_nonsense() -> None:
    """A start in the future is a row in no time, not a negative one."""
    learner = BatchPace(30, exclusive=True)
    for _ in range(50):
        learner.note(10, Started(time.perf_counter() + 1e6, time.thread_time() + 1e6))

    assert learner.size() == MOST


def test_a_table_is_written_to_a_file_and_counted() -> None:
    """The header is no row; formulas are harmless in the file, too; the rows are taken one by one."""
    stream = io.StringIO()

    def rows() -> Iterator[tuple[object, ...]]:
        yield ("=cmd()", 1)
        yield ('a;b"c\nd', None)

    assert write_csv(stream, ["name", "n"], rows(), separator=";") == 2
    assert list(csv.reader(io.StringIO(stream.getvalue()), delimiter=";")) == [
        ["name", "n"],
        ["'=cmd()", "1"],
        ['a;b"c\nd', ""],
    ]


def test_an_empty_table_still_has_its_header() -> None:
    """Who opens it sees what would be there."""
    stream = io.StringIO()

    assert write_csv(stream, ["=name"], []) == 0
    assert stream.getvalue() == "'=name\r\n"


@pytest.mark.parametrize("row", [(), ("a",), ("a", "b", "c")])
def test_a_crooked_row_stops_the_export(row: tuple[str, ...]) -> None:
    """Better no file than one whose columns have moved."""
    with pytest.raises(InputError) as caught:
        write_csv(io.StringIO(), ["x", "y"], [row])

    assert caught.value.fields["cells"] == len(row)
