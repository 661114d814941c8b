"""DESIGN §3, steps 0 to 8: each step, and the properties that hold for every policy and every case."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fairlead.checkpoints.draws import Draws, draw, draws_for
from fairlead.checkpoints.model import Arm, Experiment, Grant, GrantKey, Level, Path, Price, Proposal, Stop
from fairlead.checkpoints.parsing import parse_policy
from fairlead.checkpoints.record import LabelWay
from fairlead.checkpoints.ruling import Question, rule, rule_many
from fairlead.checkpoints.sentences import explain, explain_for_customer
from fairlead.errors import InputError
from fairlead.kit import jsons

if TYPE_CHECKING:
    from fairlead.checkpoints.policy import CheckpointPolicy
    from fairlead.checkpoints.record import Ruling

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NEVER, ALWAYS = Draws(0.999_999, 0.999_999), Draws(0.0, 0.0)
RULES = (
    "{id: vip, when: \"'vip' in flags\", path: human, words: A VIP, customer: Your manager looks, role: key}",
    "{id: big, when: value > 1000, path: assist, words: Big deal, role: boss, quorum: 2}",
    "{id: huge, when: value > 5000, path: assist, words: Huge deal, role: boss, quorum: 3}",
    "{id: pair, when: n == 7, path: assist, words: Two of us, quorum: 2}",
    "{id: ban, when: n == 13, path: blocked, words: Banned, customer: We do not offer this.}",
    "{id: odd, when: rare == 1, path: assist, words: Reads a fact that is often missing}",
)
HEAD = """\
checkpoint: c
answer: {type: object, properties: {team: {type: string}}}
facts:
  n: {type: int, default: 0}
  flags: {type: list(string), default: []}
  need: {type: string, required: true}
  rare: {type: int, RARE}
