"""Time zones of a customer, as pure rules: what a number or a country tells, and which evidence counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from fairlead.errors import InputError

MAX_ZONES = 60
UNKNOWN = "Etc/Unknown"
_CACHED = 16_384
_COMPARED = datetime(2025, 1, 1, 12, tzinfo=UTC)
_DAYS = range(7 * 365)


class Evidence(StrEnum):
    """How a zone is known; where two disagree, the one named first here wins."""

    STATED = "stated"
    """The customer said so."""
    STAFF = "staff"
    """A colleague wrote it down."""
    ADDRESS = "address"
    """From a postal address."""
    PHONE = "phone"
    """From where their number is assigned."""
    COUNTRY = "country"
    WEB = "web"
    """From the clock of a browser."""


_STRENGTH: Mapping[str, int] = {one.value: -rank for rank, one in enumerate(Evidence)}
_WORDS = {
    Evidence.STATED: "the customer said so",
    Evidence.STAFF: "a colleague wrote it down",
    Evidence.ADDRESS: "from a postal address",
    Evidence.PHONE: "from the telephone number",
    Evidence.COUNTRY: "from the country",
    Evidence.WEB: "from a browser's clock",
}


@dataclass(frozen=True, slots=True)
class Zones:
    """Where a customer may be: every zone that is plausible, sorted; none where nothing is known.

    `evidence` is "" then, and `words` says for people how it is known.
    """

    zones: tuple[str, ...]
    evidence: str
    words: str


NOWHERE = Zones((), "", "nothing is known about where the customer is")


class Learnt(NamedTuple):
    """One piece of evidence; no zones take the evidence of its kind back."""

    at: datetime
    evidence: str
    zones: tuple[str, ...]


def strongest(learnt: Iterable[Learnt]) -> Zones:
    """The zones by the strongest evidence, then the newest; pieces of the same kind and moment count together."""
    newest: dict[str, datetime] = {}
    together: dict[str, set[str]] = defaultdict(set)
    for one in sorted(learnt, key=lambda item: item.at):
        if newest.get(one.evidence) != one.at:
            newest[one.evidence] = one.at
            together[one.evidence] = set()
        together[one.evidence].update(one.zones)
    known = [kind for kind, zones in together.items() if zones and kind in _STRENGTH]
    if not known:
        return NOWHERE
    best = Evidence(max(known, key=_STRENGTH.__getitem__))
    zones = tuple(sorted(together[best]))
    many = f": one of {len(zones)} zones" if len(zones) > 1 else ""
    return Zones(zones, best.value, f"{_WORDS[best]}{many}")


@lru_cache(maxsize=_CACHED)
def zones_of_phone(number: str) -> tuple[str, ...]:
    """Zones in which a number (E.164) can be assigned, sorted; () for one of no place, or that is no number."""
    # Here, because its tables take a quarter of a second to load and most processes never need them.
    from phonenumbers import timezone  # noqa: PLC0415

    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ()
    return _distinct(one for one in timezone.time_zones_for_number(parsed) if one != UNKNOWN and is_zone(one))


@cache
def zones_of_country(country: str | None) -> tuple[str, ...]:
    """The zones of a country (ISO 3166 alpha-2) whose clocks differ, sorted; () where it is unknown or has none."""
    return _distinct(_by_country().get((country or "").upper(), ()))


def _distinct(zones: Iterable[str]) -> tuple[str, ...]:
    """Of zones whose clocks show the same the first; sorted. Clocks of 2025 to 2031 are compared, day by day."""
    clocks: dict[tuple[timedelta | None, ...], str] = {}
    for name in zones:
        zone = ZoneInfo(name)
        clocks.setdefault(tuple((_COMPARED + timedelta(days=day)).astimezone(zone).utcoffset() for day in _DAYS), name)
    return tuple(sorted(clocks.values()))


@cache
def _by_country() -> Mapping[str, tuple[str, ...]]:
    main: dict[str, list[str]] = defaultdict(list)
    found: dict[str, list[str]] = defaultdict(list)
    text = resources.files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            countries, _, zone, *_ = line.split("\t")
            first, *others = countries.split(",")
            main[first].append(zone)
            for country in others:
                found[country].append(zone)
    return {country: (*main[country], *found[country]) for country in {*main, *found}}


@lru_cache(maxsize=1_024)
def is_zone(name: str) -> bool:
    """Whether the tz database knows a zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def check_zones(zones: Sequence[str]) -> tuple[str, ...]:
    """The zones sorted and once each; InputError for an unknown one, or more than 60."""
    if len(zones) > MAX_ZONES:
        message = f"{len(zones)} time zones are given; at most {MAX_ZONES}"
        raise InputError(message, field="zones")
    for one in zones:
        if not is_zone(one):
            message = f"there is no time zone {one[:64]!r}; write for example Europe/Berlin"
            raise InputError(message, field="zones", code="time_zone")
    return tuple(sorted(set(zones)))
