"""Pasted texts and messages: what is read, what is left alone, and what hostile ones may cost."""

from __future__ import annotations

import base64
from datetime import date, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import InputError, TooLargeError
from fairlead.sales.capture.dates import find_date
from fairlead.sales.capture.finding import as_stored, find
from fairlead.sales.capture.letters import MAX_TEXT_CHARS, read_letter

TODAY = date(2026, 3, 2)
WEEKDAYS = (
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "lunes martes miércoles jueves viernes sábado domingo",
)
EML = """Message-ID: <1@x.example>
MIME-Version: 1.0
From: =?utf-8?q?Ann_B=C3=A9?= <ann@firm.example>
Subject: Offer
Date: Wed, 4 Mar 2026 10:00:00 +0100
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/html; charset=utf-8

<p>Company: Wrong Ltd</p>
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

{body}
--b--
"""


def eml(body: str) -> str:
    """A message with this plain part."""
    return EML.format(body=base64.b64encode(body.encode()).decode())


def values(text: str | bytes) -> dict[str, object]:
    """The best value of each field."""
    return {one["field"]: one["value"] for one in as_stored(find(read_letter(text, TODAY)))}


def test_a_message_is_read_by_its_headers_and_its_plain_part() -> None:
    """Encoded names, the plain alternative and the letter's own date count; the HTML twin does not."""
    letter = read_letter(eml("Company: Right Ltd\nPlease call me tomorrow."), TODAY)
    assert letter.kind == "email"
    assert letter.received == date(2026, 3, 4)
    found = values(eml("Company: Right Ltd\nPlease call me tomorrow."))
    assert found["company"] == "Right Ltd"
    assert found["email"] == "ann@firm.example"
    assert found["next_date"] == "2026-03-05"


def test_an_html_message_is_read_without_its_markup() -> None:
    """Scripts and styles say nothing; words do."""
    text = "MIME-Version: 1.0\nFrom: a@firm.example\nContent-Type: text/html\n\n"
    found = values(text + "<style>.a{}</style><script>Company: Evil Ltd</script><p>Company: Good Ltd</p>")
    assert found["company"] == "Good Ltd"


def test_quoted_history_tells_nothing() -> None:
    """What others wrote below is no fact about who wrote now."""
    text = "Thanks, fine.\n\nOn Mon, 2 Mar 2026, Jo <jo@other.example> wrote:\n> Company: Other Ltd\n> jo@other.example"
    assert values(text) == {}


def test_two_values_for_one_thing_are_both_kept() -> None:
    """Neither is hidden, and the confidence says that somebody should look."""
    found = find(read_letter("Company: First Ltd\nCompany: Second GmbH", TODAY))["company"]
    assert {found.best.value, found.others[0].value} == {"First Ltd", "Second GmbH"}
    assert found.confidence < 0.6


def test_what_nobody_sees_is_no_part_of_a_value() -> None:
    """Zero-width and right-to-left marks neither split an address nor turn a name round."""
    found = values("Name: Ann\u200b Bell\nE-mail: an\u2060n@fi\u200brm.example\nCompany: \u202eActual Ltd\u202c")
    assert found == {"name": "Ann Bell", "email": "ann@firm.example", "company": "Actual Ltd"}


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u200b\u202e", "MIME-Version: 1.0\nFrom: a@b.example\n\n"])
def test_no_words_are_refused(text: str) -> None:
    """An empty text is no note, however it is empty."""
    with pytest.raises(InputError):
        read_letter(text, TODAY)


def test_too_much_text_is_refused() -> None:
    """A megabyte of words is nobody's note; the cure says what to leave out."""
    with pytest.raises(TooLargeError, match="history"):
        read_letter("word " * 200_000, TODAY)
    assert read_letter("x" * MAX_TEXT_CHARS, TODAY).text


def test_nested_messages_are_bounded_before_they_are_parsed() -> None:
    """Thousands of multiparts in each other cost nothing and end in a refusal."""
    nested = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(5_000))
    with pytest.raises(TooLargeError, match="nested"):
        read_letter("MIME-Version: 1.0\nFrom: a@b.example\n" + nested, TODAY)


