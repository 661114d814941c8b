"""Parquet and JSON that are broken or made to hurt: a sentence that names what is wrong, and nothing half-written."""

from __future__ import annotations

import json
import random
import shutil
import struct
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead.errors import FairleadError
from fairlead.sales.intake import Checker, LeadDraft, Row, Unreadable, guess_mapping, inspect, read_rows
from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUN = ("run", "lead-qualification", "--json", "--input")
ADA = {"name": "Ada Keller", "email": "ada@helio.example"}
LINE = json.dumps(ADA)
DEEP = 200_000


def parquet(path: Path, rows: int = 300, **columns: Any) -> bytes:
    """The bytes of a sound file."""
    frame = {"name": [f"N{number}" for number in range(rows)], "email": [f"n{n}@x.example" for n in range(rows)]}
    pl.DataFrame(frame | columns).write_parquet(path)
    return path.read_bytes()


def outcome(path: Path) -> tuple[list[LeadDraft], list[Unreadable]]:
    """What becomes of every record of a file."""
    shape = inspect(path)
    checker = Checker(guess_mapping(shape))
    drafts: list[LeadDraft] = []
    unreadable: list[Unreadable] = []
    with read_rows(path, shape) as rows:
        for one in rows:
            judged = checker.judge(one) if isinstance(one, Row) else one
            if isinstance(judged, Unreadable):
                unreadable.append(judged)
            else:
                drafts.append(judged)
    return drafts, unreadable


def outcome_or_words(path: Path) -> tuple[list[LeadDraft], list[Unreadable]] | str:
    """The same, or the sentence with which the file is refused; any other fault is the test's."""
    try:
        return outcome(path)
    except FairleadError as refused:
        return refused.message


