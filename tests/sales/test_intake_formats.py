"""JSON and Parquet: known by content, every record accounted for, broken ones named, memory bounded."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead.errors import InputError, TooLargeError
from fairlead.sales.intake import Checker, FileShape, LeadDraft, Row, Unreadable, guess_mapping, inspect, read_rows
from fairlead.sales.intake.jsonrows import ArrayItems

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> tuple[FileShape, list[Row | Unreadable]]:
    """Its shape and everything in it."""
    shape = inspect(path)
    with read_rows(path, shape) as rows:
        return shape, list(rows)


def drafts(path: Path) -> list[LeadDraft | Unreadable]:
    """What the file's records become."""
    shape, items = read(path)
    checker = Checker(guess_mapping(shape))
    return [checker.judge(one) if isinstance(one, Row) else one for one in items]


def wrote(tmp_path: Path, text: str | bytes, name: str = "leads.dat") -> Path:
    """A file whose name says nothing."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_json_lines_are_known_by_content(tmp_path: Path) -> None:
    """One level of nesting becomes columns; deeper stays as text with a note; a list of words is text."""
    one, two = drafts(wrote(tmp_path, (
        '{"name": "Ann", "value": 12.345, "address": {"city": "Ulm", "geo": {"lat": 1}}, "tags": ["a", "b"]}\n'
        '{"name": "Bo", "phone": 491701234567, "value": null, "vip": true}\n'
    )))  # fmt: skip

    assert isinstance(one, LeadDraft)
    assert isinstance(two, LeadDraft)
    assert one.value_minor == 1235  # by type a point is the decimal mark
    assert one.attributes == {"address.city": "Ulm", "address.geo": '{"lat":1}', "tags": "a, b"}
    assert [(p.field, p.code, p.needs_information) for p in one.problems] == [("address.geo", "nested_value", False)]
    assert two.fields["phone"] == "+491701234567"
    assert two.attributes == {"vip": "true"}


def test_bad_lines_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Each broken line is unreadable with its number and reason; the good ones come in."""
    good = '{"name": "Ann", "email": "a@b.de"}'
    lines = [good, "", "{bad", "[1, 2]", '"text"', "{}", '{"name": "x\\u0000y"}', '{"name": ' + "9" * 5_000 + "}",
             '{"name": "\\ud800"}', '{"name": "' + "x" * 70_000 + '"}', good]  # fmt: skip
    found = drafts(wrote(tmp_path, "\n".join(lines)))

    codes = {one.number: one.reason_code for one in found if isinstance(one, Unreadable)}
    assert codes == {
        3: "bad_json", 4: "not_an_object", 5: "not_an_object", 6: "empty_record", 7: "nul_byte", 8: "bad_json",
        9: "bad_json", 10: "field_too_long",
    }  # fmt: skip
    assert [one.number for one in found if isinstance(one, LeadDraft)] == [1, 11]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_in_other_encodings(tmp_path: Path, codec: str) -> None:
    """A byte order mark is no part of the first record."""
    for text in ('{"Name": "Jörg"}\n', '[\n{"Name": "Jörg"}]'):
        shape, items = read(wrote(tmp_path, text.encode(codec)))
        assert shape.header == ("Name",)
        assert items[0] == Row(1, ("Jörg",))


def test_an_array_is_read_element_by_element(tmp_path: Path) -> None:
    """A broken element costs only itself; marks inside texts end nothing; what follows the end is told."""
    text = '[ {"name": "A,]}\\"", "x": [1, {"y": 2}]},\n {"name": "B" "q": 1},\n 5, {"name": "C"},\n{"name": "D"}] tail'
    shape, items = read(wrote(tmp_path, text))

    assert shape.format == "json-array"
    assert [one.cells[0] for one in items if isinstance(one, Row)] == ['A,]}"', "C", "D"]
    unreadable = [(one.number, one.reason_code) for one in items if isinstance(one, Unreadable)]
    assert unreadable == [(2, "bad_json"), (3, "not_an_object"), (6, "bad_json")]


def test_an_array_cut_off_says_so(tmp_path: Path) -> None:
    """The records before the cut come in; the last one is unreadable with the reason."""
    _, items = read(wrote(tmp_path, '[{"name": "A"}, {"name": "B'))
    assert items[0] == Row(1, ("A",))
    assert isinstance(items[1], Unreadable)
    assert "cut off" in items[1].words


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(
        st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text(max_size=80) | st.integers() | st.booleans(),
                        min_size=1, max_size=4),
        min_size=1, max_size=12,
    ),
    indent=st.sampled_from([None, 1]),
)  # fmt: skip
def test_any_array_gives_each_element_once(tmp_path: Path, records: list[dict[str, Any]], indent: int | None) -> None:
    """However it is laid out, the scanner finds exactly the elements that a parser finds."""
    path = wrote(tmp_path, json.dumps(records, indent=indent))
    items = list(ArrayItems(path, "utf-8"))
    assert [json.loads(item.text) for item in items] == records
    assert [item.number for item in items] == list(range(1, len(records) + 1))