segments: [{name: small, when: n < 5}]
review: {role: rep, due: 4h}
lottery: {rate: 0.25}
"""


def _policy(*rules: str, rare: str = "default: 0", more: str = "") -> CheckpointPolicy:
    body = "".join(f"  - {text}\n" for text in rules)
    return parse_policy(HEAD.replace("RARE", rare) + (f"rules:\n{body}" if body else "") + more, "c.yaml")


POLICY = _policy(*RULES)


def _grant(policy: CheckpointPolicy = POLICY, **changed: Any) -> Grant:
    base = Grant("g1", "c", "small", "m@1", Level.AUTO, policy.version, NOW + timedelta(days=1), 0.8, 0.02)
    return replace(base, **changed)


def _rule(
    policy: CheckpointPolicy = POLICY,
    *,
    grant: Grant | str | None = "default",
    score: float | None = 0.9,
    value: int | None = 5_000,
    draws: Draws = NEVER,
    experiment: Experiment | None = None,
    price: Price | None = None,
    stop: Stop | None = None,
    signed: bool = False,
    **signals: Any,
) -> Ruling:
    """A ruling on a harmless case with an auto grant, changed by the arguments."""
    proposal = Proposal("c", {"team": "west"}, "m@1", score, value, {"need": "here", **signals})
    grant = _grant(policy) if isinstance(grant, str) else grant
    grants = {} if grant is None else {GrantKey(grant.segment, grant.producer): grant}
    question = Question(proposal, policy.collect(proposal), draws, experiment, price)
    return rule(policy, question, grants, now=NOW, stop=stop, deterministic_signed=signed)


def _left(ruling: Ruling) -> list[str]:
    return ["/".join(path.value for path in step.left) for step in ruling.steps]


def test_auto_needs_nothing_removed() -> None:
    """A case that nothing speaks against acts alone, and the record shows every path after every step."""
    ruling = _rule()

    assert Path.AUTO is ruling.path
    assert ["auto/assist/human"] * 7 == _left(ruling)
    assert {} == ruling.needs
    assert ruling.trace.in_population


def test_stop_switch_leaves_people() -> None:
    """Step 1: while a stop switch is on, people decide; a blocking rule still blocks."""
    assert Path.HUMAN is _rule(stop=Stop("workspace", "Incident 7")).path
    assert Path.BLOCKED is _rule(stop=Stop("playbook"), n=13).path
    assert "Incident 7" in explain(_rule(stop=Stop("workspace", "Incident 7")))


def test_missing_required_facts() -> None:
    """Step 2: a required fact that is missing or unusable makes a person decide and is named."""
    ruling = _rule(need=None)
    odd = _rule(need=7)

    assert (Path.HUMAN, ("need",)) == (ruling.path, ruling.needs_information)
    assert "need is not known" in explain(ruling)
    assert "need is int where text was expected" in explain(odd)


def test_all_rules_count_and_the_strictest_wins() -> None:
    """Step 3: every rule is evaluated; paths tighten, roles and quorums unite."""
    ruling = _rule(value=600_000, flags=["vip"], n=7)

    assert Path.HUMAN is ruling.path
    assert ("vip", "big", "huge", "pair") == ruling.rules
    assert {"key": 1, "boss": 3, "rep": 2} == ruling.needs
    assert {"rep": 1} == _rule(grant=None).needs


def test_a_rule_that_cannot_be_evaluated() -> None:
    """Step 3: a rule whose facts are missing sends the case to a person and says why, beside the others."""
    policy = _policy(*RULES, rare="required: false")
    ruling = _rule(policy, value=200_000)

    assert Path.HUMAN is ruling.path
    assert ("big",) == ruling.rules
    assert "Rule odd could not be evaluated (rare is not known)" in explain(ruling)
    assert Path.AUTO is _rule(policy, rare=0).path


def test_unknown_value_is_missing_information() -> None:
    """A value without an exchange rate is not a small value."""
    assert Path.HUMAN is _rule(value=None).path


def test_segment_that_cannot_be_told() -> None:
    """A case whose segment is unknown goes to a person, whatever grant `other` holds."""
    policy = parse_policy(HEAD.replace("RARE", "required: false").replace("n < 5", "rare < 5"), "c.yaml")
    ruling = _rule(policy, grant=_grant(policy, segment="other"))

    assert (Path.HUMAN, "other") == (ruling.path, ruling.segment)
    assert "segment could not be told" in explain(ruling)


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({}, Path.AUTO, "score_enough"),
        ({"threshold": 0.9}, Path.AUTO, "score_enough"),
        ({"threshold": 0.91}, Path.ASSIST, "score_below"),
        ({"threshold": None}, Path.ASSIST, "score_below"),
        ({"threshold": math.nan}, Path.ASSIST, "score_below"),
        ({"level": Level.ASSIST}, Path.ASSIST, "assist_only"),
        ({"level": Level.SHADOW}, Path.HUMAN, "shadow"),
        ({"expires_at": NOW}, Path.HUMAN, "grant_expired"),
        ({"producer": "m@2"}, Path.HUMAN, "no_grant"),
        ({"segment": "other"}, Path.HUMAN, "no_grant"),
        ({"checkpoint": "d"}, Path.HUMAN, "no_grant"),
        ({"policy_version": "another"}, Path.ASSIST, "grant_policy_changed"),
        ({"policy_version": "another", "level": Level.SHADOW}, Path.HUMAN, "shadow"),
    ],
)
def test_grants(changed: dict[str, Any], path: Path, code: str) -> None:
    """Step 4: a grant allows exactly its level, for its producer and segment, until it expires."""
    ruling = _rule(grant=_grant(**changed))

    assert path is ruling.path
    assert [code] == [reason.code for reason in ruling.steps[3].reasons]


def test_a_grant_under_the_wrong_key_is_none() -> None:
    """A grant is believed for what it says itself, not for where it was found."""
    proposal = Proposal("c", {}, "m@1", 0.9, 0, {"need": "x"})
    question = Question(proposal, POLICY.collect(proposal), NEVER)

    ruling = rule(POLICY, question, {GrantKey("small", "m@1"): _grant(producer="m@2")}, now=NOW)

    assert Path.HUMAN is ruling.path


@pytest.mark.parametrize("score", [None, math.nan, math.inf, -math.inf, True])
def test_scores_that_are_none(score: float | None) -> None:
    """A missing or impossible score never acts alone."""
    ruling = _rule(score=score)

    assert (Path.ASSIST, None) == (ruling.path, ruling.score)


def test_deterministic_counts_when_signed() -> None:
    """A deterministic checkpoint needs no grant and may outlast a stop switch, but only once it is signed."""
    policy = _policy(more="deterministic: true\nstop: never\n")

    assert Path.AUTO is _rule(policy, grant=None, stop=Stop("workspace"), signed=True).path
    assert Path.HUMAN is _rule(policy, grant=None).path
    assert Path.HUMAN is _rule(POLICY, grant=None, signed=True).path
    assert Path.HUMAN is _rule(_policy(more="deterministic: true\n"), stop=Stop("workspace"), signed=True).path


ROUTES = Experiment("exp", (Arm("let", Path.AUTO, 0.5), Arm("see", Path.ASSIST, 0.25)))


@pytest.mark.parametrize(
    ("drawn", "arm", "path", "probability"),
    [
        (0.0, "let", Path.AUTO, 0.5), (0.49, "let", Path.AUTO, 0.5), (0.5, "see", Path.ASSIST, 0.25),
        (0.75, None, Path.AUTO, 0.25),
    ],
)  # fmt: skip
def test_experiment_arms(drawn: float, arm: str | None, path: Path, probability: float) -> None:
    """Step 5: an eligible case is drawn into an arm with the stored probability and goes no looser."""
    ruling = _rule(experiment=ROUTES, draws=Draws(0.99, drawn))

    assert ruling.enrolment is not None
    assert (True, arm, path) == (ruling.enrolment.eligible, ruling.enrolment.arm, ruling.path)
    assert probability == pytest.approx(ruling.enrolment.probability)


def test_experiments_take_only_cases_with_every_arm_open() -> None:
    """Step 5: a case that could not have been in every arm is in none, and that is stored."""
    ruling = _rule(experiment=ROUTES, draws=ALWAYS, value=200_000)

    assert ruling.enrolment is not None
    assert (False, None) == (ruling.enrolment.eligible, ruling.enrolment.arm)
    assert Path.ASSIST is ruling.path


@pytest.mark.parametrize(
    "arms", [(), (Arm("a", Path.BLOCKED, 0.1),), (Arm("a", Path.AUTO, 0.6), Arm("b", Path.AUTO, 0.6)),
             (Arm("a", Path.AUTO, math.nan),)]
)  # fmt: skip
def test_experiments_that_cannot_be_drawn(arms: tuple[Arm, ...]) -> None:
    """Nobody is blocked for an experiment, and probabilities are probabilities."""
    with pytest.raises(InputError):
        Experiment("e", arms)


PRICE = Price(per_minute_minor=100, minutes=2, p_wrong=0.10, p_human_wrong=0.02)


@pytest.mark.parametrize(
    ("price", "value", "path", "code"),
    [
        (PRICE, 5_000, Path.ASSIST, "price"),  # 5,000 x 0.08 = 400 > 200
        (PRICE, 2_400, Path.AUTO, "price_not_reached"),  # 192
        (replace(PRICE, p_human_wrong=0.2), 90_000, Path.AUTO, "price_not_reached"),
        (replace(PRICE, p_wrong=None), 5_000, Path.AUTO, "price_unknown"),
        (replace(PRICE, minutes=math.nan), 5_000, Path.AUTO, "price_unknown"),
        (None, 5_000, Path.AUTO, "price_unknown"),
    ],
)
def test_capacity_price(price: Price | None, value: int, path: Path, code: str) -> None:
    """Step 6: auto gives way where a person saves more than the review costs; without an input nothing
    happens.
    """
    ruling = _rule(price=price, value=value)

    assert path is ruling.path
    assert [code] == [reason.code for reason in ruling.steps[5].reasons]


def test_price_stays_out_of_experiments() -> None:
    """Step 6: an enrolled case keeps its arm's path whatever review costs."""
    ruling = _rule(price=PRICE, experiment=ROUTES, draws=Draws(0.99, 0.1))

    assert Path.AUTO is ruling.path
    assert ["price_not_in_experiments"] == [reason.code for reason in ruling.steps[5].reasons]


