"""Dates of any country: the order of day and month is read off the column, and a doubtful date is called so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.sales.intake.dates import is_date, read_when, style_of

DAYS = st.dates(date(1970, 1, 1), date(2069, 12, 31))
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
NUMERIC = {
    "iso": "{y:04}-{m:02}-{d:02}", "compact": "{y:04}{m:02}{d:02}", "slashes": "{y:04}/{m:02}/{d:02}",
    "de": "{d:02}.{m:02}.{y:04}", "short de": "{d}.{m}.{s:02}", "uk": "{d:02}/{m:02}/{y:04}",
    "us": "{m}/{d}/{y:04}", "us short": "{m:02}/{d:02}/{s:02}", "dashes": "{d:02}-{m:02}-{y:04}", "cz": "{d}. {m}. {y}",
    "asian": "{y}年{m}月{d}日",
}  # fmt: skip
WORDED = ("{d} {n} {y}", "{d}. {n} {y}", "{n} {d}, {y}", "{d}-{a}-{s:02}", "{d} de {n} de {y}", "{y} {n} {d}")


def numeric(day: date, form: str) -> str:
    """The day in figures."""
    return NUMERIC[form].format(d=day.day, m=day.month, y=day.year, s=day.year % 100)


@settings(max_examples=300, deadline=None)
@given(day=DAYS, form=st.sampled_from(sorted(NUMERIC)))
def test_a_date_in_figures_comes_back_or_is_doubtful(day: date, form: str) -> None:
    """Written in any of the forms, alone, a date is read as it was meant or called ambiguous."""
    found = read_when(numeric(day, form))
    assert found is not None
    assert found.iso == day.isoformat() or found.ambiguous


@settings(max_examples=60, deadline=None)
@given(days=st.lists(DAYS, min_size=1, max_size=30), form=st.sampled_from(["uk", "us", "us short", "dashes"]))
def test_a_column_in_one_form_never_misleads(days: list[date], form: str) -> None:
    """Judged by its own column, each date is read as it was meant, or called ambiguous."""
    cells = [numeric(day, form) for day in days]
    style = style_of(cells)
    for day, cell in zip(days, cells, strict=True):
        found = read_when(cell, style)
        assert found is not None
        assert found.iso == day.isoformat() or found.ambiguous
    if any(day.day > 12 for day in days) and form in {"uk", "us"}:
        assert all(read_when(cell, style).iso == day.isoformat() for day, cell in zip(days, cells, strict=True))  # type: ignore[union-attr]


@settings(max_examples=150, deadline=None)
@given(day=DAYS, language=st.sampled_from(sorted(MONTHS)), form=st.sampled_from(WORDED), upper=st.booleans())
def test_month_names_of_six_languages(day: date, language: str, form: str, upper: bool) -> None:
    """Months in words, whole or cut to a few letters, are beyond doubt."""
    name = MONTHS[language].split()[day.month - 1]
    short = name if len(name) <= 4 else name[:3]
    short = {"jui": name[:4], "fév": "févr", "aoû": "août", "maa": "mrt", "mär": "mrz"}.get(short.lower(), short)
    text = form.format(d=day.day, n=name, a=short, y=day.year, s=day.year % 100)
    found = read_when(text.upper() if upper else text)
    assert found is not None, text
    assert (found.iso, found.ambiguous) == (day.isoformat(), False)


@settings(max_examples=100, deadline=None)
@given(moment=st.datetimes(datetime(1975, 1, 1), datetime(2069, 1, 1)))  # noqa: DTZ001
def test_moments(moment: datetime) -> None:
    """Times of day, twelve-hour clocks, zones, seconds since 1970 and spreadsheets' days give the same moment."""
    moment = moment.replace(microsecond=0)
    half = moment.strftime("%Y-%m-%d %I:%M:%S %p")
    aware = moment.replace(tzinfo=UTC)
    epoch = read_when(str(int(aware.timestamp())))
    zoned = read_when(f"{moment:%d.%m.%Y %H:%M:%S} +0200")
    serial = read_when(str((moment.date() - date(1899, 12, 30)).days))

    assert read_when(half) == (moment.isoformat(), False, "text", False)
    assert read_when(f"{moment:%d.%m.%Y %H:%M:%S}") == (moment.isoformat(), False, "text", False)
    assert epoch is not None
    assert (epoch.iso, epoch.kind) == (aware.isoformat(), "epoch")
    assert zoned is not None
    assert zoned.iso == (aware - timedelta(hours=2)).isoformat()
    assert serial is not None
    assert (serial.iso, serial.kind) == (moment.date().isoformat(), "serial")


@pytest.mark.parametrize(
    "text",
    ["", "31/02/2024", "2024-13-01", "32.01.2024", "Mar-12", "March 2024", "soon", "1.2", "12345678", "999",
     "03/04/2024 25:00", "03/04/2024 nonsense", "2024-02-30", "0/0/0000", "5 Foo 2024", "1 2 3 4", "٣١/٠٢/٢٠٢٤"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    """Impossible days and words are refused, not bent into shape."""
    assert read_when(text) is None


def test_the_columns_order_settles_doubtful_dates() -> None:
    """One date beyond doubt is enough; contradictions and mixtures are kept apart by separator."""
    american = style_of(["03/25/2024", "03/04/2024"])
    assert read_when("03/04/2024", american) == ("2024-03-04", False, "text", False)
    assert read_when("25/04/2024", american) == ("2024-04-25", False, "text", True)
    contradicting = style_of(["03/25/2024", "25/03/2024"])
    assert contradicting.orders["/"] == frozenset()
    assert read_when("03/04/2024", contradicting).ambiguous  # type: ignore[union-attr]
    mixed = style_of(["03/25/2024", "3. April 2024", "04.03.2024"])
    assert mixed.mixed
    assert read_when("04.03.2024", mixed) == ("2024-03-04", False, "text", False)


def test_figures_alone_are_dates_only_where_dates_are_expected() -> None:
    """A number is no sign that a column holds dates, or every phone number would be one."""
    assert read_when("45000") is not None
    assert not is_date("45000")
    assert not is_date("1700000000")
    assert is_date("3.4.2024")
