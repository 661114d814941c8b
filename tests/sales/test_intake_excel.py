"""What spreadsheets and people do to files: undone where possible, named where not, never taken for a fact."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.errors import InputError
from fairlead.sales.intake import Checker, LeadDraft, Profile, Row, Unreadable, guess_mapping, inspect, read_rows
from fairlead.sales.intake.excel import is_code_date, undone


def taken(path: Path, **options: str) -> list[LeadDraft | Unreadable]:
    """Every row of the file."""
    shape = inspect(path)
    checker = Checker(guess_mapping(shape), **options)
    with read_rows(path, shape) as rows:
        return [checker.judge(one) if isinstance(one, Row) else one for one in rows]


def leads(tmp_path: Path, header: str, *rows: str, **options: str) -> list[LeadDraft]:
    """The readable rows of a table separated by `;`."""
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return [one for one in taken(path, **options) if isinstance(one, LeadDraft)]


def problems(draft: LeadDraft) -> list[tuple[str, str, bool]]:
    """(field, code, whether information is needed)."""
    return [(one.field, one.code, one.needs_information) for one in draft.problems]


@pytest.mark.parametrize(
    ("cell", "email", "text", "code", "lost"),
    [
        ("#REF!", False, "", "excel_error", True), ("#BEZUG!", False, "", "excel_error", True),
        ("#n/a", False, "", "excel_error", True), ("'+49 30 1", False, "+49 30 1", "", False),
        ("'00123", False, "00123", "", False), ('="00123"', False, "00123", "", False),
        ('=HYPERLINK("mailto:a@b.de?subject=x","Ann")', True, "a@b.de", "formula_text", False),
        ('=HYPERLINK("http://x.example","Ann ""A"" Bee")', False, 'Ann "A" Bee', "formula_text", False),
        ("1.23457E+11", False, "1.23457E+11", "excel_mangled", True),
        ("=1+cmd|x", False, "=1+cmd|x", "formula_text", False),
    ],
)  # fmt: skip
def test_what_spreadsheets_leave_behind(cell: str, email: bool, text: str, code: str, lost: bool) -> None:
    """Error values and cut digits are lost; links, protected texts and formulas keep what they hold."""
    found = undone(cell, email=email)
    assert found is not None
    assert (found.text, found.code, found.lost) == (text, code, lost)


@pytest.mark.parametrize("cell", ["", "'t Hart", "O'Neil", "#1 Ltd", "a=b", "1E5x", "E+", "Ann"])
def test_what_is_left_alone(cell: str) -> None:
    """Names with apostrophes and signs inside texts are nobody's damage."""
    assert undone(cell) is None


def test_damage_is_told_with_row_field_and_reason(tmp_path: Path) -> None:
    """A cut phone number, an error value and a date made of a range need information; the row still comes in."""
    first, second = leads(
        tmp_path, "Name;Phone;Deal value;Employees;Product",
        "Ann;4.91702E+11;#REF!;Nov-50;A-1",
        '"=HYPERLINK(""http://x.example"";""Bo"")";\'+49 30 1234567;12;51-200;#NAME?',
    )  # fmt: skip
    assert problems(first) == [
        ("phone", "excel_mangled", True), ("value", "excel_error", True), ("employees", "excel_date", True),
    ]  # fmt: skip
    assert all(one.row == 2 for one in first.problems)
    assert second.fields["name"] == "Bo"
    assert second.fields["phone"] == "+49301234567"
    assert ("Product", "excel_error", False) in problems(second)


def test_codes_that_became_dates(tmp_path: Path) -> None:
    """A few months among codes are suspected and, as an id, not used; a column of months is left alone."""
    rows = [f"Ann {n};K-{n};P-{n};Mar-{n}" for n in range(1, 9)]
    drafts = leads(tmp_path, "Name;Customer ID;Product;Month", *rows, "Bo;Mar-12;Okt-03;Apr-01")
    last = drafts[-1]
    assert problems(last) == [("external_id", "excel_date", True), ("Product", "excel_date", False)]
    assert not last.identities
    assert all(not draft.problems for draft in drafts[:-1])
    assert is_code_date("12-Mrz")
    assert not is_code_date("12-Abc")


