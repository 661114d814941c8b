"""Cells to facts: normalised when usable, a problem with its reason when not, never an exception."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given, settings, strategies as st

from fairlead.errors import InputError
from fairlead.sales.intake import (
    Checker,
    ColumnMapping,
    FileShape,
    LeadDraft,
    LeadField,
    Row,
    guess_mapping,
    identity_key,
)

_FIELDS = frozenset(field.value for field in LeadField)


def _shape(header: tuple[str, ...], *sample: tuple[str, ...]) -> FileShape:
    return FileShape("utf-8", ";", '"', True, header, sample, 0, 1, 2, "\n", False)


def _mapping(header: tuple[str, ...], *sample: tuple[str, ...]) -> ColumnMapping:
    return guess_mapping(_shape(header, *sample), {name: name for name in header if name in _FIELDS})


def _draft(*, currency: str = "EUR", default_country: str = "", **cells: str) -> LeadDraft:
    mapping = _mapping(tuple(cells))
    return Checker(mapping, currency=currency, default_country=default_country).check(Row(7, tuple(cells.values())))


def _codes(draft: LeadDraft) -> list[tuple[str, str, bool]]:
    return [(problem.field, problem.code, problem.needs_information) for problem in draft.problems]


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("12.500,00", 1_250_000, "EUR"),
        ("12,500.00", 1_250_000, "EUR"),
        ("€ 1 200", 120_000, "EUR"),
        ("1 200,5 €", 120_050, "EUR"),
        ("$1,234,567.89", 123_456_789, "USD"),
        ("CHF 1'200.50", 120_050, "CHF"),
        ("1.200,-", 120_000, "EUR"),
        ("12k", 1_200_000, "EUR"),
        ("1,5 Mio €", 150_000_000, "EUR"),
        ("JPY 500", 500, "JPY"),
        ("0", 0, "EUR"),
        ("1234.5", 123_450, "EUR"),
        ("1,25", 125, "EUR"),
        ("12,34,567", 123_456_700, "EUR"),
        ("5 MXN", 500, "MXN"),
    ],
)
def test_money_as_people_write_it(text: str, minor: int, currency: str) -> None:
    """Marks, blanks, signs, codes and scales of several countries give minor units of the right currency."""
    draft = _draft(value=text)
    assert (draft.value_minor, draft.currency, draft.problems) == (minor, currency, ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-5", "value_negative"),
        ("(1,200)", "value_negative"),
        ("99999999999999", "value_impossible"),
        ("a lot", "value_unreadable"),
        ("1.2.3", "value_unreadable"),
        ("12 apples", "value_unreadable"),
        ("NaN5", "value_unreadable"),
        ("1e400", "value_unreadable"),
        ("9" * 100, "value_unreadable"),
    ],
)
def test_impossible_money_is_information_that_is_missing(text: str, code: str) -> None:
    """A value that cannot be is never guessed at; the problem names row, field and reason."""
    draft = _draft(value=text)
    assert draft.value_minor is None
    assert _codes(draft) == [("value", code, True)]
    assert draft.problems[0].row == 7
    assert draft.needs_information


def test_ambiguous_thousands_follow_the_column() -> None:
    """`12.500` alone is thousands with a note; beside `9.75` it is twelve and a half."""
    alone = _draft(value="12.500")
    assert (alone.value_minor, _codes(alone)) == (1_250_000, [("value", "value_ambiguous", False)])
    mapping = _mapping(("value",), ("9.75",), ("1.50",))
    assert Checker(mapping).check(Row(2, ("12.500",))).value_minor == 1_250


def test_currency_of_row_header_and_workspace() -> None:
    """The row's currency wins over the header's, that over the workspace's; an unknown one: no value."""
    assert _draft(value="5", currency="USD").currency == "USD"
    mapping = guess_mapping(_shape(("Amount (CHF)",), ("5",)))
    assert Checker(mapping, currency="EUR").check(Row(2, ("5",))).currency == "CHF"
    both = Checker(_mapping(("value", "currency"))).check
    assert (both(Row(2, ("5", "usd"))).currency, both(Row(2, ("5", "usd"))).value_minor) == ("USD", 500)
    unknown = both(Row(2, ("5", "doubloons")))
    assert (unknown.value_minor, _codes(unknown)) == (None, [("currency", "currency_unknown", True)])
    assert _codes(both(Row(2, ("€5", "USD")))) == [("value", "currency_conflict", True)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"), ("deu", "DE"), ("Allemagne", "DE"), ("ALEMANIA", "DE"), ("Germania", "DE"),
        ("Alemanha", "DE"),
        ("Duitsland", "DE"), ("U.S.A.", "US"), ("The Netherlands", "NL"), ("uk", "GB"), ("Österreich", "AT"),
        ("Oesterreich", "AT"), ("Côte d'Ivoire", "CI"), ("España", "ES"), ("Czechia", "CZ"),
    ],
)  # fmt: skip
def test_countries_by_code_and_name(text: str, code: str) -> None:
    """Codes of two and three letters and names of seven languages, with or without accents."""
    assert _draft(country=text).fields == {"country": code}


