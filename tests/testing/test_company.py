"""A made-up company: the same for the same seed, somebody new at every start, spoilt here and there, nobody real."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.sales import checked_rows, open_lead_file
from fairlead.testing.company import (
    HEADER,
    HISTORY_HEADER,
    Company,
    CompanyOptions,
    history_rows,
    lead_rows,
    write_leads,
)

if TYPE_CHECKING:
    from pathlib import Path

MAIL, PHONE, COUNTRY, VALUE = (HEADER.index(name) for name in ("E-mail", "Phone", "Country", "Deal value"))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_seed_gives_its_leads_again(count: int, seed: int, start: int) -> None:
    """As many as asked for, each with a cell per column, and the same ones the next time."""
    rows = list(lead_rows(count, seed, start=start))
    assert len(rows) == count
    assert all(len(row) == len(HEADER) for row in rows)
    assert rows == list(lead_rows(count, seed, start=start))


def test_another_seed_gives_other_leads() -> None:
    """Two demos do not show the same people."""
    assert set(lead_rows(100, 1)).isdisjoint(lead_rows(100, 2))


def test_a_second_file_goes_on_with_other_people() -> None:
    """No address of the first file stands in the second, and none stands twice in one."""
    first, second = ([row[MAIL] for row in lead_rows(300, start=start) if "@" in row[MAIL]] for start in (0, 300))
    assert len(set(first)) == len(first)
    assert set(first).isdisjoint(second)


def test_about_one_in_twelve_is_spoilt() -> None:
    """Each kind of mistake occurs, and a lead that lost its address lost its telephone too."""
    rows = list(lead_rows(2_400))
    mistakes = {
        "broken address": [row for row in rows if " at " in row[MAIL]],
        "unreachable": [row for row in rows if not row[MAIL]],
        "no such country": [row for row in rows if row[COUNTRY] == "Nowhereland"],
        "impossible value": [row for row in rows if row[VALUE].startswith("-")],
    }
    assert all(mistakes.values())
    assert all(not row[PHONE] for row in mistakes["unreachable"])
    assert 100 <= sum(map(len, mistakes.values())) <= 300


def test_nobody_real_is_written_to() -> None:
    """A company's address is under `.example`, which no mail server can have; the rest are numbered."""
    for row in lead_rows(500):
        if "@" in row[MAIL]:
            name, _, host = row[MAIL].partition("@")
            assert host.endswith(".example") or name.rpartition(".")[2].isdigit()


def test_a_file_holds_the_rows_under_their_header(tmp_path: Path) -> None:
    """What was written is what is read back, cell for cell."""
    path = tmp_path / "leads.csv"
    write_leads(path, 50, 3, start=9)
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == HEADER
    assert [tuple(row) for row in rows] == list(lead_rows(50, 3, start=9))


def test_an_import_understands_every_column(tmp_path: Path) -> None:
    """The demo shows an import that works: each column finds its field and no row is unreadable."""
    path = tmp_path / "leads.csv"
    write_leads(path, 60)
    file = open_lead_file(path, [], "EUR")
    assert {guess.column for guess in file.mapping.guesses} == set(HEADER)
    with file.reader:
        rows = list(checked_rows(file, lambda _bytes: None))
    assert len({row.fingerprint for row in rows}) == 60  # type: ignore[union-attr]  # none is unreadable


@given(st.integers(0, 10**6), st.integers(0, 10**4))
@settings(max_examples=5)
def test_the_same_options_make_the_same_company(seed: int, number: int) -> None:
    """Lead, account and rep, whichever were asked for before."""
    options = CompanyOptions(seed=seed, accounts=20, duplicates=0.5)
    first, second = Company(options), Company(options)
    assert list(first.leads(20, start=number))[-1] == second.lead(number + 19)
    assert first.accounts == second.accounts
    assert first.reps == second.reps


def test_the_shares_are_those_asked_for() -> None:
    """Within three standard errors: converted, entered twice, spoilt, unreachable, subsidiaries."""
    options = CompanyOptions(seed=3, conversion=0.2, duplicates=0.1, messy=0.2, unreachable=0.5, accounts=400)
    company = Company(options)
    made = list(company.leads(4_000))
    firsts = [lead for lead in made if lead.twin_of is None]
    assert sum(lead.converts for lead in firsts) / len(firsts) == pytest.approx(0.2, abs=0.03)
    assert sum(lead.twin_of is not None for lead in made) / 4_000 == pytest.approx(0.09, abs=0.02)
    assert sum(bool(lead.mistake) for lead in firsts) / len(firsts) == pytest.approx(0.2, abs=0.02)
    assert sum(lead.mistake == "unreachable" for lead in firsts) / len(firsts) == pytest.approx(0.1, abs=0.02)
    assert sum(one.parent is not None for one in company.accounts) / 400 == pytest.approx(0.2, abs=0.06)
    for lead in made:
        if lead.twin_of is not None:
            assert lead.row != company.lead(lead.twin_of).row
            assert lead.account == company.lead(lead.twin_of).account


def test_quality_shows_in_what_becomes_of_leads() -> None:
    """The better half by the true chance converts more often; without spread in the traits there is no history."""
    made = sorted(Company(CompanyOptions(conversion=0.3, noise=0.0)).leads(2_000), key=lambda lead: lead.chance)
    worse, better = (sum(lead.converts for lead in part) for part in (made[:1_000], made[1_000:]))
    assert better > 1.5 * worse
    [row] = history_rows(Company(CompanyOptions()), 1, datetime(2027, 1, 1, tzinfo=UTC))
    assert (len(row), row[-1] in {"won", "lost"}, row[-2][:4]) == (len(HISTORY_HEADER), True, "2026")


@pytest.mark.parametrize("wrong", [{"messy": 1.1}, {"duplicates": -0.1}, {"conversion": 0.0}, {"accounts": 0}])
def test_a_company_that_cannot_be(wrong: dict[str, Any]) -> None:
    """Refused by name before anything is made."""
    with pytest.raises(ValueError, match=r"share|between"):
        replace(CompanyOptions(), **wrong)
