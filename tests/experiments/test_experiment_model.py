"""Arms and draws, without a database: shares, stability, independence, hostile declarations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import InputError
from fairlead.experiments import Arm, Experiment, arm_of, contact_holdout

SEED = b"s" * 32
PEOPLE = [f"cus_{n}" for n in range(20_000)]
HALVES = (Arm("a", 0.5), Arm("b", 0.5))


@settings(max_examples=8)
@given(weights=st.lists(st.integers(1, 20), min_size=2, max_size=10), seed=st.binary(min_size=16, max_size=32))
def test_each_arm_gets_its_share(weights: list[int], seed: bytes) -> None:
    """Over 4,000 units each arm is within five standard deviations of its share, whatever shares and seed are."""
    shares = [weight / sum(weights) for weight in weights]
    experiment = Experiment("mail", tuple(Arm(f"arm-{n}", share) for n, share in enumerate(shares)))
    found = [arm_of(experiment, seed, one).name for one in PEOPLE[:4_000]]
    for arm in experiment.arms:
        spread = math.sqrt(4_000 * arm.share * (1 - arm.share))
        assert abs(found.count(arm.name) - 4_000 * arm.share) <= 5 * spread, arm


@given(seed=st.binary(min_size=1, max_size=64), unit=st.text(min_size=1, max_size=50))
def test_a_draw_hangs_on_seed_experiment_and_unit_alone(seed: bytes, unit: str) -> None:
    """Drawn again, from an equal experiment made anew, it is the same arm."""
    one, same = (Experiment("mail", HALVES) for _ in range(2))
    assert one.version == same.version
    assert arm_of(one, seed, unit) == arm_of(same, seed, unit)


def test_experiments_are_independent_of_each_other() -> None:
    """Two names, two versions of one name, and two seeds: the arms of one say nothing about those of the other."""
    first = Experiment("mail", HALVES)
    others = [
        (Experiment("calls", HALVES), SEED),
        (Experiment("mail", (Arm("x", 0.5), Arm("y", 0.5))), SEED),
        (first, b"t" * 32),
        (contact_holdout(0.5), SEED),
    ]
    mine = [arm_of(first, SEED, one) is first.arms[0] for one in PEOPLE]
    for other, seed in others:
        theirs = [arm_of(other, seed, one) is other.arms[0] for one in PEOPLE]
        both = sum(x and y for x, y in zip(mine, theirs, strict=True))
        assert abs(both - len(PEOPLE) / 4) < 5 * math.sqrt(len(PEOPLE) * 3 / 16), other.name


@given(st.tuples(st.floats(0.01, 0.5), st.floats(0.01, 0.5)), st.sampled_from(PEOPLE))
def test_a_larger_holdout_holds_out_whoever_a_smaller_one_would(shares: tuple[float, float], one: str) -> None:
    """Of customers who were never drawn, too, nobody is let go by a larger share."""
    small, large = sorted(shares)
    if arm_of(contact_holdout(small), SEED, one).name == "held_out":
        assert arm_of(contact_holdout(large), SEED, one).name == "held_out"


def test_a_version_is_its_content() -> None:
    """Another share, arm, order or unit is another version; no two of them are one."""
    some = [
        Experiment("mail", HALVES),
        Experiment("mail", HALVES[::-1]),
        Experiment("mail", HALVES, unit="case"),
        Experiment("mail", (Arm("a", 0.4), Arm("b", 0.6))),
        Experiment("calls", HALVES),
    ]
    assert len({one.version for one in some}) == len(some)


@pytest.mark.parametrize(
    "arms",
    [
        (),
        (Arm("a", 1.0),),
        (Arm("a", 0.5), Arm("a", 0.5)),
        (Arm("a", 0.5), Arm("b", 0.4)),
        (Arm("a", 0.0), Arm("b", 1.0)),
        (Arm("a", -0.5), Arm("b", 1.5)),
        (Arm("a", math.nan), Arm("b", 0.5)),
        (Arm("a", math.inf), Arm("b", -math.inf)),
        (Arm("", 0.5), Arm("b", 0.5)),
        (Arm("<script>", 0.5), Arm("b", 0.5)),
        (Arm("a" * 65, 0.5), Arm("b", 0.5)),
        (Arm("é", 0.5), Arm("b", 0.5)),
        tuple(Arm(f"a{n}", 1 / 11) for n in range(11)),
    ],
)
def test_arms_that_cannot_be_are_refused(arms: tuple[Arm, ...]) -> None:
    """Too few, too many, double, misnamed, or with shares that are none: never an experiment."""
    with pytest.raises(InputError):
        Experiment("mail", arms)


@pytest.mark.parametrize("name", ["", "Mail", "a b", "a\n", "../a", "-a", "a" * 65, "\uff11"])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    """Of experiments and of units alike."""
    with pytest.raises(InputError):
        Experiment(name, HALVES)
    with pytest.raises(InputError):
        Experiment("mail", HALVES, unit=name)
