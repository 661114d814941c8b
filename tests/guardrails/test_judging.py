"""The gate's decision against a second reading of the rules, and the nights in which clocks jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from fairlead.guardrails import (
    Attempt,
    Cap,
    ContactRules,
    Known,
    Period,
    PurposeClass,
    QuietWindow,
    Sent,
    Verdict,
    WhenFull,
    Wish,
    judge,
)
from tests.guardrails.reference import expected
from tests.guardrails.strategies import PURPOSES, situations

if TYPE_CHECKING:
    from fairlead.guardrails import GateAnswer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = QuietWindow("nights", 21 * 60, 8 * 60)
Situation = tuple[ContactRules, Attempt, Known, datetime]


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rules(*quiet: QuietWindow, caps: tuple[Cap, ...] = (), time_zone: str = "UTC") -> ContactRules:
    """Rules with these windows and caps."""
    return ContactRules("v", PURPOSES, quiet=quiet, caps=caps, time_zone=time_zone)


def message(purpose: str = "sales", channel: str = "email", *tags: str, **more: bool) -> Attempt:
    """A message of the sales team."""
    return Attempt("k", "cus_1", channel, "a@example.test", purpose, "sales", tags=tags, **more)


def sent(*moments: str, purpose: str = "sales", channel: str = "email", tags: tuple[str, ...] = ()) -> tuple[Sent, ...]:
    """Messages that take up places."""
    return tuple(Sent(at(one), channel, purpose, PURPOSES[purpose].cls, frozenset(tags)) for one in moments)


def ask(given: ContactRules, known: Known, now: str, one: Attempt | None = None) -> GateAnswer:
    """The gate's answer at that moment."""
    return judge(given, one or message(), known, at(now))


@settings(max_examples=400)
@given(situations())
def test_the_gate_says_what_the_rules_say(situation: Situation) -> None:
    """For any rules, customer and moment, verdict and reason are those of the plain reading."""
    given_rules, attempt, known, now = situation
    answer = judge(given_rules, attempt, known, now)
    assert (answer.verdict.value, answer.code.value) == expected(given_rules, attempt, known, now, now)
    assert answer.checks[-1].code in {answer.code.value, "passed"}
    assert [check.code for check in answer.checks[:-1]] == ["passed"] * (len(answer.checks) - 1)
    assert (answer.ask_again_at is not None) == (answer.verdict is Verdict.HELD)


@settings(max_examples=150)
@given(situations())
def test_the_moment_foretold_is_the_first(situation: Situation) -> None:
    """At `allowed_at` the message would go out, and at no moment looked at before; None means not within 12 days."""
    given_rules, attempt, known, now = situation
    answer = judge(given_rules, attempt, known, now)
    if answer.verdict is Verdict.ALLOWED:
        assert answer.allowed_at == now
        return
    first = answer.allowed_at
    if first is not None:
        assert expected(given_rules, attempt, known, first, now)[0] == "allowed"
    if answer.verdict is Verdict.REFUSED:
        assert first is None
        return
    end = first or now + 12 * DAY
    step = max((end - now) / 150, timedelta(seconds=30))
    looked = [now + step * n for n in range(150) if now + step * n < end] + [end - timedelta(microseconds=1)]
    for moment in looked:
        if now <= moment < end:
            verdict, _ = expected(given_rules, attempt, known, moment, now)
            if verdict == "refused":
                break  # from here on it was lost, and nobody would have asked again
            assert verdict == "held", moment
    if answer.ask_again_at is not None:
        assert answer.ask_again_at > now


@pytest.mark.parametrize(
    ("window", "zone", "now", "opens"),
    [
        (NIGHT, "Europe/Berlin", "2026-11-02T20:30", "2026-11-03T07:00"),
        (QuietWindow("w", 60, 150), "Europe/Berlin", "2026-03-29T00:30", "2026-03-29T01:00"),
        (QuietWindow("w", 60, 150), "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30"),
        (QuietWindow("w", 60, 150), "Europe/Berlin", "2026-10-25T01:10", "2026-10-25T01:30"),
        (NIGHT, "Europe/Berlin", "2028-02-29T22:00", "2028-03-01T07:00"),
        (QuietWindow("w", 0, 1_440, frozenset({5, 6})), "Europe/Berlin", "2026-11-07T12:00", "2026-11-08T23:00"),
        (QuietWindow("w", 1_380, 1_440), "Asia/Beirut", "2026-03-28T21:30", "2026-03-28T22:00"),
        (NIGHT, "Australia/Lord_Howe", "2026-04-04T14:00", "2026-04-04T21:30"),
    ],
    ids=("night", "hour-left-out", "hour-twice-first", "hour-twice-again", "leap-day", "weekend", "midnight-left-out",
         "half-an-hour"),
)  # fmt: skip
def test_windows_open_by_the_wall(window: QuietWindow, zone: str, now: str, opens: str) -> None:
    """The wall's clock decides, also in nights that leave an hour out or repeat it."""
    answer = ask(rules(window), Known(zones=(zone,)), now)
    assert (answer.verdict, answer.code) == ("held", "quiet_hours")
    assert answer.allowed_at == at(opens)


