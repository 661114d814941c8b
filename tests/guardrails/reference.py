"""A small second reading of docs/contact.md, written apart from the gate: slow, plain, and asked about one moment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from fairlead.guardrails import Attempt, Cap, ContactRules, Known, QuietWindow

Answer = tuple[str, str]
"""(verdict, code)"""
PASS: Answer = ("allowed", "allowed")


def expected(  # noqa: PLR0911  one return a rule, as in the table
    rules: ContactRules, attempt: Attempt, known: Known, now: datetime, since: datetime
) -> Answer:
    """What the gate must say at `now` to a message first due at `since`."""
    if not known.usable:
        return ("refused", "unusable_address")
    if known.own_address is False:
        return ("refused", "address_of_another" if known.address else "no_address")
    purpose = rules.purposes.get(attempt.purpose)
    cls = purpose.cls.value if purpose else "promotional"
    if known.suppressed and (known.suppressed[0] == "all" or cls == "promotional"):
        return ("refused", "suppressed")
    if purpose is None:
        return ("refused", "unknown_purpose")
    if purpose.channels and attempt.channel not in purpose.channels:
        return ("refused", "channel_not_for_purpose")
    if known.erased:
        return ("refused", "erased")
    if "restricted" in known.flags and not (cls == "transactional" and not attempt.automatic):
        return ("refused", "restricted")
    for answer in (
        _consent(purpose, attempt, known, now),
        _pause(cls, attempt, known, now),
        _flags(rules, cls, attempt, known),
        _hours(rules, cls, attempt, known, now),
        ("held", "complaint_open") if "complaint_open" in known.flags and cls in rules.complaint_off else None,
        ("refused", "holdout") if known.held_out and cls in rules.holdout_classes else None,
        _caps(rules, cls, attempt, known, (now, since)),
    ):
        if answer is not None:
            return answer
    return PASS


def _consent(purpose: Any, attempt: Attempt, known: Known, now: datetime) -> Answer | None:
    if purpose.cls.value == "transactional" and purpose.mechanism.value == "notice_only":
        return None
    words = [
        said for (about, channel), said in known.consents.items()
        if about in ("*", attempt.purpose) and channel in ("*", attempt.channel)
    ]  # fmt: skip
    if not words:
        return ("refused", "no_consent") if purpose.mechanism.value == "opt_in" else None
    last = max(words, key=lambda one: (one.at, one.state == "withdrawn"))
    if last.state == "withdrawn":
        return ("refused", "withdrawn")
    if last.state == "pending":
        return ("refused", "consent_pending")
    ended = last.state == "expired" or (last.expires_at is not None and last.expires_at <= now)
    if ended or (purpose.expires is not None and now - last.at >= purpose.expires):
        return ("refused", "consent_expired")
    return ("refused", "consent_pending") if purpose.double and not last.doubly else None


def _wishes(attempt: Attempt, known: Known) -> list[Any]:
    return [w for w in known.wishes if w.purpose in ("*", attempt.purpose) and w.channel in ("*", attempt.channel)]


def _pause(cls: str, attempt: Attempt, known: Known, now: datetime) -> Answer | None:
    paused = [w for w in _wishes(attempt, known) if w.paused_until is not None and now < w.paused_until]
    return ("held", "paused") if paused and cls != "transactional" else None


def _flags(rules: ContactRules, cls: str, attempt: Attempt, known: Known) -> Answer | None:
    stopped = attempt.automatic and cls in rules.human_classes and set(known.flags) & rules.human_flags
    return ("refused", "human_only") if stopped else None


def _zones(rules: ContactRules, known: Known) -> list[ZoneInfo]:
    return [ZoneInfo(name) for name in known.zones or (rules.time_zone,)]


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _hours(rules: ContactRules, cls: str, attempt: Attempt, known: Known, now: datetime) -> Answer | None:
    for window in rules.quiet:
        if cls not in window.applies_to or (window.channels and attempt.channel not in window.channels):
            continue
        if window.countries and known.countries and not window.countries & set(known.countries):
            continue
        if window.zones and known.zones and not window.zones & set(known.zones):
            continue
        if window.flags and not window.flags & set(known.flags):
            continue
        if "person" in window.lifted_by and not attempt.automatic:
            continue
        if "reply" in window.lifted_by and attempt.reply and cls == "transactional":
            continue
        if "consent" in window.lifted_by and _said_yes(attempt, known):
            continue
        if any(inside(window, _wall(now, zone)) for zone in _zones(rules, known)):
            return ("held", "quiet_hours")
    return None


def _said_yes(attempt: Attempt, known: Known) -> bool:
    words = [
        said for (about, channel), said in known.consents.items()
        if about in ("*", attempt.purpose) and channel in ("*", attempt.channel)
    ]  # fmt: skip
    return bool(words) and max(words, key=lambda one: (one.at, one.state == "withdrawn")).state == "given"


def inside(window: QuietWindow, wall: datetime) -> bool:
    """Whether a clock on the wall stands in the window: each day's window laid out as a span of wall time."""
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        if day.weekday() in window.days:
            start = datetime.combine(day, time()) + timedelta(minutes=window.start)
            end = datetime.combine(day, time()) + timedelta(minutes=window.end)
            end += timedelta(days=1) if window.end < window.start else timedelta(0)
            if start <= wall < end:
                return True
    return False


