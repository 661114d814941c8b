"""`experiments.yaml`: what may stand in it, and what is said of mistakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairlead.errors import SourceError
from fairlead.experiments import GoalKind, check_plans, parse_plans
from tests.experiments.plans import PLAN

WHOLE = """\
experiments:
  order:
    words: Who is called first?
    version: 3
    unit: customer
    facts: {price: double, country: string}
    eligible: [price > 10.0, country != "FR"]
    arms: {new: 0.2, old: 0.3, none: 0.5}
    otherwise: old
    from: 2027-01-10
    until: 2027-03-01T12:00+02:00
    outcome: {ended: [won, kept], within: 30d}
    per_arm: 400
"""


def test_every_key_is_read() -> None:
    """Arms in their order, moments in UTC, both kinds of outcome; what is left out has its default."""
    plan, least = parse_plans(WHOLE)["order"], parse_plans(PLAN)["first-mail"]
    assert [tuple(arm) for arm in plan.arms] == [("new", 0.2), ("old", 0.3), ("none", 0.5)]
    assert (plan.version, plan.otherwise, plan.per_arm) == (3, "old", 400)
    assert plan.begins == datetime(2027, 1, 10, tzinfo=UTC)
    assert plan.ends == datetime(2027, 3, 1, 10, tzinfo=UTC)
    assert plan.goal == (GoalKind.ENDED, ("won", "kept"), timedelta(days=30))
    assert (least.version, least.otherwise, least.begins, least.ends) == (1, "long", None, None)
    assert least.goal.words == "the event replied within 14 d of the draw"


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"price": 11, "country": "DE"}, ""),
        ({"price": 9.0, "country": "DE"}, '(price > 10.0) && (country != "FR") does not hold'),
        ({"price": 11}, "cannot be told: country"),
        ({"price": "many", "country": "DE"}, "cannot be told: price"),
        ({"price": float("nan"), "country": "DE"}, "cannot be told: price"),
    ],
)
def test_eligibility_is_judged_on_typed_facts(facts: dict[str, object], why: str) -> None:
    """A fact that is missing or of another type makes nobody eligible."""
    said = parse_plans(WHOLE)["order"].ineligible(facts)
    assert why in said
    assert bool(said) == bool(why)


def test_the_facts_digest_is_keyed_and_of_what_was_read() -> None:
    """Facts that eligibility does not read change nothing, another seed changes everything."""
    plan = parse_plans(PLAN)["first-mail"]
    one = plan.facts_digest(b"a" * 32, {"country": "DE", "name": "Ada"})
    assert one == plan.facts_digest(b"a" * 32, {"country": "DE"})
    assert len({one, plan.facts_digest(b"b" * 32, {"country": "DE"}), plan.facts_digest(b"a" * 32, {})}) == 3


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("per_arm: 20", "per_armm: 20", "8:5", "Did you mean 'per_arm'?"),
        ("words:", "wordz:", "3:5", "Did you mean 'words'?"),
        ("per_arm: 20", "per_arm: 19", "8:14", "less than 20"),
        ("per_arm: 20", "per_arm: 1000000", "8:14", "more than 50000"),
        ("long: 0.5", "long: 0.4", "6:11", "0.9 together"),
        ("long: 0.5", "long: 0", "6:18", "less than"),
        ("long: 0.5, short: 0.5", "long: 0.9", "6:11", "2 to 10"),
        ("long: 0.5", "Long one: 0.5", "6:12", "small letters"),
        ('country == "DE"', 'contry == "DE"', "5:15", "Did you mean 'country'?"),
        ('country == "DE"', "country", "5:15", "true or false"),
        ("country: string", "country: text", "4:22", "not known here"),
        ("country: string", "Country: string", "4:13", "not a fact's name"),
        ("event: replied", "event: replied, ended: won", "7:14", "one of event and ended"),
        ("event: replied, ", "", "7:14", "one of event and ended"),
        ("14d", "400d", "7:39", "outside"),
        ("replied", "Replied!", "7:22", "not a name"),
        ("    per_arm", "    unit: case\n    per_arm", "8:11", "not known here"),
        ("    per_arm", "    otherwise: none\n    per_arm", "8:16", "not known here"),
        ("    per_arm", "    from: soon\n    per_arm", "8:11", "is no moment"),
        ("    per_arm", "    from: 2027-02-30\n    per_arm", "8:11", "is no moment"),
        ("    per_arm", "    from: 2027-02-03T10:00\n    per_arm", "8:11", "with a zone"),
        ("    per_arm", "    from: 2027-02-03\n    until: 2027-02-03\n    per_arm", "9:12", "before it begins"),
        ("    per_arm", "    version: 0\n    per_arm", "8:14", "less than 1"),
        ("first-mail", "contact-holdout", "2:3", "contact.yaml"),
        ("first-mail", "First mail", "2:3", "small letters"),
        ("experiments:", "experiment:", "1:1", "Did you mean 'experiments'?"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(old: str, new: str, place: str, words: str) -> None:
    """Each is refused where it stands, in words."""
    _, [error] = check_plans({"experiments.yaml": PLAN.replace(old, new, 1)})
    said = f"{error.message} {error.suggestion}"
    assert words in said, said
    assert place in f"{error.place.line}:{error.place.column}"


@pytest.mark.parametrize("text", ["", "experiments: 3", "experiments: [a]", "experiments: {a: 1}", "{", "\x00", "- a"])
def test_what_is_no_file_of_this_kind_is_refused(text: str) -> None:
    """Never a crash."""
    with pytest.raises(SourceError):
        parse_plans(text)


def test_no_experiments_are_fine() -> None:
    """An empty list of them, and no file at all."""
    assert parse_plans("experiments: {}") == {}
    assert check_plans({}) == ({}, [])
