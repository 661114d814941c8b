"""The rules in sentences and tables, for people who answer for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from fairlead.guardrails.model import Mechanism, PurposeClass
from fairlead.guardrails.rules import (
    ALL_DAYS,
    DAY_MINUTES,
    Cap,
    ContactRules,
    Lift,
    Period,
    Purpose,
    QuietWindow,
    WhenFull,
)

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MECHANISMS = {
    Mechanism.OPT_IN: "Only with a yes",
    Mechanism.OPT_OUT: "Until the customer says no",
    Mechanism.NOTICE_ONLY: "By notice; stops at a no",
}
_FULL = {
    WhenFull.DEFER: "waits for a place",
    WhenFull.DIGEST: "waits to be put together with others",
    WhenFull.DROP: "is dropped",
}
_LIFTS = {
    Lift.REPLY: "a reply about a request, just asked",
    Lift.CONSENT: "an explicit yes of the customer",
    Lift.PERSON: "a person who wrote or approved the message",
}


class Section(NamedTuple):
    """A table of the rules with what it means; no rows where there are no such rules."""

    name: str
    title: str
    words: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def told(rules: ContactRules) -> list[Section]:
    """All rules as tables, in the order of docs/contact.md."""
    return [_purposes(rules), _quiet(rules), _caps(rules), _others(rules)]


def _purposes(rules: ContactRules) -> Section:
    words = "What a message may be for. A message for anything else is refused."
    columns = ("Purpose", "Class", "Channels", "Consent", "A yes lasts", "Goes first", "In words")
    return Section("purposes", "Purposes", words, columns, tuple(_purpose(one) for one in rules.purposes.values()))


def _purpose(one: Purpose) -> tuple[str, ...]:
    consent = _MECHANISMS[one.mechanism]
    if one.cls is PurposeClass.TRANSACTIONAL and one.mechanism is Mechanism.NOTICE_ONLY:
        consent = "Rests on no consent"
    if one.double:
        consent += ", confirmed from the address itself"
    lasts = span(one.expires) if one.expires else "until withdrawn" if one.mechanism is Mechanism.OPT_IN else "–"
    return (one.name, class_words(one.cls), _listed(one.channels, "every channel"), consent, lasts,
            str(one.priority), one.words)  # fmt: skip


def _quiet(rules: ContactRules) -> Section:
    words = (
        "Hours in which messages wait, by the clock at the recipient's place; of several possible places all must be "
        f"open. Where nothing is known of the place, the clock of {rules.time_zone} counts."
    )
    columns = ("Window", "Hours", "Days", "Channels", "Holds", "Where and whom", "Lifted by")
    return Section("quiet_hours", "Quiet hours", words, columns, tuple(_window(one) for one in rules.quiet))


def _window(one: QuietWindow) -> tuple[str, ...]:
    days = "every day" if one.days == ALL_DAYS else ", ".join(DAYS[day] for day in sorted(one.days))
    where = [*sorted(one.countries), *sorted(one.zones), *(f"flag {flag}" for flag in sorted(one.flags))]
    lifted = "; ".join(_LIFTS[lift] for lift in Lift if lift in one.lifted_by)
    return (one.name, f"{_clock(one.start)} to {_clock(one.end)}", days, _listed(one.channels, "every channel"),
            _classes(one.applies_to), ", ".join(where) or "everywhere", lifted or "nothing")  # fmt: skip


def _caps(rules: ContactRules) -> Section:
    words = (
        "At most so many messages to one customer. A message takes its place before it is sent and keeps it unless it "
        "certainly was not sent. Several caps hold together. What customers wish for themselves comes on top."
    )
    columns = ("Cap", "At most", "Binds", "Counts", "Channels", "Only", "When full, a message")
    return Section("caps", "Caps", words, columns, tuple(_cap(one) for one in rules.caps))


def _cap(one: Cap) -> tuple[str, ...]:
    clock = "the customer's place" if one.by_customer else "the workspace"
    per = f"a calendar {one.per} of {clock}" if isinstance(one.per, Period) else f"any {span(one.per)}"
    only = [*(f"purpose {p}" for p in sorted(one.purposes)), *(f"tag {tag}" for tag in sorted(one.tags))]
    full = _FULL[one.when_full]
    if one.expires and one.when_full is not WhenFull.DROP:
        full += f", at most {span(one.expires)}, then it is dropped"
    return (one.name, f"{one.most} in {per}", _classes(one.applies_to), _classes(one.counts),
            _listed(one.channels, "every channel, together"), ", ".join(only) or "–", full)  # fmt: skip


def _others(rules: ContactRules) -> Section:
    people = f"to customers with a flag {_listed(rules.human_flags, '')}: {_classes(rules.human_classes)}"
    complaint = f"held: {_classes(rules.complaint_off)}" if rules.complaint_off else "nothing is held"
    holdout = f"{rules.holdout_share:.1%} of customers, for good: {_classes(rules.holdout_classes)}"
    told_too = [f"{o.name} by {o.connector} ({_listed(o.purposes, 'every purpose')})" for o in rules.downstreams]
    rows = (
        ("Only a person may write", people if rules.human_flags else "no flag asks for it"),
        ("While a complaint is open", complaint),
        ("Holdout", holdout if rules.holdout_share else "nobody is held out"),
        ("Time zone of the workspace", rules.time_zone),
        ("Told of consents", ", ".join(told_too) or "no other system"),
    )
    return Section("others", "Also", "Further rules of the workspace.", ("Rule", "Says"), rows)


def class_words(cls: PurposeClass) -> str:
    """The class as people read it."""
    return cls.value.replace("_", " ")


def _classes(some: Iterable[PurposeClass]) -> str:
    return ", ".join(class_words(one) for one in PurposeClass if one in {*some})


def _listed(some: Iterable[str], none: str) -> str:
    return ", ".join(sorted(some)) or none


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}" if minute < DAY_MINUTES else "24:00"


def span(length: timedelta) -> str:
    """A time span in the largest unit that is whole: `7 days`, `36 hours`, `90 minutes`."""
    minutes = int(length.total_seconds() // 60)
    for size, unit in ((1_440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return f"{minutes} minutes"
