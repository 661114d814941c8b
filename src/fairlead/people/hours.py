"""Working hours and absences: when somebody is in, and when next; pure, and right on the nights clocks change."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from fairlead.errors import InputError

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60
MAX_INTERVALS = 70
MAX_HOLIDAYS = 400
LOOKAHEAD = timedelta(days=400)
"""How far ahead the next working moment is looked for; somebody who is out for longer is simply not in."""

_A_DAY, _MOMENT = timedelta(days=1), timedelta(microseconds=1)
_WEEK_PART = re.compile(
    r"(?P<first>[a-z]{3})(?:\s*-\s*(?P<last>[a-z]{3}))?\s+(?P<start>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d)"
)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """One stretch of a working day; `day` 0 is Monday, minutes count from local midnight, `end` at most 1,440."""

    day: int
    start: int
    end: int

    def __str__(self) -> str:
        """`Mon 09:00-17:30`."""
        return f"{DAY_NAMES[self.day]} {_clock(self.start)}-{_clock(self.end)}"


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A person's week in local time of `zone` (IANA), and whole local days off."""

    zone: str
    weekly: tuple[Interval, ...]
    holidays: frozenset[date] = frozenset()

    def is_in(self, at: datetime) -> bool:
        """Whether `at` is within one of `spans`."""
        zone = zoneinfo.ZoneInfo(self.zone)
        local = at.astimezone(zone)
        if (at - _A_DAY).astimezone(zone).utcoffset() != (at + _A_DAY).astimezone(zone).utcoffset():
            return any(begin <= at < end for begin, end in self.spans(at, at + _MOMENT))
        if local.date() in self.holidays:
            return False
        minute, day = local.hour * 60 + local.minute, local.weekday()
        return any(part.day == day and part.start <= minute < part.end for part in self.weekly)

    def spans(self, start: datetime, until: datetime) -> Iterator[Span]:
        """Working time between two moments as spans in UTC, in order; none are empty, none overlap."""
        zone = zoneinfo.ZoneInfo(self.zone)
        day = start.astimezone(zone).date()
        last = until.astimezone(zone).date()
        while day <= last:
            if day not in self.holidays:
                for part in self.weekly:
                    if part.day == day.weekday():
                        begin = max(_first_instant(zone, day, part.start), start)
                        end = min(_first_instant(zone, day, part.end, after=True), until)
                        if begin < end:
                            yield begin, end
            day += timedelta(days=1)

    def as_dict(self) -> dict[str, Any]:
        """As it is stored and shown."""
        weekly = [[part.day, part.start, part.end] for part in self.weekly]
        return {"zone": self.zone, "weekly": weekly, "holidays": sorted(map(str, self.holidays))}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> WorkingHours:
        """What `as_dict` made."""
        weekly = tuple(Interval(*part) for part in stored["weekly"])
        return cls(stored["zone"], weekly, frozenset(map(date.fromisoformat, stored["holidays"])))

    def words(self) -> str:
        """`Mon-Fri 09:00-17:00 (Europe/Berlin)`; days with the same hours are told together."""
        runs: list[list[int]] = []
        hours = {day: [p for p in self.weekly if p.day == day] for day in range(7)}
        texts = {day: ", ".join(f"{_clock(p.start)}-{_clock(p.end)}" for p in parts) for day, parts in hours.items()}
        for day in range(7):
            if texts[day] and runs and runs[-1][-1] == day - 1 and texts[day] == texts[day - 1]:
                runs[-1].append(day)
            elif texts[day]:
                runs.append([day])
        parts = [
            (DAY_NAMES[run[0]] if len(run) == 1 else f"{DAY_NAMES[run[0]]}-{DAY_NAMES[run[-1]]}") + " " + texts[run[0]]
            for run in runs
        ]
        return f"{'; '.join(parts) or 'never'} ({self.zone})"


Span = tuple[datetime, datetime]
"""From, inclusive, until, exclusive; both UTC."""


def parse_week(text: str) -> tuple[Interval, ...]:
    """`Mon-Fri 09:00-12:30, Mon-Thu 13:30-17:00`; a stretch past midnight (`Sat 22:00-06:00`) counts on both days.

    "" is no working time at all. InputError for what cannot be read, with the part that is wrong.
    """
    found: list[Interval] = []
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;\n]", text.lower()))):
        match = _WEEK_PART.fullmatch(part)
        days = {name.lower(): number for number, name in enumerate(DAY_NAMES)}
        if match is None or match["first"] not in days or (match["last"] or match["first"]) not in days:
            message = f"{part[:60]!r} is no working time; write, for instance, Mon-Fri 09:00-17:00"
            raise InputError(message, code="working_hours", field="week")
        first, last = days[match["first"]], days[match["last"] or match["first"]]
        start, end = _minutes(match["start"], part), _minutes(match["end"], part)
        for offset in range((last - first) % 7 + 1):
            found += _stretch((first + offset) % 7, start, end, part)
    return _merged(found)