def test_all_plausible_zones_must_be_open() -> None:
    """A customer with three zones is written to only when it is day in every one."""
    known = Known(zones=("America/New_York", "America/Los_Angeles", "Pacific/Honolulu"), zone_evidence="phone")
    answer = ask(rules(NIGHT), known, "2026-11-02T15:00")
    assert (answer.code, answer.allowed_at) == ("quiet_hours", at("2026-11-02T18:00"))
    assert answer.facts["zones_from"] == "phone"
    assert ask(rules(NIGHT), known, "2026-11-02T18:00").verdict == "allowed"


def test_zones_that_never_open_together_are_never_foretold() -> None:
    """Where no hour suits all zones the message stays held, and no moment is promised."""
    known = Known(zones=("Pacific/Auckland", "Europe/London", "America/Los_Angeles"))
    narrow = QuietWindow("most-of-the-day", 12 * 60, 9 * 60)
    answer = ask(rules(narrow), known, "2026-11-02T15:00")
    assert (answer.verdict, answer.allowed_at) == ("held", None)


def test_an_unknown_place_takes_the_workspaces_clock() -> None:
    """Nothing known of the place: the workspace's zone counts, and the answer says so."""
    answer = ask(rules(NIGHT, time_zone="Asia/Kathmandu"), Known(), "2026-11-02T16:00")
    assert (answer.code, answer.facts["zones_from"]) == ("quiet_hours", "workspace")
    assert "nothing is known" in answer.words
    assert answer.allowed_at == at("2026-11-03T02:15")


def test_a_country_window_holds_where_the_country_is_unknown() -> None:
    """A window of one country holds there and where nobody knows the country, and nowhere else."""
    there = rules(QuietWindow("us", 21 * 60, 8 * 60, countries=frozenset({"US"})))
    now = "2026-11-02T23:00"
    assert ask(there, Known(countries=("US",)), now).code == "quiet_hours"
    assert ask(there, Known(), now).code == "quiet_hours"
    assert ask(there, Known(countries=("DE", "US")), now).code == "quiet_hours"
    assert ask(there, Known(countries=("DE",)), now).verdict == "allowed"


def test_replies_about_a_request_are_not_held() -> None:
    """A transactional reply passes quiet hours; a promotional one waits; a window that always holds holds both."""
    both = frozenset({PurposeClass.PROMOTIONAL, PurposeClass.TRANSACTIONAL})
    night = rules(QuietWindow("n", 21 * 60, 8 * 60, applies_to=both))
    always = rules(QuietWindow("n", 21 * 60, 8 * 60, applies_to=both, lifted_by=frozenset()))
    now = "2026-11-02T23:00"
    assert ask(night, Known(), now, message("service", reply=True)).verdict == "allowed"
    assert ask(night, Known(), now, message("service")).code == "quiet_hours"
    assert ask(night, Known(), now, message("sales", reply=True)).code == "quiet_hours"
    assert ask(always, Known(), now, message("service", reply=True)).code == "quiet_hours"


def test_rolling_caps_reach_back_exactly() -> None:
    """Two in any seven days: the third goes out when the first is exactly seven days old."""
    cap = rules(caps=(Cap("two-a-week", 2, 7 * DAY),))
    known = Known(sent=sent("2026-11-01T09:00", "2026-11-03T09:00"))
    answer = ask(cap, known, "2026-11-05T09:00")
    assert (answer.verdict, answer.code, answer.allowed_at) == ("held", "cap", at("2026-11-08T09:00"))
    assert ask(cap, known, "2026-11-08T08:59:59").verdict == "held"
    assert ask(cap, known, "2026-11-08T09:00").verdict == "allowed"


def test_calendar_caps_begin_at_midnight_of_the_place() -> None:
    """One a calendar day: 23:00 and 00:00 are two days, by the customer's clock or by the workspace's."""
    known = Known(zones=("America/New_York",), sent=sent("2026-11-03T03:30"))  # 22:30 on the 2nd
    by_customer = rules(caps=(Cap("daily", 1, Period.DAY),))
    by_workspace = rules(caps=(Cap("daily", 1, Period.DAY, by_customer=False),))
    assert ask(by_customer, known, "2026-11-03T04:59").allowed_at == at("2026-11-03T05:00")
    assert ask(by_customer, known, "2026-11-03T05:00").verdict == "allowed"
    assert ask(by_workspace, known, "2026-11-03T05:00").allowed_at == at("2026-11-04T00:00")


def test_several_zones_share_the_stricter_calendar() -> None:
    """With two plausible zones a day's cap is free only when both have begun another day."""
    known = Known(zones=("Europe/Berlin", "America/New_York"), sent=sent("2026-11-02T12:00"))
    answer = ask(rules(caps=(Cap("daily", 1, Period.DAY),)), known, "2026-11-02T23:30")
    assert answer.allowed_at == at("2026-11-03T05:00")


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """The next place of a calendar week and month, over the end of February of a leap year."""
    for period, opens in ((Period.WEEK, "2028-03-06T00:00"), (Period.MONTH, "2028-03-01T00:00")):
        known = Known(sent=sent("2028-02-29T12:00"))
        cap = Cap("c", 1, period, expires=None)
        assert ask(rules(caps=(cap,)), known, "2028-02-29T13:00").allowed_at == at(opens)


