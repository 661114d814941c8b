"""The contract with the expression library: types, places, bounds, and values that never raise."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from fairlead.errors import Place, SourceError
from fairlead.kit.expressions import Condition, Environment, Type, Unevaluable, text_matches
from fairlead.kit.facts import MAX_LIST, MAX_TEXT
from fairlead.kit.yamlmarks import Node, load_yaml

ENV = Environment({
    "amount": Type.DOUBLE, "n": Type.INT, "s": Type.STRING, "ok": Type.BOOL, "tags": Type.STRINGS,
    "m": Type.MAP, "t": Type.TIMESTAMP,
})  # fmt: skip
DATA: dict[str, Any] = {
    "amount": 5.0, "n": 3, "s": "abc", "ok": True, "tags": ["a", "b"], "m": {"k": 1, "deep": [{"q": 2}]},
    "t": datetime(2026, 1, 1, tzinfo=UTC),
}  # fmt: skip


def _node(text: str) -> Node:
    return Node(text, Place("p.yaml", 1, 1))


def _condition(text: str) -> Condition:
    return ENV.condition(_node(text))


def _result(text: str, **changed: Any) -> bool | Unevaluable:
    return _condition(text).evaluate(ENV.bind(DATA | changed))


@pytest.mark.parametrize(
    "text",
    [
        "amount > 4", "amount >= 5", "amount < 6", "amount <= 5", "5 <= amount", "n < 3.5", "amount == 5",
        "n == 3.0",
        "n != 3.5", "amount in [4, 5]", "n in [3.0]", "s in ['abc']", "'a' in tags", "'k' in m", "m.k == 1.0",
        "m.deep[0].q == 2", "s.matches('^a.c$')", "tags.exists(x, x == 'b')",
        "t > timestamp('2025-12-31T00:00:00Z')",
        "s < 'abd'", "!has(m.nope)", "true || m.nope == 1", "ok == true", "(amount > 4 ? n : 0) == 3",
    ],
)  # fmt: skip
def test_true_conditions(text: str) -> None:
    """Comparisons work between whole numbers and doubles as people expect, beside the rest of CEL."""
    assert _result(text) is True


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("ok && amout > 1", 7, "Did you mean 'amount'"),
        ("ok && n = 3", 9, "Use == to compare"),
        ("s != '=' && s <= 'a=b' && n = 3 // = is not =", 29, "Use == to compare"),
        ("n => 3", 3, "Write >="),
        ("amount > s", 8, "'>' does not work on"),
        ("amount == s", 8, "'==' does not work on"),
        ("amount in tags", 8, "'in' does not work on"),
        ("amount + 1 > 2.0", 8, "with .0"),
        ("ok == null", 4, "never null"),
        ("ok &&", 6, "Syntax error"),
        ("ok && now > t", 7, "'now' is not known"),
        ("ok && nowhere(s)", 7, "'nowhere' is not"),
        ("s.matches('[a')", 11, "regular expression"),
        ("matches(s, '(')", 12, "regular expression"),
        ("amount", 1, "must be true or false"),
        ("m.vip", 1, "== true"),
        ("s + s == 'a'", 3, "does not work on"),
        ("tags + tags == tags", 6, "does not work on"),
        ("bytes(s) == b'a'", 1, "'bytes' is not allowed"),
        ("tags.map(x, s) == tags", 10, "not known"),
        ("((ok)", 6, "Syntax error"),
        ("true), (false", 5, "Syntax error"),
    ],
)
def test_refused_before_use(text: str, column: int, message: str) -> None:
    """Unknown names, senseless comparisons and syntax are refused at the character, before anything runs."""
    with pytest.raises(SourceError, match=re.escape(message)) as caught:
        _condition(text)

    assert column == caught.value.place.column


def test_place_in_a_file() -> None:
    """The character is found inside the workspace file, also on a later line of a block."""
    node = load_yaml("rules:\n  - when: |\n      ok &&\n        amout > 1\n", "policies/p.yaml")
    when = node.mapping()["rules"].items()[0].mapping()["when"]

    with pytest.raises(SourceError, match=r"policies/p\.yaml:4:9: 'amout'"):
        ENV.condition(when)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 200 + "ok" + ")" * 200, id="brackets"),
        pytest.param("[" * 200 + "]" * 200 + " == []", id="lists"),
        pytest.param("ok" + " && ok" * 20_000, id="100,000 characters"),
        pytest.param("s == '" + "a" * 100_000 + "'", id="long text"),
        pytest.param("m" + ".a" * 500 + " == 1", id="fields"),
        pytest.param("true ? " * 100 + "ok" + " : ok" * 100, id="choices"),
        pytest.param("s.matches('(a{1000}){1000}')", id="huge regular expression"),
    ],
)
def test_hostile_sources_are_refused(text: str) -> None:
    """Length, depth and regular expressions are bounded when the policy is read."""
    with pytest.raises(SourceError):
        _condition(text)


def test_nested_loops_run_out_of_budget() -> None:
    """Loops inside loops end by the budget; the answer is that there is none."""
    ten = "[1,2,3,4,5,6,7,8,9,10]"
    text = "true"
    for name in "abcdef":
        text = f"{ten}.all({name}, {text})"

    result = _result(text)

    assert isinstance(result, Unevaluable)
    assert "iteration budget" in result.reason


def test_backtracking_pattern_is_harmless() -> None:
    """A pattern that makes other engines hang takes time linear in the text."""
    assert _result("s.matches('(a*)*b')", s="a" * MAX_TEXT) is False


@pytest.mark.parametrize(
    ("text", "changed", "reason", "missing"),
    [
        ("amount > 4", {"amount": None}, "amount is not known", ("amount",)),
        ("amount > 4", {"amount": math.nan}, "amount is not a finite number", ("amount",)),
        ("amount < 4", {"amount": -math.inf}, "amount is not a finite number", ("amount",)),
        ("amount > 4", {"amount": "12"}, "amount is str where a number was expected", ("amount",)),
        ("n > 4", {"n": True}, "n is bool where a whole number was expected", ("n",)),
        ("n > 4", {"n": 1.5}, "n is float where a whole number was expected", ("n",)),
        ("n > 4", {"n": 2**70}, "n is too large a number", ("n",)),
        ("s == 'a'", {"s": "\ud800"}, "s is not valid Unicode text", ("s",)),
        ("s == 'a'", {"s": "a" * (MAX_TEXT + 1)}, "s has 10001 characters", ("s",)),
        ("'a' in tags", {"tags": ["a"] * (MAX_LIST + 1)}, "tags has 1001 items", ("tags",)),
        ("'a' in tags", {"tags": [1]}, "tags is int where a list of texts was expected", ("tags",)),
        ("m.k == 1", {"m": {"k": object()}}, "m is object where a mapping was expected", ("m",)),
        (
            "m.k == 1",
            {"m": {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": 1}}}}}}}}}},
            "m is larger",
            ("m",),
        ),
        (
            "t > timestamp('2025-12-31T00:00:00Z')",
            {"t": "2026-01-01T00:00:00"},
            "a time with its zone",
            ("t",),
        ),
        ("m.nope == 1", {}, "Key not found", ()),
        ("tags[7] == 'a'", {}, "Index error", ()),
        ("1 / (n - 3) == 1", {}, "divide by zero", ()),
        ("m.k > 'a'", {}, "No matching overloads", ()),
    ],
)
def test_data_problems_are_values(text: str, changed: dict[str, Any], reason: str, missing: tuple[str, ...]) -> None:
    """Missing, ill-typed, oversized and impossible data give a reason that names the fact, and never an
    exception.
    """
    result = _result(text, **changed)

    assert isinstance(result, Unevaluable)
    assert reason in result.reason
    assert missing == result.missing


def test_usable_forms_are_converted() -> None:
    """JSON's way of writing numbers and times is understood."""
    bound = ENV.bind({"amount": 5, "n": 3.0, "t": "2026-01-01T02:00:00+02:00", "tags": ("a",), "else": 1})

    assert {} == bound.problems
    assert {"amount": 5.0, "n": 3, "t": DATA["t"], "tags": ["a"]} == bound.values


