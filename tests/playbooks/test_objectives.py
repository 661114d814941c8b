"""Objectives: what may be written, what is refused with its place, and that the figures are the true ones."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from fairlead.checkpoints import rulings_of_case
from fairlead.errors import SourceError
from fairlead.evidence import OutcomeReport, report_outcome
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import Figure, MeasureKind, Objective, Progress, Standing, progress_of
from fairlead.playbooks.objectives import last_period, median, share_of, standing, weeks_until, window_of
from fairlead.playbooks.parsing import parse_playbook
from fairlead.reviews import Verb
from tests.playbooks.world import OFFER, playbook

if TYPE_CHECKING:
    from tests.playbooks.world import World

GOAL = (
    "objective: {{goal: More offers are won., measure: {measure}, target: {target}, {when}, owner: ida@acme.example}}"
)
STAGES = """
  ask: {checkpoint: offer, answer: {price: price}, next: {approved: won, rejected: lost, blocked: lost}}
  won: {end: won}
  lost: {end: lost}
"""


def written(measure: str, target: str = "0.5", when: str = "per: month") -> str:
    """A playbook with this objective."""
    return playbook(STAGES, head=GOAL.format(measure=measure, target=target, when=when))


def objective(measure: str, target: str = "0.5", when: str = "per: month") -> Objective:
    """As it is read."""
    found = parse_playbook(written(measure, target, when), "p.yaml").objective
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("measure", "target", "kind"),
    [
        ("{ended: won}", "0.7", MeasureKind.ENDED),
        ("{count_ended: won}", "120", MeasureKind.COUNT_ENDED),
        ("{median_time_to: won}", "4h", MeasureKind.MEDIAN_TIME_TO),
        ("{median_time_to: ask}", "90s", MeasureKind.MEDIAN_TIME_TO),
        ("{without_person: offer}", "1", MeasureKind.WITHOUT_PERSON),
        ("{outcome: converted}", "0", MeasureKind.OUTCOME),
    ],
)
def test_every_measure_can_be_written(measure: str, target: str, kind: MeasureKind) -> None:
    """With a target in its own unit, and a day or a period."""
    assert objective(measure, target).measure.kind is kind
    by = objective(measure, target, "by: 2027-03-31")
    assert (str(by.by), by.per) == ("2027-03-31", None)


@pytest.mark.parametrize(
    ("measure", "target", "when", "said"),
    [
        ("{ended: win}", "0.5", "per: month", "p.yaml:3:58: This playbook has no end 'win'. Did you mean 'won'?"),
        ("{endet: won}", "0.5", "per: month", "p.yaml:3:51: Unknown key 'endet'. Did you mean 'ended'?"),
        ("{ended: won, outcome: x}", "0.5", "per: month", "A measure is exactly one of"),
        ("{}", "0.5", "per: month", "A measure is exactly one of"),
        ("{without_person: offers}", "0.5", "per: month", "Did you mean 'offer'?"),
        ("{median_time_to: won}", "4", "per: month", "Expected a duration"),
        ("{median_time_to: asked}", "4h", "per: month", "Did you mean 'ask'?"),
        ("{outcome: No!}", "0.5", "per: month", "is not an outcome's name"),
        ("{ended: won}", "70", "per: month", "Write 0.7 for 70 %."),
        ("{ended: won}", "-0.1", "per: month", "less than 0"),
        ("{count_ended: won}", "0", "per: month", "less than 1"),
        ("{ended: won}", "0.5", "per: year", "'year' is not known here"),
        ("{ended: won}", "0.5", "by: 2027-02-30", "is not a day"),
        ("{ended: won}", "0.5", "by: tomorrow", "is not a day"),
        ("{ended: won}", "0.5", "by: 2027-03-31, per: week", "by a day or in each period"),
        ("{ended: won}", ".nan", "per: month", "Expected a number"),
        ("{ended: won}", "true", "per: month", "Expected a number"),
    ],
)
def test_mistakes_are_refused_with_their_place(measure: str, target: str, when: str, said: str) -> None:
    """File, line and column, and the word that was probably meant."""
    with pytest.raises(SourceError) as refused:
        parse_playbook(written(measure, target, when), "p.yaml")
    assert said in refused.value.message
    assert refused.value.place.line == 3


@pytest.mark.parametrize("owner", ["somebody", "a@b@c", "<script>@x.example", "per_short"])
def test_an_owner_can_be_reached(owner: str) -> None:
    """An e-mail address or a person's id, nothing else."""
    with pytest.raises(SourceError, match="owner"):
        parse_playbook(written("{ended: won}").replace("ida@acme.example", f"'{owner}'"), "p.yaml")


def test_a_key_that_is_missing_is_named() -> None:
    """Goal, measure, target and owner are needed."""
    for key in ("goal: More offers are won., ", "target: 0.5, ", ", owner: ida@acme.example"):
        with pytest.raises(SourceError, match="missing"):
            parse_playbook(written("{ended: won}").replace(key, ""), "p.yaml")


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_interval_of_a_share_holds_it(hits: int, misses: int) -> None:
    """It stays within 0 and 1, holds the share, and is never a single point."""
    figure = share_of(hits, hits + misses)
    if not hits + misses:
        assert figure == Figure(None, 0)
        return
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
    assert figure.high > figure.low


