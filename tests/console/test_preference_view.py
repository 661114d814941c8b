"""What the public pages work out by themselves: masks, days, paces, languages, switches."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st

from fairlead.console.offers import always_of, offers_of
from fairlead.console.preference_view import (
    Known,
    Offer,
    Typed,
    is_on,
    masked,
    pace_of,
    pause_end,
    pause_span,
    shown_channels,
    view_of,
)
from fairlead.console.preference_words import day_words, speak
from fairlead.customers import KnownIdentity, Preference, Standing, Suppressed
from fairlead.guardrails import parse_rules

NOW = datetime(2028, 2, 28, 23, 30, tzinfo=UTC)
SALES = Offer("sales", "Sales", ("email", "phone"), "opt_out")
NEWS = Offer("news", "News", ("email", "sms"), "opt_in", double=True)


def identity(kind: str, value: str) -> KnownIdentity:
    """One that nobody verified."""
    return KnownIdentity(kind, value, "test", NOW, None)


def said(state: str, at: datetime = NOW, **more: object) -> Standing:
    """A word of the customer."""
    values = {"expires_at": None, "mechanism": "test", "notice": None, "source": "", "outdated": False, **more}
    return Standing(state, at, **values)  # type: ignore[arg-type]


def known(**more: object) -> Known:
    """A customer with one mail address who never said anything."""
    values = {
        "identities": [identity("email", "ann@firm.example")], "standings": {}, "preferences": {}, "suppressed": {},
        "zone": "UTC", "now": NOW, **more,
    }  # fmt: skip
    return Known(**values)  # type: ignore[arg-type]


@settings(max_examples=200)
@given(st.text(min_size=2, max_size=30), st.from_regex(r"[a-z]{2,20}\.[a-z]{2,6}", fullmatch=True))
@example("ann", "firm.example")
def test_a_mask_shows_two_letters_and_an_ending(local: str, domain: str) -> None:
    """However long the address is; what stands between cannot be read from it."""
    shown = masked("email", f"{local}@{domain}")
    name, _, ending = domain.rpartition(".")
    assert shown == f"{local[0]}…@{name[0]}….{ending}"


@pytest.mark.parametrize("value", ["", "@", "ann", "ann@", "@firm.example"])
def test_what_is_no_address_is_masked_whole(value: str) -> None:
    """Nothing of it is shown."""
    assert masked("email", value) == "…"


def test_a_number_shows_its_last_two_digits() -> None:
    """And neither country nor length."""
    assert masked("phone", "+493023125078") == "…78"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata"])
def test_every_day_that_is_offered_can_be_chosen(zone: str) -> None:
    """The first and the last one on the customer's own calendar, the leap day among them; their neighbours cannot."""
    one = known(zone=zone)
    first, last = pause_span(one)
    for day in (first, last, date(2028, 3, 1)):
        end = pause_end(day.isoformat(), one)
        assert end is not None
        assert end.tzinfo is UTC
        assert end > NOW
        assert end.astimezone(ZoneInfo(zone)).date() == day
    for day in (first - timedelta(days=1), last + timedelta(days=1)):
        with pytest.raises(ValueError, match=day.isoformat()):
            pause_end(day.isoformat(), one)
    assert pause_end("", one) is None


@pytest.mark.parametrize("zone", ["America/Havana", "Asia/Beirut"])
def test_a_break_ends_on_a_day_that_has_no_midnight(zone: str) -> None:
    """Where clocks go forward at midnight, at the first moment of that day or an hour beside it."""
    one = known(zone=zone)
    first, last = pause_span(one)
    for number in range((last - first).days):
        day = first + timedelta(days=number)
        end = pause_end(day.isoformat(), one)
        assert end is not None
        assert abs(end - datetime(day.year, day.month, day.day, tzinfo=UTC)) < timedelta(hours=14)


@given(st.text(max_size=12))
def test_a_pace_is_a_number_or_none_or_refused(text: str) -> None:
    """1 to 1,000 in plain digits, nothing for no limit, ValueError for the rest."""
    try:
        found = pace_of(text)
    except ValueError:
        assert text
        return
    assert found is None if not text else 1 <= int(text) == found <= 1_000


