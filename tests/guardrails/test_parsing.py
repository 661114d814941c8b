"""`contact.yaml`: what is understood, and where mistakes are found."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources

import pytest

from fairlead.errors import SourceError
from fairlead.guardrails import DEFAULT, Period, WhenFull, check_rules, parse_rules, told

BASE = "purposes:\n  sales: {class: promotional, mechanism: opt_out}\n"


def test_the_example_is_understood() -> None:
    """The shipped file parses, is checked against connectors, and is told in words."""
    text = (resources.files("fairlead.sales") / "example" / "contact.yaml").read_text(encoding="utf-8")
    rules = parse_rules(text)
    assert check_rules({"contact.yaml": text}, frozenset({"log"})) == []
    assert rules.purposes["newsletter"].expires == timedelta(days=730)
    assert [one.name for one in rules.quiet if not one.lifted_by] == ["us-calls"]
    assert (rules.caps[0].per, rules.caps[1].when_full) == (Period.DAY, WhenFull.DEFER)
    for section in told(rules) + told(DEFAULT):
        assert all(len(row) == len(section.columns) for row in section.rows)


def test_comments_do_not_change_the_version() -> None:
    """The version is of the content."""
    assert parse_rules(BASE).version == parse_rules("# a note\n" + BASE).version
    assert parse_rules(BASE).version != parse_rules(BASE.replace("opt_out", "opt_in")).version


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        ("quiet_hour: []\n", "3:1", "quiet_hours"),
        ('quiet_hours:\n  - {name: n, from: "25:00", to: "08:00"}\n', "4:21", "not a time of day"),
        ('quiet_hours:\n  - {name: n, from: "08:00", to: "08:00"}\n', "4:34", "ends when it begins"),
        ('quiet_hours:\n  - {name: n, from: "00:00", to: "24:00"}\n', "4:5", "could ever go out"),
        ('quiet_hours:\n  - {name: a, from: "08:00", to: "21:00"}\n  - {name: b, from: "21:00", to: "08:00"}\n', "5:5",
         "could ever go out"),
        ('quiet_hours:\n  - {name: n, from: "21:00", to: "08:00", always: true, lifted_by: [reply]}\n', "4:68",
         "Nothing lifts"),
        ('quiet_hours:\n  - {name: n, from: "21:00", to: "08:00", zones: [Europe/Atlantis]}\n', "4:51", "no time zone"),
        ("caps:\n  - {name: c, most: -1, per: 7d}\n", "4:21", "less than 0"),
        ("caps:\n  - {name: c, most: 1, per: day, window: rolling}\n", "4:29", "time span"),
        ("caps:\n  - {name: c, most: 1, per: 7d, window: calendar}\n", "4:29", "day, week or month"),
        ("caps:\n  - {name: c, most: 1, per: 7d}\n  - {name: c, most: 1, per: 7d}\n", "5:12", "already a rule"),
        ("caps:\n  - {name: c, most: 1, per: 7d, purposes: [sale]}\n", "4:44", "'sales'"),
        ("caps:\n  - {name: c, most: 1, per: 7d, when_full: drop, expires: 1d}\n", "4:59", "does not wait"),
        ("holdout: {share: 0.9}\n", "3:18", "more than 0.5"),
        ("holdout: {share: 0.1, applies_to: [transactional]}\n", "3:35", "Nobody is held out"),
        ("complaint: {off: [promotion]}\n", "3:19", "'promotional'"),
        ("time_zone: Mars/Base\n", "3:12", "no time zone"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place_and_a_cure(more: str, place: str, words: str) -> None:
    """Unknown keys, impossible hours, names twice and what cannot be: line, column, and what was meant."""
    with pytest.raises(SourceError) as caught:
        parse_rules(BASE + more)
    assert str(caught.value.place) == f"contact.yaml:{place}"
    assert words in str(caught.value)


@pytest.mark.parametrize("purpose", ["{class: promotional, mechanism: notice_only}", "{class: news}",
                                     "{class: promotional, mechanism: opt_out, double: true}", "{}", "[]"])  # fmt: skip
def test_purposes_that_cannot_be(purpose: str) -> None:
    """A promotion by notice, an unknown class, a confirmation of no yes."""
    with pytest.raises(SourceError):
        parse_rules(f"purposes:\n  news: {purpose}\n")


def test_downstreams_need_a_connector_of_this_build() -> None:
    """`fairlead check` names the place of a connector that is not there."""
    text = BASE + "downstreams:\n  - {name: crm, connector: webhok}\n"
    errors = check_rules({"contact.yaml": text}, frozenset({"webhook"}))
    assert [(str(one.place), one.suggestion) for one in errors] == [("contact.yaml:4:28", "Did you mean 'webhook'?")]
