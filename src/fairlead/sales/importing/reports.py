"""The data-quality report of an import: per column, per lead, and every problem, for pages, programs and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from fairlead.checkpoints import FirstRuling, first_rulings
from fairlead.kit.unit_of_work import Reader
from fairlead.sales import import_store, store
from fairlead.sales.counting import needs_information
from fairlead.sales.importing import store as upload_store
from fairlead.sales.intake import completeness

PAGE = 500
COLUMN_HEADER = (
    "column", "used_as", "sure", "filled_percent", "distinct", "suspicions", "problem", "needs_information", "count",
    "example_row", "example",
)  # fmt: skip
LEAD_HEADER = ("row", "lead", "case", "name", "completeness_percent", "missing", "needs_information", "problems")
PROBLEM_HEADER = ("row", "field", "code", "needs_information", "words")
TABLES = ("columns", "leads", "problems")

Reading = Callable[[], AbstractContextManager[Reader]]


def accounted(reader: Reader, import_id: str, rows: int) -> dict[str, Any]:
    """Rows read = leads + duplicates + unreadable ones; `sum` is what the parts make, `complete` whether that is all.

    `cancelled` are among the leads.
    """
    rejects = import_store.reject_counts(reader, import_id)
    parts = {
        "leads": store.lead_count(reader, import_id), "duplicate": rejects.get("duplicate", 0),
        "unreadable": rejects.get("unreadable", 0),
    }  # fmt: skip
    total = sum(parts.values())
    cancelled = upload_store.cancelled_count(reader, import_id)
    return {"rows": rows, **parts, "cancelled": cancelled, "sum": total, "complete": total == rows}


def quality_of(reader: Reader, import_id: str) -> dict[str, Any]:
    """The whole report but for single leads; `quality` None while rows are still read, or for an old import."""
    row = import_store.read_import(reader, import_id)
    return {
        "import": row.id, "name": row.name, "state": row.state, "accounted": accounted(reader, import_id, row.rows),
        "quality": _told(row.quality),
    }  # fmt: skip


def _told(quality: dict[str, Any] | None) -> dict[str, Any] | None:
    """The stored report; one of an earlier Fairlead calls rows with unusable cells by another name."""
    if quality and "needs_information" in quality["leads"]:
        leads = dict(quality["leads"])
        leads["unusable_cells"] = leads.pop("needs_information")
        return {**quality, "leads": leads}
    return quality


def lead_quality(row: Any, expected: tuple[str, ...], first: FirstRuling | None) -> dict[str, Any]:
    """One lead's part: what share of the mapped fields it has, which it lacks, and its problems.

    `first` is the first ruling on its case, None while there is none: then it does not need information yet.
    """
    has = set(row.fields) | ({"value"} if row.value_minor is not None else set())
    return {
        "row": row.row_no, "lead": row.id, "case": row.case_id, "name": row.fields.get("name", ""),
        "completeness_percent": completeness(sorted(has), expected),
        "missing": [name for name in expected if name not in has],
        "needs_information": first is not None and needs_information(first, row.problems),
        "problems": row.problems,
    }  # fmt: skip


def expected_fields(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that the file has columns for; what tells the outcome or the currency is none of a lead's facts."""
    fields = (str(one["field"]) for one in mapping["mapped"])
    return tuple(field for field in fields if field not in ("outcome", "currency"))


def leads_quality(reader: Reader, import_id: str, after: int, limit: int) -> list[dict[str, Any]]:
    """`lead_quality` of some leads, in the file's order beyond row `after`."""
    expected = expected_fields(import_store.read_import(reader, import_id).mapping)
    return _with_rulings(reader, store.leads_page(reader, import_id, after, limit), expected)


def _with_rulings(reader: Reader, rows: Sequence[Any], expected: tuple[str, ...]) -> list[dict[str, Any]]:
    firsts = first_rulings(reader, [row.case_id for row in rows if row.case_id])
    return [lead_quality(row, expected, firsts.get(row.case_id)) for row in rows]


def quality_table(reading: Reading, import_id: str, table: str) -> tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]:
    """(header, rows) of one of TABLES; rows are read a page at a time, so that a slow reader holds nothing."""
    if table == "leads":
        return LEAD_HEADER, _lead_rows(reading, import_id)
    if table == "problems":
        return PROBLEM_HEADER, _problem_rows(reading, import_id)
    return COLUMN_HEADER, _column_rows(reading, import_id)


def _column_rows(reading: Reading, import_id: str) -> Iterator[tuple[Any, ...]]:
    with reading() as reader:
        quality = import_store.read_import(reader, import_id).quality
    for one in quality["columns"] if quality else ():
        distinct = one["distinct"] if one["distinct"] is not None else f"more than {one['more_than']}"
        head = (one["column"], one["used_as"], one["level"], one["filled_percent"], distinct,
                " ".join(one["suspicions"]))  # fmt: skip
        for problem in one["problems"]:
            example = problem["examples"][0]
            yield (*head, problem["code"], problem["needs_information"], problem["count"], example["row"],
                   example["words"])  # fmt: skip
        if not one["problems"]:
            yield (*head, "", "", 0, "", "")


def _pages(reading: Reading, import_id: str) -> Iterator[list[Any]]:
    after = -1
    while True:
        with reading() as reader:
            page = store.leads_page(reader, import_id, after, PAGE)
        yield page
        if len(page) < PAGE:
            return
        after = page[-1].row_no


def _lead_rows(reading: Reading, import_id: str) -> Iterator[tuple[Any, ...]]:
    with reading() as reader:
        expected = expected_fields(import_store.read_import(reader, import_id).mapping)
    for page in _pages(reading, import_id):
        with reading() as reader:
            told = _with_rulings(reader, page, expected)
        for one in told:
            problems = "; ".join(f"{p['field']}: {p['words']}" for p in one["problems"])
            yield (one["row"], one["lead"], one["case"], one["name"], one["completeness_percent"],
                   " ".join(one["missing"]), one["needs_information"], problems)  # fmt: skip


def _problem_rows(reading: Reading, import_id: str) -> Iterator[tuple[Any, ...]]:
    for page in _pages(reading, import_id):
        for row in page:
            for one in row.problems:
                yield (row.row_no, one["field"], one["code"], one["needs_information"], one["words"])
    after = -1
    while True:
        with reading() as reader:
            rejects = import_store.rejects(reader, import_id, after, PAGE)
        yield from ((one.row_no, "", one.code, False, one.words) for one in rejects if one.kind == "unreadable")
        if len(rejects) < PAGE:
            return
        after = rejects[-1].row_no