def test_totals_and_repeated_headers_are_no_leads(tmp_path: Path) -> None:
    """A row of totals and the header in the middle are unreadable, by their reason; a company may be called Total."""
    path = tmp_path / "t.csv"
    text = "Firma;Land;Betrag\nTotal;FR;\nTotal;;\nA;DE;5\nFirma;Land;Betrag\nSumme;;1.005,00\n"
    path.write_text(text, encoding="utf-8")
    found = taken(path)
    assert [(one.number, one.reason_code) for one in found if isinstance(one, Unreadable)] == [
        (5, "repeated_header"), (6, "totals_row"),
    ]  # fmt: skip
    assert [one.fields["company"] for one in found if isinstance(one, LeadDraft)] == ["Total", "Total", "A"]


def test_three_styles_of_dates_in_one_column(tmp_path: Path) -> None:
    """Each date that can be one day only is that; one that can be two needs information, with row and reason."""
    cells = ["2024-05-01", "3. Mai 2024", "31/12/2024", "12/31/2024", "03/04/2024", "45000", "2199-01-01"]
    drafts = leads(tmp_path, "Name;Created at", *(f"A{n};{cell}" for n, cell in enumerate(cells)))
    assert [draft.fields.get("created_at") for draft in drafts] == [
        "2024-05-01", "2024-05-03", "2024-12-31", "2024-12-31", None, "2023-03-15", None,
    ]  # fmt: skip
    assert problems(drafts[4]) == [("created_at", "date_ambiguous", True)]
    assert drafts[4].problems[0].row == 6
    assert problems(drafts[6]) == [("created_at", "date_impossible", True)]


def test_a_column_decides_its_doubtful_cells_and_says_so(tmp_path: Path) -> None:
    """Evidence far behind the first rows counts, and the file says what was decided and why."""
    path = tmp_path / "t.csv"
    rows = [f"Ann {n};12.345;03/04/2024;{'x' * 300}" for n in range(3_000)]
    rows[1_500:] = [f"Bo {n};1.234,5;05/25/2024;{'x' * 300}" for n in range(1_500)]
    path.write_text("Name;Deal value;Created at;Pad\n" + "\n".join(rows), encoding="utf-8")
    mapping = guess_mapping(inspect(path))
    draft = Checker(mapping).check(Row(2, ("Ann", "12.345", "03/04/2024", "")))

    assert (draft.value_minor, draft.fields["created_at"], draft.problems) == (1_234_500, "2024-03-04", ())
    said = " ".join(mapping.statements)
    assert "'Deal value': '12.345' is read as 12,345" in said
    assert "month, day, year" in said


def test_contradicting_numbers_need_information(tmp_path: Path) -> None:
    """Where a column writes both ways, what can be two amounts is not guessed."""
    drafts = leads(tmp_path, "Name;Deal value", "A;1.5", "B;1,5", "C;12.345")
    assert [draft.value_minor for draft in drafts] == [150, 150, None]
    assert problems(drafts[2]) == [("value", "value_ambiguous", True)]


def test_numbers_of_attributes_follow_their_column(tmp_path: Path) -> None:
    """Amounts, percentages and thousands of other columns are numbers by their own mark; codes stay text."""
    drafts = leads(tmp_path, "Name;Umsatz;Quote;Code", "A;1.234,5;45 %;007", "B;12.345;3,5 %;008")
    assert [draft.attributes for draft in drafts] == [
        {"Umsatz": 1234.5, "Quote": 45, "Code": "007"}, {"Umsatz": 12345, "Quote": 3.5, "Code": "008"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "country", "phone", "code"),
    [
        ("491701234567", "", "+491701234567", "phone_plus_assumed"),
        ("491701234567", "DE", "+491701234567", "phone_plus_assumed"),
        ("301234567", "DE", "+49301234567", "phone_country_assumed"),
        ("030 12345678901234", "DE", None, "phone_invalid"),
        ("030 1", "DE", None, "phone_invalid"), ("12345", "", None, "phone_invalid"),
    ],
)  # fmt: skip
def test_phones_that_lost_something(tmp_path: Path, cell: str, country: str, phone: str | None, code: str) -> None:
    """A lost + or 0 is put back with a note; a wrong length needs information and says so."""
    (draft,) = leads(tmp_path, "Name;Phone", f"Ann;{cell}", default_country=country)
    assert draft.fields.get("phone") == phone
    assert [one.code for one in draft.problems] == [code]
    assert draft.needs_information is (phone is None)


