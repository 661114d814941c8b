"""Clocks on walls: whether a place is in a window, when it opens, when its day began.

The wall decides. An hour that a spring night leaves out is never in a window, and a window that ends within it opens
when the clock has jumped; an hour that an autumn night repeats is in the window both times.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fairlead.guardrails.rules import DAY_MINUTES, Period, QuietWindow
from fairlead.people import local_span

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_LONGEST = 9  # days: a window of whole days on every day but one, and a day for the zones


@lru_cache(maxsize=1_024)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone of this IANA name, None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def is_quiet(window: QuietWindow, zone: ZoneInfo, moment: datetime) -> bool:
    """Whether the clock on the wall there shows an hour of the window."""
    local = moment.astimezone(zone)
    minute, weekday = local.hour * 60 + local.minute, local.weekday()
    if window.start < window.end:
        return weekday in window.days and window.start <= minute < window.end
    if minute >= window.start:
        return weekday in window.days
    return minute < window.end and (weekday - 1) % 7 in window.days


def opens_at(window: QuietWindow, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """The first whole minute after `moment` outside the window, by the wall there; None: none within nine days."""
    low = moment.replace(second=0, microsecond=0) + _MINUTE
    end = moment + _LONGEST * _DAY
    while low < end:
        for candidate in _changes(window, zone, low):
            if not is_quiet(window, zone, candidate):
                return candidate
        low += _DAY
    return None


def _changes(window: QuietWindow, zone: ZoneInfo, low: datetime) -> list[datetime]:
    """Moments from `low` on, about a day far, at which the window may open: it ends, or the clock jumps."""
    day = low.astimezone(zone).date()
    found = [low]
    for one in (day, day + _DAY):
        naive = datetime.combine(one, time()) + timedelta(minutes=window.end % DAY_MINUTES)
        found += [naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    found += jumps(zone, low, low + 2 * _DAY)
    return sorted(moment for moment in set(found) if moment >= low)


@lru_cache(maxsize=4_096)
def _hourly(zone: ZoneInfo, hour: int) -> timedelta | None:
    return datetime.fromtimestamp(hour * 3_600, UTC).astimezone(zone).utcoffset()


def jumps(zone: ZoneInfo, low: datetime, high: datetime) -> list[datetime]:
    """Moments between the two at which the zone's clock is put forward or back, to the minute."""
    found = []
    first, last = int(low.timestamp()) // 3_600, int(high.timestamp()) // 3_600 + 1
    for hour in range(first, last):
        if _hourly(zone, hour) != _hourly(zone, hour + 1):
            before = _hourly(zone, hour)
            start = datetime.fromtimestamp(hour * 3_600, UTC)
            minute = next(m for m in range(61) if (start + m * _MINUTE).astimezone(zone).utcoffset() != before)
            found.append(start + minute * _MINUTE)
    return found


def begin_of(period: Period, zone: ZoneInfo, moment: datetime) -> datetime:
    """When the day, week or month that the wall shows there began."""
    return _first_instant(zone, _first_day(period, moment.astimezone(zone).date()))


def next_begin(period: Period, zone: ZoneInfo, moment: datetime) -> datetime:
    """When the period after that one begins."""
    first = _first_day(period, moment.astimezone(zone).date())
    following = first + (timedelta(days=7) if period is Period.WEEK else _DAY)
    if period is Period.MONTH:
        following = (first + timedelta(days=31)).replace(day=1)
    return _first_instant(zone, following)


def _first_day(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day


def _first_instant(zone: ZoneInfo, day: date) -> datetime:
    return local_span(zone.key, day, day)[0]
