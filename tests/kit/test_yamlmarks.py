"""YAML with places: what is refused, where errors point, and what the readers accept."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml
from hypothesis import given, strategies as st

from fairlead.errors import SourceError
from fairlead.kit.yamlmarks import MAX_CHARS, MAX_NODES, did_you_mean, load_yaml


def _place_of(text: str) -> tuple[int, int]:
    with pytest.raises(SourceError) as caught:
        load_yaml(text, "p.yaml")
    return caught.value.place.line, caught.value.place.column


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("a: &x [*x]", (1, 4), id="cyclic"),
        pytest.param("a: 1\nb: *x", (2, 4), id="alias"),
        pytest.param("a: !!python/object:os.system 1", (1, 4), id="python tag"),
        pytest.param("a: !!str 1", (1, 4), id="tag"),
        pytest.param("a: 1\nb: 2\na: 3", (3, 1), id="duplicate key"),
        pytest.param("<<: {a: 1}", (1, 1), id="merge key"),
        pytest.param("[a]: 1", (1, 1), id="list as a key"),
        pytest.param("a: b: c", (1, 5), id="not YAML"),
        pytest.param("a: [1, 2", (2, 1), id="unclosed"),
        pytest.param("a: 1\nb: \x00", (2, 4), id="NUL"),
        pytest.param("--- a\n--- b\n", (2, 1), id="two documents"),
        pytest.param("[" * 400_000 + "]" * 400_000, (1, 41), id="nested without end"),
        pytest.param("- " * 41 + "x", (1, 81), id="nested too deep"),
    ],
)
def test_refused_with_place(text: str, place: tuple[int, int]) -> None:
    """What could loop, grow, run code or be read in two ways is refused at its line and column."""
    assert place == _place_of(text)


def test_size_is_bounded() -> None:
    """A file may have neither too many characters nor too many values."""
    with pytest.raises(SourceError, match="at most"):
        load_yaml("#" * (MAX_CHARS + 1), "p.yaml")
    with pytest.raises(SourceError, match="more than"):
        load_yaml("[" + "1," * MAX_NODES + "1]", "p.yaml")


def test_lone_surrogate_is_an_error_with_a_file() -> None:
    """Text that is not Unicode is refused like any other mistake."""
    with pytest.raises(SourceError, match=r"p\.yaml"):
        load_yaml("a: '\ud800'", "p.yaml")


def test_scalars_follow_yaml_1_2() -> None:
    """Only true and false are booleans; `on`, `no`, clock times and hex stay text."""
    text = "on: no\nclock: 12:30\nhex: 0x1f\nflag: true\nn: -3\nx: 1e3\nnone: ~\nquoted: '1'\nempty:\n"

    assert {
        "on": "no", "clock": "12:30", "hex": "0x1f", "flag": True, "n": -3, "x": 1000.0, "none": None,
        "quoted": "1", "empty": None,
    } == load_yaml(text, "p.yaml").plain()  # fmt: skip


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=20,
    )
)
def test_plain_data_survive(value: object) -> None:
    """Whatever a YAML writer writes as plain data is read back the same, unless it is one of the refused
    things.
    """
    text = yaml.safe_dump(value, allow_unicode=False)
    try:
        node = load_yaml(text, "p.yaml")
    except SourceError:
        assert any(mark in text for mark in ("&", "*", "!", "? ", "<<"))
    else:
        assert value == node.plain()


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but SourceError comes out, whatever the file holds."""
    try:
        load_yaml(text, "p.yaml").plain()
    except SourceError:
        return


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("a: foo && bar", "bar", (1, 11)),
        ('a: "é == x && bar"', "bar", (1, 15)),
        ("a: 'bar'", "bar", (1, 5)),
        ("a: |\n  foo\n    && bar\n", "bar", (3, 8)),
        ("a: >-\n   foo\n   bar\n", "bar", (3, 4)),
        ("a: foo &&\r\n   bar", "bar", (2, 4)),
        ('a: "\\u0062ar"', "bar", (1, 4)),
    ],
)
def test_places_inside_text(text: str, word: str, place: tuple[int, int]) -> None:
    """A character of a scalar is found in the file, however it is quoted; with escapes, the scalar's own
    place.
    """
    node = load_yaml(text, "p.yaml").mapping()["a"]

    found = node.place_of(node.text().index(word))

    assert place == (found.line, found.column)


def test_unknown_key_names_the_close_one() -> None:
    """A misspelt key is refused at the key itself, with the word that was probably meant."""
    node = load_yaml("name: x\n  \nquorom: 2\n", "p.yaml")

    with pytest.raises(SourceError, match=r"p\.yaml:3:1.*'quorom'.*Did you mean 'quorum'") as caught:
        node.mapping(allowed=("quorum",), required=("name",))

    assert "unknown_key" == caught.value.reason


@pytest.mark.parametrize(
    ("text", "read", "message"),
    [
        ("x: 1", "text", "Expected text, found a whole number"),
        ("x: ' '", "text", "must not be empty"),
        ("x: true", "integer", "found true or false"),
        ("x: 1.5", "integer", "found a number"),
        ("x: .nan", "number", "Expected a number"),
        ("x: yes", "boolean", "Expected true or false"),
        ("x: [1]", "mapping", "found a list"),
        ("x: {}", "items", "found a mapping"),
        ("x: 5", "duration", "Write for example"),
        ("x: 5y", "duration", "Write for example"),
        ("x: 999999999w", "duration", "outside"),
        ("x: Ähm", "name", "is not a name"),
    ],
)
def test_wrong_kinds_are_named(text: str, read: str, message: str) -> None:
    """Every reader refuses other kinds at the value's place and says what it found."""
    node = load_yaml(text, "p.yaml").mapping()["x"]

    with pytest.raises(SourceError, match=message) as caught:
        getattr(node, read)()

    assert (1, 4) == (caught.value.place.line, caught.value.place.column)


def test_bounds_and_words() -> None:
    """Numbers outside their bounds and words outside their list are refused."""
    fields = load_yaml("n: 11\nw: humann\nl: []", "p.yaml").mapping()

    with pytest.raises(SourceError, match="more than 10"):
        fields["n"].integer(most=10)
    with pytest.raises(SourceError, match="Did you mean 'human'"):
        fields["w"].one_of(("human", "assist"))
    with pytest.raises(SourceError, match="0 items"):
        fields["l"].items(least=1)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("10s", timedelta(seconds=10)),
        ("4h", timedelta(hours=4)),
        ("1h30m", timedelta(minutes=90)),
        ("0s", timedelta(0)),
    ],
)
def test_durations(text: str, span: timedelta) -> None:
    """Durations are numbers with units, put together as people write them."""
    assert span == load_yaml(text, "p.yaml").duration()


def test_did_you_mean_lists_a_few() -> None:
    """Where no known word is close, a short list of them helps more than nothing."""
    assert "Known here: alpha, beta." == did_you_mean("zzzz", ["beta", "alpha"])
    assert did_you_mean("zzzz", []) is None