@pytest.mark.parametrize(
    ("changed", "way", "probability"),
    [
        ({}, LabelWay.AFTERWARDS, 0.25),
        ({"value": 200_000}, LabelWay.BLIND_FIRST, 0.25),
        ({"flags": ["vip"]}, LabelWay.ANSWER, 0.25),
        ({"n": 13}, LabelWay.NONE, 0.0),
        ({"grant": None}, LabelWay.ANSWER, 1.0),
        ({"grant": _grant(lottery_rate=0.5)}, LabelWay.AFTERWARDS, 0.5),
    ],
)
def test_lottery(changed: dict[str, Any], way: LabelWay, probability: float) -> None:
    """Step 8: a drawn case is labelled the way its path allows, with the stored probability; in shadow all
    are.
    """
    ruling = _rule(draws=ALWAYS, **changed)

    assert way is ruling.label_way
    assert probability == pytest.approx(ruling.trace.lottery_probability)
    assert LabelWay.NONE is _rule(draws=Draws(max(probability, 0.25), 0.9)).label_way


def test_population_of_a_grant() -> None:
    """Only cases that could still have been automatic when the grant was asked count for its certificate."""
    assert _rule(grant=None).trace.in_population
    assert not _rule(value=200_000).trace.in_population
    assert not _rule(n=13).trace.in_population


