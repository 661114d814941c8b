"""Forms made from answer schemas, and answers made from forms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from fairlead.checkpoints import AnswerSchema
from fairlead.console.forms import answer_from, fields_of
from fairlead.console.shell import Posted
from fairlead.errors import InputError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["team", "count"],
    "properties": {
        "team": {"enum": ["dach", "nordics", 1, "1"]},
        "many": {"enum": [f"v{number}" for number in range(20)]},
        "sure": {"type": "boolean"},
        "count": {"type": "integer", "minimum": 0, "maximum": 9},
        "share": {"type": "number"},
        "short": {"type": "string", "maxLength": 40},
        "long": {"type": "string"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
        "lines": {"type": "array", "items": {"type": "string"}},
        "deep": {"type": "object"},
    },
}


def sent(schema: dict[str, Any], answer: Any) -> Posted:
    """What a browser sends for a form that nobody touched."""
    pairs: list[tuple[str, str]] = []
    for field in fields_of(schema, answer):
        if field.kind == "checks":
            pairs += [(field.name, value) for value in field.values]
        else:
            pairs.append((field.name, field.value))
    return Posted(pairs)


def test_each_kind_of_field() -> None:
    """Few values are radios, many a select; texts by length; what has no input of its own is JSON."""
    kinds = {field.name.removeprefix("answer."): field.kind for field in fields_of(SCHEMA, None)}
    assert kinds == {
        "team": "radio", "many": "select", "sure": "radio", "count": "integer", "share": "number",
        "short": "text", "long": "area", "tags": "checks", "lines": "lines", "deep": "json",
    }  # fmt: skip


WORD = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
ANSWERS = st.fixed_dictionaries(
    {"team": st.sampled_from(["dach", "nordics", 1, "1"]), "count": st.integers(0, 9)},
    optional={
        "many": st.sampled_from(["v0", "v19"]),
        "sure": st.booleans(),
        "share": st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 6)),
        "short": WORD,
        "long": WORD,
        "tags": st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True),
        "lines": st.lists(WORD, min_size=1, max_size=4),
        "deep": st.dictionaries(WORD, st.integers(-9, 9), max_size=3),
    },
)


@given(ANSWERS)
def test_an_untouched_form_gives_the_same_answer(answer: dict[str, Any]) -> None:
    """What is shown for edit and sent back unchanged is the answer itself, types included."""
    again = answer_from(SCHEMA, sent(SCHEMA, answer))
    assert again == answer
    assert {name: type(value) for name, value in again.items() if name != "share"} == {
        name: type(value) for name, value in answer.items() if name != "share"
    }
    AnswerSchema(SCHEMA).check(again)


def test_fields_that_the_form_cannot_show_survive_an_edit() -> None:
    """An answer may hold more than its schema names; editing one field loses none of the others."""
    before = {"team": "dach", "count": 1, "note": "from elsewhere"}
    assert answer_from(SCHEMA, sent(SCHEMA, before), before)["note"] == "from elsewhere"


def test_a_schema_without_fields_takes_json() -> None:
    """One field for the whole answer; anything but an object is refused."""
    schema = {"type": "object"}
    assert [field.kind for field in fields_of(schema, {"a": 1})] == ["json"]
    assert answer_from(schema, Posted([("answer", '{"a": [1]}')])) == {"a": [1]}
    with pytest.raises(InputError, match="object"):
        answer_from(schema, Posted([("answer", "[1]")]))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "1.5"),
        ("count", "9" * 100),
        ("share", "ten"),
        ("team", "dach"),
        ("team", '"mars"'),
        ("deep", "{"),
    ],
)
def test_what_does_not_fit_names_its_field(name: str, text: str) -> None:
    """InputError with the field, so that the page can say where."""
    with pytest.raises(InputError) as caught:
        answer_from(SCHEMA, Posted([(f"answer.{name}", text)]))
    assert caught.value.fields["field"] == name


@given(st.lists(st.tuples(st.sampled_from([f"answer.{n}" for n in SCHEMA["properties"]]), st.text(max_size=30))))
def test_no_posted_text_crashes(pairs: list[tuple[str, str]]) -> None:
    """Whatever is posted gives an answer or an InputError."""
    try:
        found = answer_from(SCHEMA, Posted(pairs))
    except InputError:
        return
    assert set(found) <= set(SCHEMA["properties"])


def test_typed_text_comes_back() -> None:
    """A refused form is filled with what was typed, not with what was proposed."""
    typed = Posted([("answer.count", "eleven"), ("answer.tags", '"b"')])
    fields = {field.name: field for field in fields_of(SCHEMA, {"count": 3, "tags": ["a"]}, typed)}
    assert fields["answer.count"].value == "eleven"
    assert fields["answer.tags"].values == ('"b"',)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("14.500", "“14.500” can be 14500 or 14.5: write 14500 or 14.50."),
        ("14,500", "“14,500” can be 14500 or 14.5: write 14500 or 14.50."),
        ("-1.234", "“-1.234” can be -1234 or -1.234: write -1234 or -1.2340."),
        ("2.000", "“2.000” can be 2000 or 2.0: write 2000 or 2.00."),
    ],
)
def test_a_number_that_can_be_read_in_two_ways_is_not_guessed(text: str, told: str) -> None:
    """Three digits behind one mark are refused with both ways to write it, and what was typed comes back."""
    typed = Posted([("answer.share", text)])
    with pytest.raises(InputError) as caught:
        answer_from(SCHEMA, typed)
    assert told in str(caught.value)
    assert next(one.value for one in fields_of(SCHEMA, None, typed) if one.name == "answer.share") == text
    for way in told.rstrip(".").rsplit("write ", 1)[1].split(" or "):
        answer_from(SCHEMA, Posted([("answer.share", way)]))


@pytest.mark.parametrize(
    ("text", "value"), [("14500", 14500), ("14.50", 14.5), ("0.125", 0.125), ("1234.500", 1234.5), ("14.5000", 14.5)]
)
def test_a_number_that_can_be_read_in_one_way_is_taken(text: str, value: float) -> None:
    """A leading nought, four digits before the mark, or other than three behind it leave no doubt."""
    assert answer_from(SCHEMA, Posted([("answer.share", text)])) == {"share": value}


def test_three_places_come_back_from_an_untouched_form() -> None:
    """What the form itself writes is never refused as readable in two ways."""
    assert answer_from(SCHEMA, sent(SCHEMA, {"share": 14.125})) == {"share": 14.125}


def test_a_country_may_be_typed_by_its_name() -> None:
    """Where two letters are wanted, a name or three letters give them; what is no country is told how to write one."""
    schema = {"type": "object", "properties": {"country": {"type": "string", "maxLength": 2}}}
    for text in ("Germany", "Deutschland", "de", "DEU", "DE"):
        assert answer_from(schema, Posted([("answer.country", text)])) == {"country": "DE"}
    with pytest.raises(InputError, match="two letters such as DE, or a country's name") as caught:
        answer_from(schema, Posted([("answer.country", "Atlantis")]))
    assert caught.value.fields["field"] == "country"
    free = {"type": "object", "properties": {"country": {"type": "string", "maxLength": 40}}}
    assert answer_from(free, Posted([("answer.country", "Germany")])) == {"country": "Germany"}
