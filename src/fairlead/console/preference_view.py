"""What the preference page shows of a customer, worked out without a database or a clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from fairlead.console.preference_words import PREFERENCE_WORDS, day_words
from fairlead.customers import ALL, CHANNELS_OF, Preference, Standing, standing_for

if TYPE_CHECKING:
    from fairlead.customers import KnownIdentity, Suppressed

PACES = (1, 2, 3, 5, 7)
MOST_PER_WEEK = 1_000
LONGEST_PAUSE = timedelta(days=366)
MAX_ADDRESSES = 3
_MECHANISM_OFF = "opt_in"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

Key = tuple[str, str]


class Offer(NamedTuple):
    """A purpose as a customer may choose it; `channels` in the order in which they are shown.

    `double`: a yes has to come from the address itself.
    """

    purpose: str
    words: str
    channels: tuple[str, ...]
    mechanism: str
    expires: timedelta | None = None
    double: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One switch: a purpose on a channel.

    `on` is what counts now, `ticked` what the page shows, which differs when a form comes back. `pace` is the
    chosen value of `paces`, "" for no limit. `locked`: it can be turned off here, but not on.
    """

    key: str
    label: str
    on: bool
    ticked: bool
    said: str
    blocked: bool
    pace: str
    paces: tuple[tuple[str, str], ...]
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The switches of one purpose."""

    index: int
    words: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The whole page; `pause` is what stands in its field, `paused` says that a break is in force, else ""."""

    addresses: tuple[str, ...]
    groups: tuple[Group, ...]
    always: tuple[str, ...]
    pause: str
    paused: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Known:
    """What is read of one customer for the page; `reached` is the channel on which the link was sent, "" if unknown."""

    identities: Sequence[KnownIdentity]
    standings: Mapping[Key, Standing]
    preferences: Mapping[Key, Preference]
    suppressed: Mapping[Key, Suppressed]
    zone: str
    now: datetime
    reached: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What came with a form that has to be shown again."""

    on: frozenset[str]
    paces: Mapping[str, str]
    pause: str


def key_of(purpose: str, channel: str) -> str:
    """How form fields name a switch; neither part can hold a colon."""
    return f"{purpose}:{channel}"


def masked(kind: str, value: str) -> str:
    """An address so that only who has it knows it again: `a…@f….example`, `…78`."""
    if kind == "phone":
        return "…" + value[-2:]
    local, _, domain = value.rpartition("@")
    name, dot, ending = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{dot}{ending}" if local and name else "…"


def is_on(offer: Offer, standing: Standing | None) -> bool:
    """Whether messages of this purpose may come as far as the customer's own word goes."""
    if standing is None:
        return offer.mechanism != _MECHANISM_OFF
    return standing.state == "given"


def is_locked(offer: Offer, channel: str, known: Known) -> bool:
    """Whether a yes needs a link that was sent to the very address, and this one was not."""
    return offer.double and known.reached != channel


def view_of(offers: Sequence[Offer], always: Sequence[str], known: Known, language: str, typed: Typed | None) -> View:
    """The page for these offers, in a language of PREFERENCE_WORDS."""
    words = PREFERENCE_WORDS[language]
    groups = []
    for index, offer in enumerate(offers):
        rows = tuple(_row(offer, channel, known, language, typed) for channel in shown_channels(offer, known))
        if rows:
            groups.append(Group(index, offer.words, rows))
    until = paused_until(known)
    day = until.astimezone(ZoneInfo(known.zone)).date() if until else None
    first, last = pause_span(known)
    return View(
        addresses=tuple(masked(one.kind, one.value) for one in _reachable(known)[:MAX_ADDRESSES]),
        groups=tuple(groups),
        always=tuple(always),
        pause=typed.pause if typed else (day.isoformat() if day else ""),
        paused=words["paused"].format(day=day_words(day, language)) if day else "",
        first=first,
        last=last,
    )


def shown_channels(offer: Offer, known: Known) -> list[str]:
    """The channels of a purpose on which this customer can be reached or has said something; else all of them."""
    reached = {channel for one in known.identities for channel in CHANNELS_OF.get(one.kind, ())}
    said = {channel for purpose, channel in known.standings if purpose == offer.purpose}
    return [one for one in offer.channels if one in reached | said] or list(offer.channels)


def paused_until(known: Known) -> datetime | None:
    """The end of the break in force, None without one."""
    whole = known.preferences.get((ALL, ALL))
    until = whole.paused_until if whole else None
    return until if until is not None and until > known.now else None


def pause_span(known: Known) -> tuple[date, date]:
    """The first and the last day that a break may end on, where the customer is."""
    today = known.now.astimezone(ZoneInfo(known.zone)).date()
    return today + timedelta(days=1), today + LONGEST_PAUSE


def pause_end(text: str, known: Known) -> datetime | None:
    """The beginning of the typed day where the customer is; None for no break. ValueError for any other text."""
    if not text:
        return None
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    day, (first, last) = date.fromisoformat(text), pause_span(known)
    if not first <= day <= last:
        raise ValueError(text)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(known.zone)).astimezone(UTC)


def pace_of(text: str) -> int | None:
    """Messages a week at most; None for no limit. ValueError for any other text."""
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MOST_PER_WEEK)) else 0
    if not 1 <= number <= MOST_PER_WEEK:
        raise ValueError(text)
    return number


def _reachable(known: Known) -> list[KnownIdentity]:
    return [one for one in known.identities if one.kind in CHANNELS_OF]


def _row(offer: Offer, channel: str, known: Known, language: str, typed: Typed | None) -> Row:
    words = PREFERENCE_WORDS[language]
    standing = standing_for(known.standings, offer.purpose, channel)
    key, on = key_of(offer.purpose, channel), is_on(offer, standing)
    preference = known.preferences.get((offer.purpose, channel))
    pace = "" if preference is None or preference.per_week is None else str(preference.per_week)
    chosen = typed.paces.get(key, pace) if typed else pace
    numbers = sorted({*PACES, *([int(pace)] if pace else [])})
    told = [(str(n), words["once"] if n == 1 else words["times"].format(n=n)) for n in numbers]
    return Row(
        key, words.get(channel) or words["channel"].format(channel=channel), on,
        ticked=key in typed.on if typed else on,
        said=_said(offer, standing, known, language),
        blocked=_blocked(channel, known),
        pace=chosen,
        paces=(("", words["any"]), *told),
        locked=is_locked(offer, channel, known) and not on,
    )  # fmt: skip


def _said(offer: Offer, standing: Standing | None, known: Known, language: str) -> str:
    words = PREFERENCE_WORDS[language]
    if standing is None:
        return words["never_on" if is_on(offer, None) else "never_off"]
    zone = ZoneInfo(known.zone)
    ended = standing.state == "expired" and standing.expires_at is not None
    at = standing.expires_at if ended and standing.expires_at else standing.at
    sentence = {"given": "on", "withdrawn": "off", "pending": "pending", "expired": "expired"}[standing.state]
    told = words[sentence].format(day=day_words(at.astimezone(zone).date(), language))
    return f"{told} {words['outdated']}" if standing.state == "given" and standing.outdated else told


def _blocked(channel: str, known: Known) -> bool:
    """Whether every address of this channel refuses everything, so that a switch would promise too much."""
    mine = [one.value for one in known.identities if channel in CHANNELS_OF.get(one.kind, ())]
    scopes = [known.suppressed.get((channel, value)) for value in mine]
    return bool(mine) and all(one is not None and one.scope == "all" for one in scopes)