def test_unknown_country_is_missing_information() -> None:
    """A country that nobody knows is not passed on as if it were one."""
    draft = _draft(country="Atlantis")
    assert "country" not in draft.fields
    assert _codes(draft) == [("country", "country_unknown", True)]


def test_phone_uses_the_rows_country() -> None:
    """National numbers become E.164 by the row's country, by the default with a note, or not at all."""
    assert _draft(country="Germany", phone="030 1234567").fields["phone"] == "+49301234567"
    assert _draft(phone="0049 30 1234567").fields["phone"] == "+49301234567"
    assumed = _draft(phone="030 1234567", default_country="DE")
    assert _codes(assumed) == [("phone", "phone_country_assumed", False)]
    assert not assumed.needs_information
    assert _codes(_draft(phone="030 1234567")) == [("phone", "phone_invalid", True)]
    assert _codes(_draft(phone="+49 1")) == [("phone", "phone_invalid", True)]


@pytest.mark.parametrize("text", ["not mail", "a@b", "a..b@firm.de", "a@-x.de", "@x.de", "a@x.de; b@x.de", "a" * 2_000])
def test_bad_email_is_missing_information(text: str) -> None:
    """No identity is made of an address that cannot be one."""
    draft = _draft(email=text)
    assert draft.identities == ()
    assert _codes(draft) == [("email", "email_invalid", True)]