@pytest.fixture(scope="module")
def company(_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """One workspace for every file that is refused: each must leave it as it was."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(_example, folder / "co")
    return Terminal(folder / "co")


def long_footer(whole: bytes) -> bytes:
    """A footer that says it is larger than the file."""
    return whole[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1"


PARQUET: dict[str, Callable[[bytes], bytes]] = {
    "half of it": lambda whole: whole[: len(whole) // 2],
    "its last byte missing": lambda whole: whole[:-1],
    "its first half missing": lambda whole: b"PAR1" + whole[len(whole) // 2 :],
    "no footer": lambda whole: whole[:-200] + b"PAR1",
    "a footer without end": long_footer,
    "a footer of nothing": lambda whole: whole[:-8] + struct.pack("<I", 0) + b"PAR1",
    "a footer of noise": lambda whole: whole[:-300] + random.Random(7).randbytes(292) + whole[-8:],
    "encrypted": lambda whole: b"PARE" + whole[4:-4] + b"PARE",
    "nothing but magic": lambda _: b"PAR1PAR1",
}
TEXTS: dict[str, bytes] = {
    "a depth without end": b"[" * DEEP,
    "objects without end": b'{"a":' * DEEP,
    "one text without end": b'{"name": "' + b"x" * 6_000_000,
    "only broken lines": b'{"name": \n' * 50,
    "an object over lines": b'{\n"name": "A"\n}\n',
    "empty objects": b"{}\n{}\n",
    "an empty array": b"[ ]",
    "10,000 columns": json.dumps({f"c{number}": 1 for number in range(10_000)}).encode(),
    "a column more in every line": b"\n".join(b'{"c%d": 1}' % number for number in range(10_000)),
    "10,000 columns below one": json.dumps({"x": {f"c{number}": 1 for number in range(10_000)}}).encode(),
}


def refused(company: Terminal, path: Path) -> str:
    """The sentence with which `run` refuses the file; no table has another row than before."""
    before = company.counts()
    said = company(*RUN, str(path))
    said.refused(2, path.name)
    assert len(said.err) < 1_000
    assert company.counts() == before
    return said.err


@pytest.mark.parametrize("case", PARQUET)
def test_a_broken_parquet_is_refused(company: Terminal, tmp_path: Path, case: str) -> None:
    """Cut, scrambled, encrypted: one sentence with the file's name, no rows, no trace of the library."""
    path = tmp_path / "leads.parquet"
    path.write_bytes(PARQUET[case](parquet(path)))
    said = refused(company, path)
    assert "panicked" not in said
    assert "polars" not in said


@pytest.mark.parametrize("case", TEXTS)
def test_json_that_is_no_table_is_refused(company: Terminal, tmp_path: Path, case: str) -> None:
    """However deep, wide or long: one sentence with the file's name, and nothing is written."""
    path = tmp_path / "leads.json"
    path.write_bytes(TEXTS[case])
    said = refused(company, path)
    if "column" in case:
        assert "512 columns" in said


@pytest.mark.parametrize("columns", [513, 10_000])
def test_a_parquet_that_is_too_wide(company: Terminal, tmp_path: Path, columns: int) -> None:
    """Refused with its width and the limit; fields of a structure count as columns."""
    wide = {f"c{number}": [number] for number in range(columns)}
    pl.DataFrame(wide).write_parquet(tmp_path / "wide")
    assert f"{columns:,} columns; at most 512" in refused(company, tmp_path / "wide")
    pl.DataFrame({"x": [dict.fromkeys(wide, 1)]}).write_parquet(tmp_path / "struct")
    assert f"{columns:,} columns; at most 512" in refused(company, tmp_path / "struct")


def test_rows_that_hurt_cost_only_themselves(fairlead: Terminal, tmp_path: Path) -> None:
    """Each bad line is unreadable and counted; the good ones before, between and behind them come in."""
    bo = json.dumps({"name": "Bo Holm", "email": "bo@helio.example"})
    hurt = [
        b'{"name": ' + b"[" * DEEP + b"]" * DEEP + b"}",  # deeper than any parser goes
        b'{"name": "' + b"x" * 100_000 + b'"}',
        b'{"name": "caf\\ud800"}',  # half a character
        b'{"name": 1' + b"0" * 5_000 + b"}",
        b'{"name": "A", "email": }',
        b"[1, 2, 3]",
        b"null",
    ]
    path = tmp_path / "leads.jsonl"
    path.write_bytes(b"\n".join([LINE.encode(), *hurt, bo.encode()]) + b"\n")
    done = fairlead(*RUN, str(path))
    assert done.code == 0, done.err
    assert (done.json["rows"], done.json["unreadable"]) == (2 + len(hurt), len(hurt))
    assert len(fairlead("cases", "list", "--json").json["cases"]) == 2


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    """A line in another encoding keeps its letters; the lines around it are as they were."""
    path = tmp_path / "leads"
    lines = [LINE.encode(), '{"name": "Zoë Lüth", "email": "z@helio.example"}'.encode("cp1252"), LINE.encode()]
    path.write_bytes(b"\n".join(lines))
    drafts, unreadable = outcome(path)
    assert unreadable == []
    assert [draft.fields["name"] for draft in drafts] == ["Ada Keller", "Zoë Lüth", "Ada Keller"]


def test_the_same_name_twice(tmp_path: Path) -> None:
    """In one object the last value counts, as everywhere; of names that differ in blanks one has the column."""
    path = tmp_path / "leads"
    path.write_text('{"name": "First", "name": "Last", "email": "a@b.example"}\n', encoding="utf-8")
    (draft,), _ = outcome(path)
    assert draft.fields["name"] == "Last"
    path.write_text('{"name": "Ada", " name ": "", "x.y": "1", "x": {"y": "2"}}\n', encoding="utf-8")
    shape = inspect(path)
    assert len(set(shape.header)) == len(shape.header)
    pl.DataFrame({"a.b": ["1"], "a": [{"b": "2"}], "name": ["Ada"], "name ": ["Bo"]}).write_parquet(tmp_path / "same")
    shape = inspect(tmp_path / "same")
    assert len(set(shape.header)) == len(shape.header) == 2
    drafts, unreadable = outcome(tmp_path / "same")
    assert (len(drafts), unreadable) == (1, [])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e308", "9" * 400])
def test_no_number_becomes_an_endless_deal(tmp_path: Path, number: str) -> None:
    """Not a number is nothing; what no amount can be is information that is missing, never a value."""
    path = tmp_path / "leads"
    good = '{"name": "Bo", "email": "b@b.example", "value": 12.5}\n'
    path.write_text(f'{good * 9}{{"name": "Ada", "email": "a@b.example", "value": {number}}}\n', encoding="utf-8")
    (*others, draft), unreadable = outcome(path)
    assert unreadable == []
    assert {one.value_minor for one in others} == {1250}
    assert draft.value_minor is None
    assert (number == "NaN") == (not [one for one in draft.problems if one.field == "value"])


def test_infinities_of_a_parquet(tmp_path: Path) -> None:
    """The same by type: empty for not a number, a problem for the infinite, the good row untouched."""
    values = [float("nan"), float("inf"), float("-inf"), 1e300, *[12.5] * 12]
    parquet(tmp_path / "leads", len(values), value=values)
    drafts, unreadable = outcome(tmp_path / "leads")
    assert unreadable == []
    assert [draft.value_minor for draft in drafts] == [None] * 4 + [1250] * 12
    assert [bool(draft.problems) for draft in drafts] == [False, True, True, True] + [False] * 12


def test_mixed_types_of_one_column(tmp_path: Path) -> None:
    """Numbers, words, lists and objects below one name: each cell is read as what it is."""
    values: list[Any] = [1200, "1200", True, None, ["a", 5], {"amount": 5}, [[1]], 12.5]
    path = tmp_path / "leads"
    path.write_text("\n".join(json.dumps(ADA | {"value": one}) for one in values), encoding="utf-8")
    drafts, unreadable = outcome(path)
    assert (len(drafts), unreadable) == (len(values), [])
    assert drafts[0].value_minor == 120_000
    assert drafts[7].value_minor == 1250
    assert [draft.value_minor for draft in drafts[2:7]] == [None] * 5


def test_types_that_only_parquet_has(tmp_path: Path) -> None:
    """Bytes, moments, lists, decimals, nothing at all: text that a person can read, and no cell with a NUL."""
    frame = pl.DataFrame({
        "name": ["Ada", "Bo"], "raw": [b"plain", b"\xff\x00"], "day": [date(2026, 1, 2), None],
        "at": [datetime(2026, 1, 2, 3, tzinfo=UTC), None], "tags": [["a", "b"], []], "none": [None, None],
        "far": pl.Series([2**63 - 1, -(2**63)]), "deep": [[[1]], [[2, 3]]],
    })  # fmt: skip
    frame.write_parquet(tmp_path / "leads")
    drafts, unreadable = outcome(tmp_path / "leads")
    assert unreadable == []
    first, second = (draft.attributes for draft in drafts)
    assert (first["raw"], second["raw"]) == ("plain", "2 bytes")
    assert (first["tags"], first["day"], first["far"]) == ("a, b", "2026-01-02", str(2**63 - 1))
    assert first["at"].startswith("2026-01-02T03:00")
    assert "\0" not in json.dumps([first, second])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), noise=st.binary(min_size=1, max_size=40), cut=st.booleans())