def test_an_endless_element_is_passed_over(tmp_path: Path) -> None:
    """An element above 4 MiB is not kept in memory, and the next one comes in."""
    text = '{"name": "' + "x" * 5_000_000 + '"}'
    shape, items = read(wrote(tmp_path, f'[{{"name": "A"}}, {text}, {{"name": "B"}}]'))
    assert shape.header == ("name",)
    assert items[0] == Row(1, ("A",))
    assert isinstance(items[1], Unreadable)
    many = "[" + ",".join(['{"n": [' + "1," * 3_000_000 + "1]}", '{"name": "B"}']) + "]"
    _, items = read(wrote(tmp_path, many))
    assert isinstance(items[0], Unreadable)
    assert items[0].reason_code == "record_too_long"
    assert items[1] == Row(2, ("B",))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{\n "leads": [\n  {"name": "x"}\n ]\n}', "not_a_table"), ("[]", "empty_file"),
        ("[[1, 2], [3]]", "not_a_table"),
        ("[1, {}]", "not_a_table"), ("PAR1", "damaged_file"), ("PAR1" + "x" * 500 + "PAR1", "damaged_file"),
        ("PARE and more", "not_text"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path: Path, content: str, code: str) -> None:
    """One object over many lines, nothing, lists of lists and broken Parquet come with the reason and a cure."""
    with pytest.raises(InputError) as caught:
        inspect(wrote(tmp_path, content))
    assert caught.value.reason == code
    assert "leads.dat" in caught.value.message


def test_too_many_columns(tmp_path: Path) -> None:
    """Records that bring ever new names are refused, whatever the format."""
    names = [f"n{number}" for number in range(600)]
    text = "\n".join(f'{{"{name}": 1}}' for name in names)
    with pytest.raises(TooLargeError):
        inspect(wrote(tmp_path, text))
    pl.DataFrame({name: [1] for name in names}).write_parquet(tmp_path / "wide")
    with pytest.raises(TooLargeError):
        inspect(tmp_path / "wide")


def test_parquet_comes_in_as_it_is_typed(tmp_path: Path) -> None:
    """Numbers without exponent, moments in UTC, structures as columns, bytes as text, nothing for null and NaN."""
    frame = pl.DataFrame({
        "Name": ["Ann", "Bo", None], "Deal value": [12.345, 58.0, float("nan")], "Created at": [date(2024, 5, 1)] * 3,
        "seen": [datetime(2024, 5, 1, 10, tzinfo=UTC)] * 3, "a": [{"city": "Ulm", "geo": {"lat": 1}}] * 3,
        "l": [[1, 2], [], [3]], "b": [b"ok", b"\xff", None], "n": [1, 2, 3], "big": [1e22, 1.5, None],
    })  # fmt: skip
    path = tmp_path / "x"
    frame.write_parquet(path)
    shape, items = read(path)
    rows = [one for one in items if isinstance(one, Row)]

    assert shape.header == ("Name", "Deal value", "Created at", "seen", "a.city", "a.geo", "l", "b", "n", "big")
    assert rows[0].cells == (
        "Ann", "12.345", "2024-05-01", "2024-05-01T10:00:00+00:00", "Ulm", '{"lat":1}', "1, 2", "ok", "1",
        "10000000000000000000000",
    )  # fmt: skip
    assert rows[1].cells[1] == "58"
    assert rows[2].cells[:2] == ("", "")
    first = drafts(path)[0]
    assert isinstance(first, LeadDraft)
    assert first.value_minor == 1235


def test_a_damaged_parquet_says_which_rows_are_gone(tmp_path: Path) -> None:
    """A broken page costs its rows, which are named and counted; those before come in."""
    path = tmp_path / "x"
    names = [f"name {number}" for number in range(20_000)]
    pl.DataFrame({"n": names}).write_parquet(path, row_group_size=5_000, compression="uncompressed")
    data = bytearray(path.read_bytes())
    data[200_000:200_400] = b"\xff" * 400
    path.write_bytes(bytes(data))
    _, items = read(path)

    last = items[-1]
    assert isinstance(last, Unreadable)
    assert last.reason_code == "damaged"
    assert len(items) - 1 + last.lines == 20_000
    assert items[0] == Row(1, ("name 0",))


def test_the_same_table_in_every_format_is_the_same_leads(tmp_path: Path) -> None:
    """A row has one fingerprint whatever file brings it, so bringing it twice adds nothing."""
    rows = [{"Name": "Ann", "Deal value": 58, "Country": "DE"}, {"Name": "Bo", "Deal value": 7, "Country": "FR"}]
    pl.DataFrame(rows).write_parquet(tmp_path / "p")
    files = [
        wrote(tmp_path, "Name,Deal value,Country\nAnn,58,DE\nBo,7,FR\n", "c"),
        wrote(tmp_path, "\n".join(map(json.dumps, rows)), "l"), wrote(tmp_path, json.dumps(rows), "a"), tmp_path / "p",
    ]  # fmt: skip
    prints = [[one.fingerprint for one in drafts(path) if isinstance(one, LeadDraft)] for path in files]
    assert prints[1:] == prints[:-1]


def test_memory_does_not_grow_with_json(tmp_path: Path) -> None:
    """Twice the lines take no more memory."""
    line = json.dumps({"name": "Ann Bee", "email": "ann@firm.example", "note": "x" * 300}) + "\n"
    peaks = []
    for count in (4_000, 16_000):
        path = wrote(tmp_path, line * count)
        tracemalloc.start()
        shape = inspect(path)
        with read_rows(path, shape) as rows:
            assert sum(1 for _ in rows) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
