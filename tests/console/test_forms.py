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