def test_record_as_data() -> None:
    """Data and JSON are the same, hold the values read, and name rules, steps and draws."""
    ruling = _rule(value=200_000, draws=Draws(0.1, 0.5), experiment=ROUTES)

    data = ruling.as_dict()

    assert data == jsons.loads(ruling.as_json())
    assert ("assist", ["big"], {"boss": 2}, 2000.0) == (
        data["path"], data["rules"], data["needs"], data["values"]["value"],
    )  # fmt: skip
    assert [1, 2, 3, 4, 5, 6, 7] == [step["step"] for step in data["steps"]]
    assert (0.1, 0.25, True) == (data["lottery_draw"], data["lottery_probability"], data["lottery_drawn"])
    assert False is data["experiment"]["eligible"]


def test_sentences_for_staff() -> None:
    """Staff read the rule's words with the values it saw, the grant and who must decide."""
    text = explain(_rule(value=200_000, grant=_grant(threshold=0.95)))

    assert "Big deal (rule big: value = 2000.0)." in text
    assert "The score 0.9 is below 0.95, which grant g1 asks for." in text
    assert "2 × boss" in text


def test_sentences_for_customers() -> None:
    """The customer reads what was written for customers about the path taken, and nothing else."""
    assert "Your manager looks." in explain_for_customer(_rule(flags=["vip"]))
    blocked = explain_for_customer(_rule(flags=["vip"], n=13))
    assert "We do not offer this." in blocked
    assert "Your manager" not in blocked


def test_draws_are_stable_uniform_and_apart() -> None:
    """A retry gives the same draw; names do not run together; the purposes are independent; the mean is a
    half.
    """
    assert draw(b"seed", "a", "bc", "lottery") == draw(b"seed", "a", "bc", "lottery")
    assert 4 == len({
        draw(b"seed", "a", "bc", "lottery"), draw(b"seed", "ab", "c", "lottery"),
        draw(b"other", "a", "bc", "lottery"), draw(b"seed", "a", "bc", "experiment"),
    })  # fmt: skip
    numbers = [draws_for(b"seed", "c", str(n)) for n in range(4_000)]
    assert all(0.0 <= x.lottery < 1.0 and 0.0 <= x.experiment < 1.0 for x in numbers)
    assert 0.5 == pytest.approx(sum(x.lottery for x in numbers) / 4_000, abs=0.03)
    both = sum(x.lottery < 0.5 and x.experiment < 0.5 for x in numbers)
    assert 0.25 == pytest.approx(both / 4_000, abs=0.03)