def _caps(
    rules: ContactRules, cls: str, attempt: Attempt, known: Known, times: tuple[datetime, datetime]
) -> Answer | None:
    now, since = times
    bound = [cap for cap in rules.caps if _binds(cap, cls, attempt)]
    full = [cap for cap in bound if taken(cap, rules, known, now) >= cap.most]
    wishes = [
        wish for wish in _wishes(attempt, known)
        if wish.per_week is not None and cls != "transactional" and _wished(wish, known, now) >= wish.per_week
    ]  # fmt: skip
    for cap in full:
        if cap.when_full.value == "drop" or cap.most == 0:
            return ("refused", "cap")
        if cap.expires is not None and _free_after(cap, rules, known, (now, since + cap.expires)):
            return ("refused", "cap")
    for wish in wishes:
        if _wished(wish, known, max(now, since + timedelta(days=7))) >= (wish.per_week or 0) or now > since + timedelta(
            7
        ):
            return ("refused", "cap")
    return ("held", "cap") if full or wishes else None


def _binds(cap: Cap, cls: str, attempt: Attempt) -> bool:
    return (
        cls in cap.applies_to
        and (not cap.channels or attempt.channel in cap.channels)
        and (not cap.purposes or attempt.purpose in cap.purposes)
        and (not cap.tags or bool(cap.tags & set(attempt.tags)))
    )


def taken(cap: Cap, rules: ContactRules, known: Known, now: datetime) -> int:
    """Places of the cap that are taken at `now`, counted one message after the other."""
    zones = _zones(rules, known) if cap.by_customer else [ZoneInfo(rules.time_zone)]
    count = 0
    for one in known.sent:
        if one.cls not in cap.counts or (cap.channels and one.channel not in cap.channels):
            continue
        if (cap.purposes and one.purpose not in cap.purposes) or (cap.tags and not cap.tags & one.tags):
            continue
        if isinstance(cap.per, timedelta):
            count += now - one.at < cap.per
        else:
            count += any(_period(cap.per, _wall(one.at, z)) >= _period(cap.per, _wall(now, z)) for z in zones)
    return count


def _period(per: str, wall: datetime) -> date:
    day = wall.date()
    if per == "week":
        return date.fromisocalendar(*day.isocalendar()[:2], 1)
    return date(day.year, day.month, 1) if per == "month" else day


def _wished(wish: Any, known: Known, now: datetime) -> int:
    return sum(
        now - one.at < timedelta(days=7) and one.cls != "transactional"
        and wish.purpose in ("*", one.purpose) and wish.channel in ("*", one.channel)
        for one in known.sent
    )  # fmt: skip


def _free_after(cap: Cap, rules: ContactRules, known: Known, times: tuple[datetime, datetime]) -> bool:
    """Whether, still full now, it has no place at the end of the wait either."""
    now, until = times
    return until < now or taken(cap, rules, known, until) >= cap.most