def test_many_parts_and_large_messages_are_refused() -> None:
    """Neither a thousand parts nor more than a mebibyte are read."""
    head = 'MIME-Version: 1.0\nFrom: a@b.example\nContent-Type: multipart/mixed; boundary="b"\n\n'
    with pytest.raises(TooLargeError, match="parts"):
        read_letter(head + "--b\nContent-Type: image/png\n\nx\n" * 1_000 + "--b--", TODAY)
    with pytest.raises(TooLargeError, match="bytes"):
        read_letter(head + "x" * 1_100_000, TODAY)


def test_headers_cannot_smuggle_in_another() -> None:
    """A line break encoded into a subject stays within the subject."""
    letter = read_letter(
        eml("Fine.").replace("Subject: Offer", "Subject: =?utf-8?q?a=0AFrom:_evil=40x.example?="), TODAY
    )
    assert letter.sender_email == "ann@firm.example"


def test_prices_per_month_are_no_deal() -> None:
    """What a user costs is not what the deal is worth."""
    assert "value" not in values("We pay €49 per user today and 30 EUR pro Monat there.")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on 12 March 2026", "2026-03-12"), ("am 12. März", "2026-03-12"), ("le 1er avril", "2026-04-01"),
        ("el 3 de mayo de 2026", "2026-05-03"), ("March 17", "2026-03-17"), ("13/03/2026", "2026-03-13"),
        ("next Monday", "2026-03-09"), ("next Tuesday", "2026-03-03"), ("Friday", "2026-03-06"),
        ("mañana", "2026-03-03"), ("12 January", "2027-01-12"),
    ],
)  # fmt: skip
def test_days_as_people_write_them(text: str, day: str) -> None:
    """From a Monday, the second of March 2026."""
    found = find_date(text, TODAY)
    assert found is not None
    assert found.day.isoformat() == day


@pytest.mark.parametrize("said", range(7))
@pytest.mark.parametrize("named", range(7))
def test_weekdays_are_the_nearest_to_come(said: int, named: int) -> None:
    """From every day of the week, in four languages: "next" adds nothing, "next week" is the week after this one."""
    today = TODAY + timedelta(days=said)
    names = [language.split()[named] for language in WEEKDAYS]
    nearest = next(today + timedelta(days=n) for n in range(1, 8) if (today + timedelta(days=n)).weekday() == named)
    english, german, french, spanish = names
    for text in (
        english, f"next {english}", f"Call on {english}. Next, send a quote", f"{english}, next week I am away",
        f"nächsten {german}", f"{french} prochain", f"el próximo {spanish}",
    ):  # fmt: skip
        found = find_date(text, today)
        assert found is not None, text
        assert found.day == nearest, (text, today)
    of_next_week = TODAY + timedelta(days=7 + named)
    for text in (
        f"{english} next week", f"{english} of next week", f"next week on {english}", f"{german} nächster Woche",
        f"kommende Woche {german}", f"{french} de la semaine prochaine", f"{spanish} de la próxima semana",
    ):  # fmt: skip
        found = find_date(text, today)
        assert found is not None, text
        assert found.day == of_next_week, (text, today)


@pytest.mark.parametrize("text", ["12 March 2020", "2.500", "31.02.2026", "version 3.4.2026.1", "may be"])
def test_what_is_no_day_to_come(text: str) -> None:
    """Past days, impossible ones and other numbers are not taken for an appointment."""
    assert find_date(text, TODAY) is None


@settings(max_examples=40)
@given(st.text(max_size=400) | st.lists(st.sampled_from(
    ["From: ", "a@b.example", "\n", "> ", "Company: ", "€ 12.500,-", "Regards\n", "GmbH ", "+49 30 23125 014", "\u202e",
     "--", "Ann Bell", ", CEO ", "12 March", "(", ")", "|", "MIME-Version: 1.0\n", "=?utf-8?q?=FF?=", "\x00"]),
    max_size=30).map("".join))  # fmt: skip
def test_no_text_breaks_the_reading(text: str) -> None:
    """Whatever is pasted is read, refused with a reason, or found empty; spans stay inside."""
    try:
        letter = read_letter(text, TODAY)
    except InputError:
        return
    for one in find(letter).values():
        assert 0 <= one.best.start < one.best.end <= len(letter.text)
        assert 0 < one.confidence <= 1