def test_the_interval_of_a_share_is_wilsons() -> None:
    """Figures of Newcombe (1998), table I: 81 of 263 and 15 of 148, and none of 20."""
    for hits, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        figure = share_of(hits, n)
        assert (round(figure.low or 0, 4), round(figure.high or 0, 4)) == (low, high)


def test_the_interval_of_a_median_is_the_tables() -> None:
    """The ranks of the binomial tables: 1 and 6 of 6, 2 and 9 of 10, 6 and 15 of 20, 40 and 61 of 100."""
    for n, rank in ((6, 1), (9, 2), (10, 2), (20, 6), (100, 40)):
        figure = median([float(value) for value in range(1, n + 1)])
        assert (figure.value, figure.low, figure.high) == ((n + 1) / 2, rank, n + 1 - rank)
    assert median([3.0, 1.0, 2.0]) == Figure(2.0, 3)
    assert median([]) == Figure(None, 0)


@given(st.lists(st.floats(0, 1e9), min_size=6, max_size=300))
def test_the_interval_of_a_median_promises_its_share(values: list[float]) -> None:
    """The two ranks hold the median with at least 95 %, and no wider pair than needed is taken."""
    n, figure = len(values), median(values)
    ordered = sorted(values)
    rank = next(k for k in range(1, n + 1) if ordered[k - 1] == figure.low)
    tail = sum(math.comb(n, k) for k in range(_last_rank(n))) / 2**n
    assert tail <= 0.025
    assert rank <= _last_rank(n)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low <= (figure.value or 0) <= figure.high


def _last_rank(n: int) -> int:
    """By exact sums: the largest k with P(X < k) at most 2.5 %."""
    below, rank = 0, 0
    for k in range(n):
        below += math.comb(n, k)
        if below / 2**n > 0.025:
            break
        rank = k + 1
    return rank


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure(None, 0), Standing.EARLY),
        (Figure(1.0, 3, 0.4, 1.0), Standing.EARLY),
        (Figure(0.6, 50, 0.45, 0.7), Standing.NEAR),
        (Figure(0.9, 50, 0.8, 0.95), Standing.REACHED),
        (Figure(0.1, 50, 0.05, 0.2), Standing.MISSED),
    ],
)
def test_a_figure_stands_to_its_target_with_its_interval(figure: Figure, expected: Standing) -> None:
    """Below ten cases it is too early; an interval that holds the target cannot tell."""
    assert standing(objective("{ended: won}"), figure) is expected


def test_times_are_better_when_lower() -> None:
    """And counts have no interval: they are what they are."""
    quick = objective("{median_time_to: won}", "1h")
    assert standing(quick, Figure(600.0, 30, 500.0, 900.0)) is Standing.REACHED
    assert standing(quick, Figure(7200.0, 30, 5000.0, 9000.0)) is Standing.MISSED
    assert standing(objective("{count_ended: won}", "3"), Figure(3.0, 3)) is Standing.REACHED


def test_periods_begin_on_their_first_day() -> None:
    """Weeks on Monday, months and quarters on the first, all in UTC; the one before ends where this begins."""
    now = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
    for per, start, before in (("week", (11, 16), (11, 9)), ("month", (11, 1), (10, 1)), ("quarter", (10, 1), (7, 1))):
        one = objective("{ended: won}", "0.5", f"per: {per}")
        since, _ = window_of(one, now)
        assert since is not None
        assert (since.month, since.day, since.hour) == (*start, 0)
        assert last_period(one, now) == (datetime(2026, *before, tzinfo=UTC), since)
    by = objective("{ended: won}", "0.5", "by: 2027-03-31")
    assert window_of(by, now)[0] == now - timedelta(days=28)
    assert last_period(by, now) is None
    assert [one.weekday() for one in weeks_until(now)] == [0] * 12


def stands(world: World) -> Progress:
    """Where the deployed playbook stands now."""
    assert world.bundle is not None
    [compiled] = world.bundle.playbooks.values()
    with world.database.reading() as reader:
        found = progress_of(reader, compiled.playbook, world.clock.now())
    assert found is not None
    return found


def offer(measure: str, target: str, when: str = "per: month") -> str:
    """The offer playbook with an objective."""
    head = GOAL.format(measure=measure, target=target, when=when)
    return OFFER.replace("subject: lead", f"{head}\nsubject: lead")


def test_the_share_is_of_cases_that_ended(world: World) -> None:
    """Cases still under way count for nothing; the trend has each week's own share, the month before its own."""
    world.deploy(offer("{ended: won}", "0.5"))
    world.grant()
    world.open_many([{"price": 5.0, "confidence": 0.9}] * 6, playbook="offer")
    world.open_many([{"price": 5.0, "confidence": 0.9, "country": "KP"}] * 2, playbook="offer")
    world.open_many([{"price": 5.0, "confidence": 0.1}] * 3, playbook="offer")
    world.run()

    found = stands(world)
    assert (found.now.value, found.now.n, found.standing) == (0.75, 8, Standing.EARLY)
    assert [one.figure.n for one in found.weeks] == [0] * 11 + [8]
    assert found.previous == Figure(None, 0)
    world.later(hours=1)
    world.clock.advance(timedelta(days=29))
    later = stands(world)
    assert (later.now.n, later.previous and later.previous.n) == (0, 8)
    assert later.previous_span is not None