def test_any_damage_is_told(tmp_path: Path, place: float, noise: bytes, cut: bool) -> None:
    """Wherever a Parquet file is cut or overwritten: refused, or every row is a lead or told as unreadable."""
    sound = tmp_path / "sound"
    whole = sound.read_bytes() if sound.exists() else parquet(sound)
    at = int(place * len(whole))
    path = tmp_path / "damaged"
    path.write_bytes(whole[:at] if cut else whole[:at] + noise + whole[at + len(noise) :])
    found = outcome_or_words(path)
    if isinstance(found, str):
        assert "damaged" in found
        return
    drafts, unreadable = found
    if not cut and len(path.read_bytes()) == len(whole):
        assert len(drafts) + sum(one.lines for one in unreadable) >= 1
    assert all(one.words.endswith(".") for one in unreadable)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text('{}[]",:\\ \n\u0000\ud7ff0e-ntf', max_size=60))
def test_any_line_beside_good_ones(tmp_path: Path, text: str) -> None:
    """The good records around it come in whatever stands between them, and every line is accounted for."""
    path = tmp_path / "leads"
    path.write_text(f"{LINE}\n{LINE}\n{text}\n{LINE}\n", encoding="utf-8")
    found = outcome_or_words(path)
    if isinstance(found, str):
        assert "leads" in found
        return
    drafts, unreadable = found
    assert [draft.fields.get("name") for draft in drafts].count("Ada Keller") >= 3
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    assert len(drafts) + sum(one.lines for one in unreadable) <= len(lines)