def test_reads_names_variables_only() -> None:
    """Strings, comments, fields and loop variables are not facts that a condition reads."""
    condition = _condition("s == \"amount\" && tags.exists(x, x == 'n') && m.ok == true // t\n")

    assert ("m", "s", "tags") == condition.reads


def test_together_equals_one_by_one() -> None:
    """Joined conditions give what each gives alone, and one that fails does not hide the others."""
    texts = ["n > 2", "tags[5] == 'x'", "s == 'no' // a comment", "amount > 1 || m.nope == 1"]
    conditions = [_condition(text) for text in texts]
    bound = ENV.bind(DATA)

    results = ENV.together(conditions).evaluate(bound)

    assert [c.evaluate(bound) for c in conditions] == results
    assert [True, False, True] == [r for r in results if not isinstance(r, Unevaluable)]


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.floats() | st.text(), max_size=3),
    st.datetimes(), st.binary(max_size=3), st.just(object()),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*DATA, "unknown"]), _VALUES))
def test_no_data_raise(raw: dict[str, Any]) -> None:
    """Whatever the facts hold, every condition gives true, false or a reason, joined or not."""
    conditions = [
        _condition(text)
        for text in (
            "amount > 1",
            "n == 2 || ok",
            "s.size() > 1",
            "m.k == 1",
            "'a' in tags",
            "t == t",
            "tags[0] == s",
        )
    ]
    bound = ENV.bind(raw)

    results = ENV.together(conditions).evaluate(bound)

    assert all(isinstance(result, (bool, Unevaluable)) for result in results)
    assert [c.evaluate(bound) for c in conditions] == results