_LOCALS = st.sampled_from(["ann", "Ann.Bee", "a_b+c", "a..b", ".a", "a-", "ö", "o'neil", "x" * 64, "x" * 65, "a b", ""])
_DOMAINS = st.sampled_from(
    ["firm.de", "FIRM.DE", "münchen.de", "a", "a.b", "-a.de", "firm.test", "x" * 63 + ".de", "x" * 64 + ".de",
     "1.2.3.4",
     "[1.2.3.4]", "firm.de.", "firm..de", ".".join(["y" * 60] * 4) + ".de", "firm_x.de", "localhost",
     "xn--mnchen-3ya.de"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(address=st.builds("{}@{}".format, _LOCALS, _DOMAINS) | st.emails())
def test_fast_email_path_agrees_with_the_validator(address: str) -> None:
    """Remembering domains changes no answer: same verdict and same normal form as the full check."""
    try:
        expected = validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        expected = None
    assume(not address.startswith("'"))  # a spreadsheet's mark of a text, which the import takes off
    assert _draft(email=address).fields.get("email") == expected


def test_phones_agree_with_the_library() -> None:
    """Example numbers of every region come out as the library writes them."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"AC", "TA"}):  # islands without a country code of ISO
        number = phonenumbers.example_number(region)
        if number is None:
            continue
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert _draft(phone=national, default_country=region).fields["phone"] == expected


def test_placeholders_count_as_empty() -> None:
    """What exports write for nothing is nothing, for known fields; attributes keep their words."""
    draft = _draft(email="n/a", phone="-", country="NULL", value="unknown", housing="unknown")
    assert (draft.fields, draft.problems) == ({}, ())
    assert draft.attributes == {"housing": "unknown"}


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("age", "999", "age_impossible"),
        ("age", "-3", "age_impossible"),
        ("age", "old", "age_unreadable"),
        ("employees", "-5", "employees_impossible"),
        ("employees", "many", "employees_unreadable"),
        ("created_at", "2024-02-30", "date_unreadable"),
        ("created_at", "0001-01-01", "date_impossible"),
        ("consent", "perhaps", "consent_unreadable"),
        ("language", "Klingonish", "language_unknown"),
        ("name", "x" * 1_001, "text_too_long"),
    ],
)
def test_impossible_cells(field: str, text: str, code: str) -> None:
    """Each field refuses what it cannot be, by name and reason."""
    draft = _draft(**{field: text})
    assert (draft.fields, _codes(draft)) == ({}, [(field, code, True)])


def test_usable_cells_of_every_other_field() -> None:
    """Dates, ranges, yes and no, languages and names are normalised; assumptions are noted."""
    draft = _draft(
        first_name=" Ann ", last_name="Bee", age="41", employees="51-200", created_at="03/04/2024",
        consent="Ja",
        language="de-AT", note="two\nlines", external_id="A-1",
    )  # fmt: skip
    assert draft.fields == {
        "first_name": "Ann", "last_name": "Bee", "name": "Ann Bee", "age": 41, "employees": 51,
        "created_at": "2024-04-03", "consent": True, "language": "de", "note": "two\nlines",
        "external_id": "A-1",
    }  # fmt: skip
    assert sorted(code for _, code, _ in _codes(draft)) == ["date_ambiguous", "employees_lower_bound"]
    assert _draft(created_at="2024-05-01T10:00:00+02:00").fields["created_at"] == "2024-05-01T08:00:00+00:00"


def test_identity_key() -> None:
    """The strongest identity alone; external ids are told apart by their source; nothing gives None."""
    assert identity_key(_draft(email="Ann@Firm.DE", external_id="1")) == "email:ann@firm.de"
    assert identity_key(_draft(external_id="1"), "crm") == "external_id:crm:1"
    assert identity_key(_draft(external_id="1", source="Fair"), "crm") == "external_id:fair:1"
    assert identity_key(_draft(phone="+49 30 1234567")) == "phone:+49301234567"
    assert identity_key(_draft(name="Ann")) is None


def test_bad_workspace_settings_are_refused() -> None:
    """A currency or country that does not exist is told before the first row."""
    with pytest.raises(InputError):
        Checker(_mapping(("value",)), currency="EURO")
    with pytest.raises(InputError):
        Checker(_mapping(("value",)), default_country="Germany")


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    cells=st.dictionaries(st.sampled_from(["email", "city", "shoe size", "note", "x\\y"]), _TEXTS, min_size=1),
    seed=st.integers(),
)
def test_fingerprint_ignores_column_order_and_case(cells: dict[str, str], seed: int) -> None:
    """Order, surrounding blanks and an added empty column change nothing; another cell does."""

    def printed(pairs: list[tuple[str, str]]) -> str:
        mapping = guess_mapping(_shape(tuple(name for name, _ in pairs)))
        return Checker(mapping).check(Row(2, tuple(cell for _, cell in pairs))).fingerprint

    pairs = list(cells.items())
    mixed = random.Random(seed).sample([*pairs, ("added", " ")], len(pairs) + 1)
    assert printed(pairs) == printed([(name, f"  {cell} ") for name, cell in mixed])
    assert printed(pairs) != printed([*pairs, ("added", "1")])


def test_fingerprint_cannot_be_forged_across_cells() -> None:
    """Separators of the digest inside a cell do not make two different rows one."""
    header = ("a", "b")
    checker = Checker(guess_mapping(_shape(header)))
    assert checker.check(Row(2, ("x\x1eb\x1fy", ""))).fingerprint != checker.check(Row(2, ("x", "y"))).fingerprint


def test_fingerprint_is_the_same_under_another_mapping_and_header_language() -> None:
    """Importing a file again with `--map`, or the same list with a German header, adds no lead."""
    row = Row(2, ("ann@firm.de", "Ann"))
    english, german = _shape(("email", "who")), _shape(("E-Mail Adresse", "Who"))
    first = Checker(guess_mapping(english)).check(row)
    mapped = Checker(guess_mapping(english, {"name": "who"})).check(row)
    assert mapped.fields["name"] == "Ann"
    assert first.fingerprint == mapped.fingerprint == Checker(guess_mapping(german)).check(row).fingerprint


@settings(max_examples=300, deadline=None)
@given(cells=st.lists(st.text(max_size=30), min_size=22, max_size=22))
def test_no_cell_raises(cells: list[str]) -> None:
    """Whatever the cells hold, a draft comes out, and each problem names its row and field."""
    mapping = _mapping(tuple(str(field) for field in LeadField))
    draft = Checker(mapping, default_country="DE").check(Row(9, tuple(cells)))
    assert all(problem.row == 9 and problem.field in _FIELDS and problem.words for problem in draft.problems)


def test_hostile_cells_are_quick_and_short_in_words() -> None:
    """Cells at the size limit neither hang a pattern nor fill a log line."""
    for text in (
        "9" * 65_000,
        "<" * 65_000,
        "@" * 65_000,
        " 1" * 32_000,
        "-" * 65_000,
        "(" * 65_000,
        "a b " * 16_000,
    ):
        draft = Checker(_mapping(tuple(_FIELDS))).check(Row(9, (text,) * len(_FIELDS)))
        assert all(len(problem.words) < 400 for problem in draft.problems)