def test_crowns_need_their_country(tmp_path: Path) -> None:
    """`kr` is the money of four countries: beside a currency it is that one, else the value is unknown."""
    known, unknown = leads(tmp_path, "Name;Deal value;Currency", "A;1 200 kr;SEK", "B;1 200 kr;EUR")
    assert (known.value_minor, known.currency) == (120_000, "SEK")
    assert problems(unknown) == [("value", "currency_unknown", True)]


def test_a_report_of_the_data(tmp_path: Path) -> None:
    """Filled, distinct, constant, empty, problems by kind with few examples; rows add up; all of it is bounded."""
    path = tmp_path / "t.csv"
    rows = [f"Ann {n};{'bad' if n % 2 else f'a{n}@b.de'};x;;n/a" for n in range(3_000)]
    path.write_text("Name;Email;Same;Nothing;Words\n" + "\n".join([*rows, "short"]) + "\n", encoding="utf-8")
    shape = inspect(path)
    mapping = guess_mapping(shape)
    profile, checker = Profile(mapping), Checker(mapping)
    with read_rows(path, shape) as items:
        for one in items:
            if isinstance(one, Row):
                profile.add_rows([one])
            profile.add(checker.judge(one) if isinstance(one, Row) else one)
    report = profile.report()
    columns = {one["column"]: one for one in report["columns"]}

    assert (report["records"], report["readable"], report["unreadable"]) == (3_001, 3_000, 1)
    assert columns["Name"]["distinct"] is None
    assert columns["Name"]["more_than"] == 1_000
    assert columns["Same"]["suspicions"] == ["constant"]
    assert columns["Nothing"]["suspicions"] == columns["Words"]["suspicions"] == ["empty"]
    (kind,) = columns["Email"]["problems"]
    assert (kind["code"], kind["count"], kind["needs_information"]) == ("email_invalid", 1_500, True)
    assert [example["row"] for example in kind["examples"]] == [3, 5, 7, 9, 11]
    assert report["leads"]["completeness"] == 75.0
    assert report["leads"]["by_completeness"]["100"] == report["leads"]["by_completeness"]["50-74"] == 1_500
    assert report["unreadable_kinds"][0]["code"] == "too_few_fields"


def test_200_columns_of_which_3_matter(tmp_path: Path) -> None:
    """Wide exports come in, with the three that mean something found and the rest kept."""
    header = [f"x{n}" for n in range(197)]
    header[50:50] = ["E-Mail", "Firma", "Land"]
    row = ["0"] * 197
    row[50:50] = ["a@b.de", "Acme", "DE"]
    path = tmp_path / "t.csv"
    path.write_text("\ufeff" + ";".join(header) + "\n" + ";".join(row) + "\n", encoding="utf-8")
    (draft,) = taken(path)
    assert isinstance(draft, LeadDraft)
    assert draft.fields == {"email": "a@b.de", "company": "Acme", "country": "DE"}
    assert len(draft.attributes) == 197


def test_part_of_a_columns_name_is_not_enough(tmp_path: Path) -> None:
    """`--map` takes the whole name, whatever its case and marks; a part of it is refused with what was meant."""
    path = tmp_path / "t.csv"
    path.write_text("Deal value (EUR);E-Mail;Deal note\n5;a@b.de;x\n", encoding="utf-8")
    shape = inspect(path)
    assert guess_mapping(shape, {"note": "e mail", "value": "deal VALUE"}).guesses[0].column == "Deal value (EUR)"
    with pytest.raises(InputError, match=r"Did you mean 'Deal value \(EUR\)' or 'Deal note'"):
        guess_mapping(shape, {"value": "Deal"})