@given(st.text(max_size=60))
def test_any_source_compiles_or_is_refused(text: str) -> None:
    """Nothing but SourceError comes out of compiling, whatever is written."""
    try:
        _condition(text)
    except SourceError:
        return


def test_all_of_needs_every_condition() -> None:
    """A list of conditions is one condition; each error points at its own line."""
    node = load_yaml("- n > 2\n- s == 'abc'\n", "p.yaml")
    assert ENV.all_of(node).evaluate(ENV.bind(DATA)) is True
    assert ENV.all_of(node).evaluate(ENV.bind(DATA | {"s": "x"})) is False

    with pytest.raises(SourceError, match=r"p\.yaml:2:3"):
        ENV.all_of(load_yaml("- n > 2\n- z == 'abc'\n", "p.yaml"))


def test_value_expressions() -> None:
    """Values have a checked type, may join text, and have no loops."""
    assert "abc!" == ENV.value(_node("s + '!'"), Type.STRING).evaluate(ENV.bind(DATA))
    assert math.isclose(2.5, ENV.value(_node("amount / 2.0"), Type.DOUBLE).evaluate(ENV.bind(DATA)))
    assert isinstance(ENV.value(_node("n / 0")).evaluate(ENV.bind(DATA)), Unevaluable)

    with pytest.raises(SourceError, match="int or double is needed"):
        ENV.value(_node("s"), Type.INT, Type.DOUBLE)
    with pytest.raises(SourceError):
        ENV.value(_node("tags.exists(x, x == s)"))


def test_environments_know_nothing_of_each_other() -> None:
    """What one declares no other one knows, and one name can have another type in each."""
    number, word = Environment({"x": Type.INT, "only_here": Type.BOOL}), Environment({"x": Type.STRING})
    assert number.condition(_node("x > 2")).evaluate(number.bind({"x": 3})) is True
    assert word.condition(_node("x == 'a'")).evaluate(word.bind({"x": "a"})) is True
    with pytest.raises(SourceError, match="does not work on"):
        word.condition(_node("x > 2"))
    with pytest.raises(SourceError, match="'only_here' is not"):
        word.condition(_node("only_here"))
    with pytest.raises(SourceError):
        Environment({}).condition(_node("x > 2"))


def test_patterns_for_other_modules() -> None:
    """Patterns search, know every character, and bad ones are refused when they are made."""
    from_text = ENV.__class__({"text": Type.STRING}).bind

    assert text_matches('^a"\\d+$').evaluate(from_text({"text": 'a"12'})) is True
    assert text_matches("é").evaluate(from_text({"text": "ole"})) is False
    for bad in ("[", "(a{1000}){1000}", "\ud800"):
        with pytest.raises(ValueError, match=r"."):
            text_matches(bad)