def test_a_cap_of_zero_lets_nothing_out() -> None:
    """`most: 0` is not "no limit": what it binds is refused, what it does not bind goes out."""
    cap = rules(caps=(Cap("none", 0, DAY, channels=frozenset({"sms"})),))
    assert (ask(cap, Known(), "2026-11-02T12:00", message(channel="sms")).verdict) == "refused"
    assert ask(cap, Known(), "2026-11-02T12:00").verdict == "allowed"


def test_of_many_full_caps_the_strictest_answers() -> None:
    """One that drops beats those that defer; among those that defer the last place counts."""
    short, long = Cap("short", 1, HOUR), Cap("long", 1, DAY)
    drop = Cap("drop", 1, HOUR, when_full=WhenFull.DROP)
    known = Known(sent=sent("2026-11-02T11:30"))
    deferred = ask(rules(caps=(short, long)), known, "2026-11-02T12:00")
    assert (deferred.verdict, deferred.allowed_at) == ("held", at("2026-11-03T11:30"))
    assert ask(rules(caps=(short, long, drop)), known, "2026-11-02T12:00").verdict == "refused"
    assert [one["cap"] for one in deferred.facts["full"]] == ["short", "long"]


def test_exempt_classes_do_not_count_unless_the_cap_says_so() -> None:
    """An alert takes no place of a promotions' cap; `counts` makes it take one without binding it."""
    both = frozenset({PurposeClass.PROMOTIONAL, PurposeClass.SERVICE_ALERT})
    known = Known(sent=sent("2026-11-02T11:00", purpose="alerts"))
    now = "2026-11-02T12:00"
    assert ask(rules(caps=(Cap("c", 1, DAY),)), known, now).verdict == "allowed"
    assert ask(rules(caps=(Cap("c", 1, DAY, counts=both),)), known, now).code == "cap"
    assert ask(rules(caps=(Cap("c", 1, DAY, counts=both),)), known, now, message("alerts")).verdict == "allowed"


def test_tags_count_as_they_were_when_sent() -> None:
    """A cap on a tag counts messages that carried it then, and binds those that carry it now."""
    cap = rules(caps=(Cap("offers", 1, DAY, tags=frozenset({"offer"})),))
    known = Known(sent=sent("2026-11-02T11:00", tags=("offer",)) + sent("2026-11-02T11:10"))
    assert ask(cap, known, "2026-11-02T12:00", message("sales", "email", "offer")).code == "cap"
    assert ask(cap, known, "2026-11-02T12:00").verdict == "allowed"


def test_a_wait_that_would_take_too_long_is_refused() -> None:
    """A place that comes after the wait has expired, counted from when the message was first due, is none."""
    cap = rules(caps=(Cap("c", 1, 2 * DAY, expires=DAY),))
    known = Known(sent=sent("2026-11-02T11:00"))
    late = ask(cap, known, "2026-11-02T12:00")
    assert (late.verdict, late.code) == ("refused", "cap")
    since = Attempt("k", "c", "email", "", "sales", "sales", since=at("2026-11-01T09:00"))
    roomy = rules(caps=(Cap("c", 1, 2 * DAY, expires=3 * DAY),))
    assert ask(roomy, known, "2026-11-02T12:00").verdict == "held"
    assert ask(roomy, known, "2026-11-02T12:00", since).verdict == "refused"


def test_a_customers_own_frequency_is_a_cap() -> None:
    """One a week by the customer's wish holds promotions and alerts, never what is about a request."""
    known = Known(wishes=(Wish("*", "email", per_week=1),), sent=sent("2026-11-02T11:00"))
    answer = ask(rules(), known, "2026-11-02T12:00")
    assert (answer.code, answer.allowed_at) == ("cap", at("2026-11-09T11:00"))
    assert ask(rules(), known, "2026-11-02T12:00", message("service")).verdict == "allowed"
    assert ask(rules(), known, "2026-11-02T12:00", message(channel="sms")).verdict == "allowed"


def test_nothing_tells_which_flag_keeps_machines_away() -> None:
    """The reason says that a person must write; why stays with those who may see it."""
    guarded = ContactRules("v", PURPOSES, human_flags=frozenset({"bereaved"}))
    answer = ask(guarded, Known(flags={"bereaved": True}), "2026-11-02T12:00")
    assert answer.code == "human_only"
    assert "bereaved" not in repr(answer)
    by_hand = message(automatic=False)
    assert ask(guarded, Known(flags={"bereaved": True}), "2026-11-02T12:00", by_hand).verdict == "allowed"


def test_more_than_can_be_counted_is_full() -> None:
    """Where the log holds more than is read, no cap is taken to have a place."""
    answer = ask(rules(caps=(Cap("c", 9, DAY),)), Known(sent_all=False), "2026-11-02T12:00")
    assert (answer.verdict, answer.code) == ("held", "cap")
