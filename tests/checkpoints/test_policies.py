"""Policies as files: what is accepted, what is refused where, and that the documentation is complete."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

import pytest

from fairlead.checkpoints import parsing
from fairlead.checkpoints.answers import AGREEMENTS, Agreement
from fairlead.checkpoints.model import Path, Proposal
from fairlead.checkpoints.parsing import parse_policy
from fairlead.checkpoints.policy import segment_of
from fairlead.errors import InputError, SourceError

DOC = FilePath(__file__).parents[2] / "docs" / "policies.md"

WHOLE = """\
checkpoint: routing
answer:
  type: object
  required: [team]
  additionalProperties: false
  properties:
    team: {enum: [west, east]}
    discount: {type: number, maximum: 40}
    code: {type: string, pattern: '^(a*)*b$'}
agree: {how: exact, fields: [team]}
facts:
  country: string
  employees: {type: int, from: customer.employees, required: true}
  flags: {type: list(string), from: customer.flags, default: []}
  asked: {type: timestamp, from: now}
segments:
  - {name: small, when: employees < 50}
  - {name: big, when: [employees >= 1000, country == 'de']}
rules:
  - {id: vip, when: "'vip' in flags", path: human, words: A VIP., role: key-account}
review: {role: rep, due: 4h, priority: value / 10.0}
lottery: {rate: 0.1}
"""


def _changed(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new)


def test_a_whole_policy() -> None:
    """Every part of a policy arrives as written."""
    policy = parse_policy(WHOLE, "policies/routing.yaml")

    assert ("small", "big", "other") == policy.segment_names
    assert ("employees",) == policy.required
    assert (Path.HUMAN, "key-account", 1) == (
        policy.rules[0].path,
        policy.rules[0].role,
        policy.rules[0].quorum,
    )
    assert (timedelta(hours=4), "keep") == (policy.review.due, policy.review.on_expiry)
    assert 0.1 == pytest.approx(policy.lottery_rate)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("lottery:", "lotery:", "22:1", "Did you mean 'lottery'"),
        ("checkpoint: routing", "checkpoint: 7", "1:13", "Expected"),
        ("checkpoint: routing\n", "", "1:1", "'checkpoint' is missing"),
        ("  country: string", "  country: strin", "12:12", "Did you mean 'string'"),
        ("  country: string", "  now: string", "12:8", "already taken"),
        ("  country: string", "  value: string", "12:10", "already taken"),
        ("  country: string", "  cou-ntry: string", "12:13", "cannot be the name"),
        ("from: now", "from: clock", "15:34", "not a source"),
        ("customer.employees", "answer.team2", "13:32", "Did you mean 'team'"),
        ("required: true}", "required: true, default: 5}", "13:77", "no default"),
        ("default: []", "default: 5", "14:62", "int where a list of texts"),
        ("employees < 50", "employes < 50", "17:25", "Did you mean 'employees'"),
        ("name: big", "name: other", "18:12", "already a segment"),
        ("path: human", "path: auto", "20:45", "only a grant can"),
        ("path: human", "path: humn", "20:45", "Did you mean 'human'"),
        ("path: human", "path: blocked", "20:5", "no review"),
        ("words: A VIP., ", "", "20:5", "'words' is missing"),
        ("role: key-account", "quorum: 0", "20:75", "less than 1"),
        ("role: key-account", "quorum: two", "20:75", "whole number"),
        ("due: 4h", "due: 4 hours", "21:26", "Write for example"),
        ("due: 4h", "due: 4h, on_expiry: escalate", "21:9", "belong together"),
        ("value / 10.0", "country", "21:40", "int or double"),
        ("rate: 0.1", "rate: 1.5", "22:17", "more than 1"),
        ("fields: [team]", "fields: [tema]", "10:30", "Did you mean 'team'"),
        ("how: exact", "how: fuzzy", "10:14", "not known here"),
        ("lottery:", "stop: never\nlottery:", "22:7", "deterministic"),
        ("maximum: 40", "maximum: forty", "8:39", "not a valid JSON Schema"),
        ("maximum: 40", "$ref: 'http://elsewhere/x'", "8:30", "Unknown key '$ref'"),
        ("maximum: 40", "patternProperties: {}", "8:30", "Unknown key 'patternProperties'"),
        ("'^(a*)*b$'", "'['", "9:35", "pattern cannot be used"),
        ("type: object", "type: array", "3:9", "must be an object"),
    ],
)
def test_mistakes_have_a_place(old: str, new: str, place: str, message: str) -> None:
    """Wrong types, unknown names and unsafe parts are refused with the place in the file and a cure."""
    with pytest.raises(SourceError, match=re.escape(message)) as caught:
        parse_policy(_changed(old, new), "routing.yaml")

    assert f"routing.yaml:{place}" == str(caught.value.place)


@pytest.mark.parametrize("text", ["", "[]", "7", "checkpoint", "a: &x [*x]", "rules: {}", "\x00"])
def test_what_is_no_policy_is_refused(text: str) -> None:
    """A file that is not even a mapping, or is cyclic, is an error of that file."""
    with pytest.raises(SourceError, match=r"p\.yaml"):
        parse_policy(text, "p.yaml")


def test_two_rules_of_one_id() -> None:
    """An id stands for one rule."""
    rule = "  - {id: vip, when: 'true', path: assist, words: Twice.}\nreview:"
    with pytest.raises(SourceError, match="already a rule 'vip'"):
        parse_policy(_changed("review:", rule), "p.yaml")


def test_version_is_of_the_content() -> None:
    """Comments and layout leave the version alone, a rule changes it, and segments have a version of their
    own.
    """
    policy = parse_policy(WHOLE, "a.yaml")
    commented = parse_policy("# why\n" + WHOLE.replace("agree: {how", "agree:   {how"), "b.yaml")
    stricter = parse_policy(_changed("path: human", "path: assist"), "a.yaml")
    resegmented = parse_policy(_changed("employees < 50", "employees < 60"), "a.yaml")

    assert policy.version == commented.version
    assert policy.version != stricter.version
    assert policy.segments_version == stricter.segments_version
    assert policy.segments_version != resegmented.segments_version


def test_every_key_is_documented() -> None:
    """docs/policies.md names each key, source, word and type that the parser takes."""
    text = DOC.read_text()
    keys = [
        *parsing.POLICY_KEYS, *parsing.FACT_KEYS, *parsing.SEGMENT_KEYS, *parsing.RULE_KEYS,
        *parsing.REVIEW_KEYS,
        *parsing.LOTTERY_KEYS, *parsing.ON_EXPIRY, *parsing.STOPS, *AGREEMENTS,
    ]  # fmt: skip

    assert [] == [key for key in keys if f"`{key}`" not in text]


def test_the_documented_example_is_real() -> None:
    """The example of docs/policies.md is refused at the place it says, and is whole once that is mended."""
    text = re.search(r"```yaml\n(.*?)```", DOC.read_text(), re.DOTALL)
    assert text is not None
    with pytest.raises(SourceError) as caught:
        parse_policy(text[1], "policies/lead-routing.yaml")
    assert f"{caught.value.place}: 'team_is_new' is not known here." in DOC.read_text()

    policy = parse_policy(text[1].replace("facts:\n", "facts:\n  team_is_new: bool\n", 1), "p.yaml")

    assert "lead-routing" == policy.checkpoint


def _collect(policy: Any, *, signals: dict[str, Any] | None = None, **customer: Any) -> Any:
    proposal = Proposal("routing", {"team": "west"}, "m@1", 0.9, 12_345, signals or {})
    return policy.collect(proposal, {"customer": customer})


def test_facts_come_from_their_sources() -> None:
    """Signals, customer fields, defaults and money in whole units arrive under the declared names."""
    facts = _collect(parse_policy(WHOLE, "p.yaml"), signals={"country": "de", "undeclared": 1}, employees=5)

    assert {
        "country": "de", "employees": 5, "flags": [], "score": 0.9, "value": 123.45, "producer": "m@1",
    } == facts.values  # fmt: skip


@pytest.mark.parametrize(
    ("employees", "country", "segment"),
    [
        (10, "de", "small"),
        (2000, "de", "big"),
        (2000, "fr", "other"),
        (500, "de", "other"),
        (None, "de", "other"),
    ],
)
def test_first_matching_segment(employees: int | None, country: str, segment: str) -> None:
    """The first segment that fits counts, else `other`; so it does where it cannot be told."""
    policy = parse_policy(WHOLE, "p.yaml")

    assert segment == segment_of(policy, _collect(policy, signals={"country": country}, employees=employees))


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({}, ""),
        ({"team": "north"}, "team"),
        ({"team": "west", "more": 1}, ""),
        ({"team": "west", "discount": 41}, "discount"),
        ({"team": "west", "code": "a" * 5_000}, "code"),
        ([], ""),
        ({"team": [[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]}, ""),
        ({"team": [0] * 6_000}, ""),
    ],
)
def test_off_schema_answers(answer: object, field: str) -> None:
    """An answer that does not fit its schema is refused with the field; patterns and sizes cannot hang the
    check.
    """
    schema = parse_policy(WHOLE, "p.yaml").answer

    with pytest.raises(InputError) as caught:
        schema.check(answer)

    assert "off_schema" == caught.value.reason
    assert field == caught.value.fields["problems"][0]["field"]
    schema.check({"team": "west", "code": "aab", "discount": 3})


@pytest.mark.parametrize(
    ("agreement", "machine", "person", "agrees"),
    [
        (Agreement("exact"), {"a": 1}, {"a": 1.0}, True),
        (Agreement("exact"), {"a": 1}, {"a": True}, False),
        (Agreement("exact"), {"a": [1]}, {"a": [1, 2]}, False),
        (Agreement("exact", ("a",)), {"a": 1, "b": 1}, {"a": 1, "b": 2}, True),
        (Agreement("exact", ("a",)), {"a": 1}, {}, False),
        (Agreement("tolerance", ("n",), absolute=2), {"n": 10}, {"n": 12}, True),
        (Agreement("tolerance", ("n",), absolute=2), {"n": 10}, {"n": 12.5}, False),
        (Agreement("tolerance", ("n",), relative=0.1), {"n": 110}, {"n": 100}, True),
        (Agreement("tolerance", ("n",), relative=0.1), {"n": -112}, {"n": -100}, False),
        (Agreement("tolerance", ("n",), absolute=2), {"n": 10}, {}, False),
        (Agreement("same_class", ("c",), classes=(("dach", ("de", "at")),)), {"c": "de"}, {"c": "at"}, True),
        (Agreement("same_class", ("c",), classes=(("dach", ("de", "at")),)), {"c": "fr"}, {"c": "it"}, False),
        (Agreement("same_class", ("c",), classes=(("dach", ("de", "at")),)), {"c": "fr"}, {"c": "fr"}, True),
        (Agreement("graded"), {"a": 1}, {"a": 1}, None),
    ],
)
def test_agreement(
    agreement: Agreement, machine: dict[str, Any], person: dict[str, Any], *, agrees: bool | None
) -> None:
    """Each way of agreeing compares what it says, and graded answers are never compared by machine."""
    assert agrees is agreement.agrees(machine, person)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("agree: graded", "graded"),
        ("agree: exact", "exact"),
        ("agree: {how: tolerance, field: discount, absolute: 2, relative: 0.1}", "tolerance"),
        ("agree: {how: same_class, field: team, classes: {all: [west, east]}}", "same_class"),
    ],
)
def test_agreements_are_parsed(text: str, how: str) -> None:
    """All four ways can be written, two of them short."""
    assert how == parse_policy(_changed("agree: {how: exact, fields: [team]}", text), "p.yaml").agreement.how


def test_proposal_digest_covers_all_of_it() -> None:
    """Any change of answer, score, value, signals or producer is another proposal; the order of keys is
    not.
    """
    base = Proposal("c", {"a": 1, "b": 2}, "m@1", 0.5, 100, {"s": 1})
    others = [
        Proposal("d", base.answer, "m@1", 0.5, 100, {"s": 1}),
        Proposal("c", {"a": 2, "b": 2}, "m@1", 0.5, 100, {"s": 1}),
        Proposal("c", base.answer, "m@2", 0.5, 100, {"s": 1}),
        Proposal("c", base.answer, "m@1", None, 100, {"s": 1}),
        Proposal("c", base.answer, "m@1", 0.5, None, {"s": 1}),
        Proposal("c", base.answer, "m@1", 0.5, 100, {}),
    ]

    assert len(others) + 1 == len({base.digest, *(other.digest for other in others)})
    assert base.digest == Proposal("c", {"b": 2, "a": 1}, "m@1", 0.5, 100, {"s": 1}).digest


@pytest.mark.parametrize("answer", [{"x": float("nan")}, {"x": object()}, {"x": "a" * 70_000}])
def test_proposals_that_cannot_be_stored(answer: dict[str, Any]) -> None:
    """What JSON cannot say, or is too large, is the caller's error."""
    with pytest.raises(InputError):
        _ = Proposal("c", answer, "m@1").digest