_SCORES = st.none() | st.floats() | st.floats(0, 1)
_SIGNALS = st.fixed_dictionaries({}, optional={
    "need": st.none() | st.just("here") | st.integers(),
    "n": st.integers(0, 14) | st.text(max_size=2) | st.none(),
    "flags": st.just(["vip"]) | st.just([]),
    "rare": st.integers(0, 2) | st.floats(allow_nan=False, allow_infinity=False),
})  # fmt: skip
_GRANTS = st.none() | st.builds(
    Grant, st.just("g1"), st.just("c"), st.sampled_from(["small", "other"]),
    st.sampled_from(["m@1", "m@2"]),
    st.sampled_from(Level), st.sampled_from(["own", "another"]),
    st.sampled_from([NOW - timedelta(1), NOW, NOW + timedelta(1)]), _SCORES, st.none(),
    st.none() | st.floats(0, 1),
)  # fmt: skip
_STOPS = st.none() | st.just(Stop("workspace"))
_PRICES = st.none() | st.builds(Price, _SCORES, _SCORES, _SCORES, _SCORES)
_EXPERIMENTS = st.none() | st.just(ROUTES)
_DRAWS = st.builds(Draws, st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
_VALUES = st.none() | st.integers(-10_000_000, 10_000_000)
_POLICIES = {
    (mask, rare): _policy(*(text for i, text in enumerate(RULES) if mask >> i & 1), rare=rare)
    for mask in range(2 ** len(RULES))
    for rare in ("default: 0", "required: false")
}
_MASKS = st.integers(0, 2 ** len(RULES) - 1)
_RARE = st.sampled_from(["default: 0", "required: false"])


def _ruled(policy: CheckpointPolicy, case: tuple[Any, ...]) -> Ruling:
    score, value, signals, grant, stop, price, experiment, draws = case
    proposal = Proposal("c", {"team": "west"}, "m@1", score, value, signals)
    grants = {}
    if grant is not None:
        version = policy.version if grant.policy_version == "own" else "another"
        grants[grant.key] = replace(grant, policy_version=version)
    question = Question(proposal, policy.collect(proposal), draws, experiment, price)
    return rule(policy, question, grants, now=NOW, stop=stop)


_CASES = st.tuples(_SCORES, _VALUES, _SIGNALS, _GRANTS, _STOPS, _PRICES, _EXPERIMENTS, _DRAWS)


@given(_MASKS, _MASKS, _RARE, _CASES)
def test_more_rules_never_loosen(mask: int, more: int, rare: str, case: tuple[Any, ...]) -> None:
    """Adding rules never gives a looser path, and never takes away a role that a rule asked for."""
    few = _ruled(_POLICIES[mask, rare], case)
    many = _ruled(_POLICIES[mask | more, rare], case)

    assert many.path.strictness >= few.path.strictness or many.enrolment != few.enrolment
    if many.path is not Path.BLOCKED and few.rules:
        asked = {role: count for role, count in few.needs.items() if role != "rep"}
        assert all(many.needs.get(role, 0) >= count for role, count in asked.items())


@given(_MASKS, _RARE, _CASES)
def test_steps_only_remove(mask: int, rare: str, case: tuple[Any, ...]) -> None:
    """What is left after a step was left before it; something always is; blocked stays blocked."""
    ruling = _ruled(_POLICIES[mask, rare], case)

    before = {Path.AUTO, Path.ASSIST, Path.HUMAN}
    for step in ruling.steps:
        left = set(step.left)
        assert left
        assert left <= before or left == {Path.BLOCKED}
        assert left == before or step.reasons
        before = left
    assert ruling.path is min(before, key=lambda path: path.strictness)


@given(_MASKS, _RARE, _CASES)
def test_auto_only_under_a_valid_grant(mask: int, rare: str, case: tuple[Any, ...]) -> None:
    """Nothing acts alone without an unexpired auto grant for its own producer, segment and policy, and the
    score.
    """
    policy = _POLICIES[mask, rare]
    ruling = _ruled(policy, case)
    score, _, _, grant, stop, *_ = case

    if ruling.path is Path.AUTO:
        assert grant is not None
        assert (Level.AUTO, "own", "m@1", ruling.segment) == (
            grant.level, grant.policy_version, grant.producer, grant.segment,
        )  # fmt: skip
        assert grant.expires_at > NOW
        assert score >= grant.threshold
        assert stop is None
        assert () == ruling.needs_information


@given(_MASKS, _RARE, _CASES)
def test_every_ruling_has_its_reasons(mask: int, rare: str, case: tuple[Any, ...]) -> None:
    """Every ruling can be explained to staff and to the customer, who sees no id, score, role or staff
    words.
    """
    ruling = _ruled(_POLICIES[mask, rare], case)

    assert any(step.reasons for step in ruling.steps)
    assert explain(ruling)
    assert ruling.as_dict()["path"] == ruling.path.value
    told = explain_for_customer(ruling)
    assert told
    secrets = [
        "g1",
        "m@1",
        "boss",
        "rep ",
        "Big deal",
        "Huge",
        "VIP",
        "Banned",
        "small",
        "score",
        *"0123456789",
    ]
    assert [] == [secret for secret in secrets if secret in told]


@given(_MASKS, _RARE, st.lists(_CASES, max_size=6))
def test_a_chunk_equals_its_cases(mask: int, rare: str, cases: list[tuple[Any, ...]]) -> None:
    """Ruling on many gives each the ruling it gets alone, and a retry gives the same again."""
    policy = _POLICIES[mask, rare]
    grant = _grant(policy)
    questions = []
    for score, value, signals, _, _, price, experiment, draws in cases:
        proposal = Proposal("c", {"team": "west"}, "m@1", score, value, signals)
        questions.append(Question(proposal, policy.collect(proposal), draws, experiment, price))

    together = rule_many(policy, questions, {grant.key: grant}, now=NOW)

    alone = [rule(policy, question, {grant.key: grant}, now=NOW) for question in questions]
    assert [r.as_json() for r in alone] == [r.as_json() for r in together]