@given(st.text(max_size=40) | st.none(), st.text(max_size=300))
def test_there_is_always_a_language(stored: str | None, accepted: str) -> None:
    """Whatever stands in the record or comes in the header."""
    assert speak(stored, accepted) in {"en", "de", "fr", "es"}


def test_days_are_written_as_people_write_them() -> None:
    """The first of a month is its own word in French."""
    assert day_words(date(2026, 3, 1), "en") == "1 March 2026"
    assert day_words(date(2026, 3, 1), "de") == "1. März 2026"
    assert day_words(date(2026, 3, 1), "fr") == "1er mars 2026"
    assert day_words(date(2026, 3, 12), "es") == "12 de marzo de 2026"


@pytest.mark.parametrize(
    ("offer", "state", "on"),
    [
        (SALES, None, True), (SALES, "given", True), (SALES, "withdrawn", False), (SALES, "pending", False),
        (SALES, "expired", False), (NEWS, None, False), (NEWS, "given", True), (NEWS, "pending", False),
    ],
)  # fmt: skip
def test_a_switch_is_on_by_the_last_word_else_by_the_purpose(offer: Offer, state: str | None, on: bool) -> None:
    """A question that was not answered and a consent that ended allow nothing."""
    assert is_on(offer, said(state) if state else None) is on


def test_only_ways_that_reach_the_customer_are_offered() -> None:
    """Those of their addresses and those they spoke about; all of the purpose's where neither is known."""
    assert shown_channels(SALES, known()) == ["email"]
    assert shown_channels(SALES, known(standings={("sales", "phone"): said("withdrawn")})) == ["email", "phone"]
    assert shown_channels(SALES, known(identities=[])) == ["email", "phone"]


def test_a_page_in_one_piece() -> None:
    """Words, days, the locked switch, the blocked address, the chosen pace and the break."""
    preferences = {
        ("sales", "email"): Preference("sales", "email", 4),
        ("*", "*"): Preference("*", "*", None, NOW + timedelta(days=3)),
    }
    standings = {("sales", "email"): said("given", NOW - timedelta(days=59), outdated=True)}
    suppressed = {("email", "ann@firm.example"): Suppressed("all", "bounce", NOW)}
    one = known(standings=standings, preferences=preferences, suppressed=suppressed)
    view = view_of([SALES, NEWS], ["Orders"], one, "en", None)
    (sales,), (news,) = (group.rows for group in view.groups)
    assert sales.said == "On since 31 December 2027. What you agreed to has been reworded since."
    assert (sales.pace, sales.blocked, sales.locked) == ("4", True, False)
    assert ("4", "At most 4 times a week") in sales.paces, "a pace that staff set is among the choices"
    assert (news.on, news.locked, news.said) == (False, True, "Off. You have not asked for it.")
    assert view.paused == "You have a break until 2 March 2028."
    assert (view.addresses, view.always) == (("a…@f….example",), ("Orders",))
    again = view_of([SALES, NEWS], [], one, "en", Typed(frozenset(), {"sales:email": "1"}, "soon"))
    back = again.groups[0].rows[0]
    assert (back.on, back.ticked, back.pace, again.pause) == (True, False, "1", "soon")


def test_an_ended_consent_names_the_day_on_which_it_ended() -> None:
    """Not the one on which it was given."""
    ended = said("expired", NOW - timedelta(days=800), expires_at=NOW - timedelta(days=1))
    row = view_of([NEWS], [], known(standings={("news", "email"): ended}), "de", None).groups[0].rows[0]
    assert row.said == "Aus: Ihre Einwilligung endete am 27. Februar 2028."


def test_offers_come_from_the_workspaces_rules() -> None:
    """In the file's order; what is transactional has no switch; channels in our order, unknown ones last."""
    rules = parse_rules(
        "purposes:\n"
        "  orders: {class: transactional}\n"
        "  news_letter: {class: promotional, mechanism: opt_in, channels: [phone, email]}\n"
        "  alerts: {class: service_alert, words: Delays}\n"
    )
    news, alerts = offers_of(rules)
    assert (news.words, news.channels) == ("News letter", ("email", "phone"))
    assert (alerts.words, alerts.channels[0]) == ("Delays", "email")
    assert always_of(rules) == ["Orders"]