def test_nothing_yet_is_said_so(world: World) -> None:
    """Before the first case: no value, no interval, twelve empty weeks."""
    world.deploy(offer("{ended: won}", "0.5"))
    found = stands(world)
    assert (found.now, found.standing, len(found.weeks)) == (Figure(None, 0), Standing.EARLY, 12)


def test_a_count_counts_and_another_playbooks_cases_do_not(world: World) -> None:
    """`by` a day: everything since the beginning, also what ended long ago."""
    other = OFFER.replace("playbook: offer", "playbook: other")
    world.deploy(offer("{count_ended: won}", "5", "by: 2027-03-31"), other)
    world.grant()
    world.open_many([{"price": 5.0, "confidence": 0.9}] * 5, playbook="offer")
    world.open_many([{"price": 5.0, "confidence": 0.9}] * 3, playbook="other")
    world.run()
    world.clock.advance(timedelta(days=200))
    assert world.bundle is not None
    with world.database.reading() as reader:
        found = progress_of(reader, world.bundle.playbooks["offer"].playbook, world.clock.now())
    assert found is not None
    assert (found.now.value, found.standing, found.since) == (5.0, Standing.REACHED, None)


def test_the_median_time_is_measured_from_the_opening(world: World) -> None:
    """To an end, and to a stage on the way that not every case reaches."""
    stages = "  pause: {wait: time, for: 2h, next: {timeout: won}}\n  won: {end: won}"
    goal = GOAL.format(measure="{median_time_to: won}", target="1h", when="per: month")
    world.deploy(playbook(stages, head=goal))
    world.open_many([{}] * 12)
    world.run()
    world.later(hours=3)
    to_end = stands(world)
    assert (to_end.now.value, to_end.now.n, to_end.standing) == (7200.0, 12, Standing.MISSED)

    both = "  first: {wait: time, for: 30m, next: {timeout: pause}}\n" + stages
    world.deploy(playbook(both, name="late", head=goal.replace("median_time_to: won", "median_time_to: pause")))
    world.open_many([{}] * 3, playbook="late")
    world.later(minutes=45)
    to_stage = stands(world)
    assert (to_stage.now.value, to_stage.now.n) == (1800.0, 3)


def test_decided_without_a_person_leaves_out_what_nobody_decides(world: World) -> None:
    """Refusals by the policy are neither; what waits for a person is a person's."""
    world.deploy(offer("{without_person: offer}", "0.5"))
    world.grant()
    world.open_many([{"price": 5.0, "confidence": 0.9}] * 3, playbook="offer")
    world.open_many([{"price": 5000.0, "confidence": 0.9}], playbook="offer")
    world.open_many([{"price": 5.0, "confidence": 0.9, "country": "KP"}] * 5, playbook="offer")
    world.run()
    found = stands(world)
    assert (found.now.value, found.now.n) == (0.75, 4)


def test_outcomes_are_of_decisions_with_a_report(world: World) -> None:
    """The newest report of a name counts; what nobody reported on, and what is not yes or no, does not."""
    world.deploy(offer("{outcome: converted}", "0.5"))
    world.grant()
    cases = world.open_many([{"price": 5.0, "confidence": 0.9}] * 4, playbook="offer")
    world.run()
    with world.database.reading() as reader:
        rulings = [rulings_of_case(reader, case)[0].id for case in cases]
    said = [(0, "converted", True), (1, "converted", True), (1, "converted", False), (2, "converted", "maybe"),
            (3, "complained", True)]  # fmt: skip
    with world.database.transaction() as uow:
        for number, (index, name, value) in enumerate(said):
            report = OutcomeReport(rulings[index], name, value, world.clock.now(), f"k{number}")
            report_outcome(uow, SYSTEM, report)
    found = stands(world)
    assert (found.now.value, found.now.n) == (0.5, 2)


def test_a_rejected_offer_is_no_win(world: World) -> None:
    """A person's verdicts move the share as the machine's do."""
    world.deploy(offer("{ended: won}", "0.5", "per: week"))
    case = world.open({"price": 5.0, "confidence": 0.9}, playbook="offer")
    world.run()
    world.decide(case, Verb.ANSWER, answer={"price": 7})
    world.later(minutes=1)
    found = stands(world)
    assert (found.now.value, found.now.n) == (1.0, 1)


def test_a_playbook_without_a_goal_has_no_progress(world: World) -> None:
    """None, not an empty one."""
    world.deploy(OFFER)
    assert world.bundle is not None
    with world.database.reading() as reader:
        assert progress_of(reader, world.bundle.playbooks["offer"].playbook, world.clock.now()) is None