def _stretch(day: int, start: int, end: int, part: str) -> list[Interval]:
    if start == end:
        message = f"{part[:60]!r} begins and ends at the same time; a whole day is 00:00-24:00"
        raise InputError(message, code="working_hours", field="week")
    if start < end:
        return [Interval(day, start, end)]
    after = [Interval((day + 1) % 7, 0, end)] if end else []
    return [Interval(day, start, DAY_MINUTES), *after]


def _merged(parts: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for part in sorted(parts):
        if merged and merged[-1].day == part.day and part.start <= merged[-1].end:
            merged[-1] = Interval(part.day, merged[-1].start, max(merged[-1].end, part.end))
        else:
            merged.append(part)
    if len(merged) > MAX_INTERVALS:
        message = f"a week has at most {MAX_INTERVALS} stretches of working time"
        raise InputError(message, code="working_hours", field="week")
    return tuple(merged)


def _minutes(text: str, part: str) -> int:
    hour, _, minute = text.partition(":")
    total = int(hour) * 60 + int(minute)
    if int(minute) >= 60 or total > DAY_MINUTES:  # noqa: PLR2004
        message = f"{part[:60]!r}: {text} is no time of day"
        raise InputError(message, code="working_hours", field="week")
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def check_zone(name: str) -> str:
    """The name of an IANA time zone as it is; InputError for anything else."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{name[:60]!r} is no time zone; write, for instance, Europe/Berlin"
        raise InputError(message, code="time_zone", field="zone") from None
    return name


def parse_holidays(texts: Iterable[str]) -> frozenset[date]:
    """Local days off as `2027-12-24`; InputError for what is no date, or more than 400."""
    days = set()
    for text in texts:
        try:
            days.add(date.fromisoformat(text.strip()))
        except ValueError:
            message = f"{text[:30]!r} is no date; write, for instance, 2027-12-24"
            raise InputError(message, code="holiday", field="holidays") from None
    if len(days) > MAX_HOLIDAYS:
        message = f"at most {MAX_HOLIDAYS} holidays are kept"
        raise InputError(message, code="holiday", field="holidays")
    return frozenset(days)


def next_in(hours: WorkingHours | None, at: datetime, away: Sequence[Span]) -> datetime | None:
    """The first moment from `at` on that is working time and not within `away`; None: not within 400 days.

    Without working hours somebody is always in but for absences.
    """
    if hours is None or hours.is_in(at):  # the usual answers, without building a day
        away_until = _away_until(at, away)
        if away_until is None:
            return at
        at = away_until
        if hours is None:
            return at
    for begin, end in hours.spans(at, at + LOOKAHEAD):
        moment = _away_until(begin, away) or begin
        if moment < end:
            return moment
    return None


def away_until(at: datetime, away: Sequence[Span]) -> datetime | None:
    """When an absence that covers `at` ends, with those that follow it without a gap; None when none does."""
    return _away_until(at, away)


def _away_until(at: datetime, away: Sequence[Span]) -> datetime | None:
    moment = at
    for begin, end in sorted(away):
        if begin <= moment < end:
            moment = end
    return None if moment == at else moment


def working_time(hours: WorkingHours | None, start: datetime, until: datetime) -> timedelta:
    """Scheduled working time between two moments, absences or not; without hours all of it, at most 400 days."""
    until = min(until, start + LOOKAHEAD)
    if hours is None:
        return max(until - start, timedelta())
    return sum((end - begin for begin, end in hours.spans(start, until)), timedelta())


def day_start(zone: str | None, at: datetime) -> datetime:
    """When the local day of `at` began, in UTC; None is UTC's own day."""
    if zone is None:
        return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    local = zoneinfo.ZoneInfo(zone)
    return _first_instant(local, at.astimezone(local).date(), 0)


def local_span(zone: str | None, first: date, last: date) -> Span:
    """Whole local days from `first` to `last`, both included."""
    local = zoneinfo.ZoneInfo(zone or "UTC")
    return _first_instant(local, first, 0), _first_instant(local, last + timedelta(days=1), 0)


def _first_instant(zone: zoneinfo.ZoneInfo, day: date, minute: int, *, after: bool = False) -> datetime:
    """When the wall clock first shows this time, in UTC; with `after`, when it has shown it for the last time.

    A time that the clocks jump over is the moment of the jump.
    """
    if minute == DAY_MINUTES:
        day, minute = day + timedelta(days=1), 0
        after = False  # the day is over when the next one begins for the first time
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    early = wall.replace(tzinfo=zone).astimezone(UTC)
    late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if late < early:  # skipped: with the offset of afterwards it would lie before the jump
        return _jump(zone, late, early)
    return late if after else early


def _jump(zone: zoneinfo.ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
