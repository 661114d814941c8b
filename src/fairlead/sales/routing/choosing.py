"""Who gets a lead: owner, skills, presence, capacity, then the turn; pure and always with every reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from fairlead.people import Colleague, Member, Nobody, OffHours, TeamRules, working_time
from fairlead.sales.routing import fair
from fairlead.sales.routing.model import Ask, Bar, Choice, PassedOver, Pool, Tried, Why

SAME_SHIFT = timedelta(hours=12)
"""Outside hours, leads go to those who are back within this time of the first one who is."""


def allocate(pools: Mapping[str, Pool], ask: Ask, now: datetime, outsiders: Mapping[str, Colleague]) -> Choice:
    """Who gets the lead, in its team or those it falls back on; the pools are booked accordingly.

    A team that is not among `pools` counts as not set up. `outsiders` are owners who are in no team at hand.
    """
    tried: list[Tried] = []
    name, choice = ask.team, Choice(ask.team, words=f"no team is called {ask.team}")
    while name in pools and name not in {one.team for one in tried}:
        pool = pools[name]
        choice = choose(pool, ask, now, outsiders)
        if choice.person_id is not None:
            book(pool, choice, now, outsiders)
            return replace(choice, tried=tuple(tried))
        if choice.again_at is not None and pool.roster.team.rules.off_hours is OffHours.WAIT:
            return replace(choice, tried=tuple(tried), hold=True)
        tried.append(Tried(name, choice.words, choice.passed))
        name = pool.roster.team.rules.fallback
    first = pools.get(ask.team)
    if first is None:
        return choice
    hold = first.roster.team.rules.nobody is Nobody.HOLD and bool(first.roster.members)
    words = "; ".join(f"{one.team}: {one.words}" for one in tried) if len(tried) > 1 else tried[0].words
    passed = tuple(item for one in tried for item in one.passed)
    return Choice(ask.team, words=words, passed=passed, tried=tuple(tried[1:]), hold=hold)


def book(pool: Pool, choice: Choice, now: datetime, outsiders: Mapping[str, Colleague]) -> None:
    """Count the lead for who got it."""
    assert choice.person_id is not None  # noqa: S101  only choices of somebody are booked
    if choice.due:
        fair.take(pool.owed, choice.due, choice.person_id)
    member = pool.member(choice.person_id)
    colleague = member.colleague if member else outsiders.get(choice.person_id)
    if colleague is not None:
        pool.count(colleague, now)


def choose(pool: Pool, ask: Ask, now: datetime, outsiders: Mapping[str, Colleague]) -> Choice:
    """Who of one team gets the lead, or why nobody can; changes nothing."""
    team, rules = pool.roster.team.name, pool.roster.team.rules
    barred: dict[str, PassedOver] = {}
    free: list[Member] = []
    for member in pool.roster.members:
        bar = _bar(pool, member, ask, now)
        if bar is None:
            free.append(member)
        else:
            barred[member.person_id] = bar
    refused: list[PassedOver] = []
    if ask.owner is not None:
        owner = _owner(pool, ask, now, outsiders, barred)
        if isinstance(owner, Colleague):
            whose = "the same company" if ask.is_company else "this customer"
            first = f"{owner.name} looks after {whose} already"
            rest = [_passed(one, Bar.OWNER_FIRST, first) for one in free if one.person_id != owner.person_id]
            passed = (*(barred[i] for i in sorted(barred) if i != owner.person_id), *rest)
            why = Why.COMPANY_OWNER if ask.is_company else Why.OWNER
            return Choice(team, owner.person_id, owner.name, why, f"looks after {whose} already", passed)
        if owner is not None and owner.person_id not in barred:
            refused.append(owner)
            free = [one for one in free if one.person_id != owner.person_id]
    found = _shift(pool, free, now, rules)
    group, later = _fitting(found.group, ask)
    passed = (*refused, *(barred[i] for i in sorted(barred)), *found.passed, *later)
    if not group:
        words = _nobody(pool, passed)
        return Choice(team, words=words, passed=passed, again_at=found.again_at)
    return _by_turn(pool, group, passed, found.words)


def _by_turn(pool: Pool, group: Sequence[Member], passed: Sequence[PassedOver], shift: str) -> Choice:
    due = fair.parts({one.person_id: one.terms.milli for one in group})
    winner = fair.turn(pool.owed, due)
    claims = {one: pool.owed.get(one, 0) + due[one] for one in due}
    chosen = next(one for one in group if one.person_id == winner)
    rest = [
        _passed(one, Bar.LATER_TURN, _later(claims[one.person_id], claims[winner], chosen.colleague.name))
        for one in group if one.person_id != winner
    ]  # fmt: skip
    if len(group) == 1:
        words = f"the only one who can take it{shift}"
    else:
        words = f"next in turn among {len(group)} who can take it{shift}"
    return Choice(
        pool.roster.team.name, winner, chosen.colleague.name, Why.TURN, words, (*passed, *rest), due
    )  # fmt: skip


def _later(claim: int, highest: int, name: str) -> str:
    if claim == highest:
        return f"due as much as {name}; the order of the ids decides"
    return f"would exceed their share: due {_leads(claim)}, {name} {_leads(highest)}"


def _leads(claim: int) -> str:
    return f"{claim / fair.UNIT:.2f} leads"


def _bar(pool: Pool, member: Member, ask: Ask, now: datetime) -> PassedOver | None:
    """What keeps a member from taking this lead by rotation, whatever the others do."""
    terms, presence = member.terms, pool.presence(member.colleague, now)
    if presence.is_away or presence.back is None:
        back = f"absent until {at_words(presence.back)}" if presence.back else "not at work within a year"
        return _passed(member, Bar.ABSENT, back, presence.back)
    if unfit := _unfit(member, ask):
        return unfit
    if terms.milli == 0:
        return _passed(member, Bar.NO_WEIGHT, "has the weight 0, which takes no turns")
    return _full(pool, member, now)


def _unfit(member: Member, ask: Ask) -> PassedOver | None:
    missing = sorted(ask.required - member.terms.skills)
    return _passed(member, Bar.LACKS_SKILL, f"lacks the skill {', '.join(missing)}") if missing else None


def _full(pool: Pool, member: Member, now: datetime) -> PassedOver | None:
    terms = member.terms
    opened, today = pool.opened.get(member.person_id, 0), pool.today(member.colleague, now)
    if terms.open_capacity is not None and opened >= terms.open_capacity:
        return _passed(member, Bar.AT_CAPACITY, f"at capacity: {opened}/{terms.open_capacity} open leads")
    if terms.daily_capacity is not None and today >= terms.daily_capacity:
        return _passed(member, Bar.DAILY_CAPACITY, f"had today's leads: {today}/{terms.daily_capacity}")
    return None


def _owner(
    pool: Pool, ask: Ask, now: datetime, outsiders: Mapping[str, Colleague], barred: Mapping[str, PassedOver]
) -> Colleague | PassedOver | None:
    """The owner when the lead is theirs, else why not; None when nobody here is known by that name."""
    rules, owner_id = pool.roster.team.rules, ask.owner or ""
    member = pool.member(owner_id)
    colleague = member.colleague if member else outsiders.get(owner_id)
    if colleague is None:
        return None
    whose = "looks after the same company" if ask.is_company else "looks after this customer"
    if colleague.departed:
        return PassedOver(owner_id, colleague.name, Bar.DEPARTED, f"{whose}, but left")
    if member is None and not rules.owner_wins:
        words = f"{whose}, but is not in the team {pool.roster.team.name}"
        return PassedOver(owner_id, colleague.name, Bar.NOT_IN_TEAM, words)
    bar = barred.get(owner_id)
    if bar is not None and bar.bar in {Bar.ABSENT, Bar.NO_WEIGHT} and member is not None:
        bar = _unfit(member, ask) or _full(pool, member, now)  # a short absence or no turns are no bar to an owner
    if bar is not None:
        return bar
    back = pool.presence(colleague, now).back
    if back is not None and working_time(colleague.hours, now, back) <= timedelta(hours=rules.owner_hours):
        return colleague
    words = f"{whose}, but is not back within {rules.owner_hours:g} working hours"
    return PassedOver(owner_id, colleague.name, Bar.ABSENT, words, back)


class _Shift(NamedTuple):
    """Who can take a lead as far as the clock goes, the others, and what that is called."""

    group: list[Member]
    passed: list[PassedOver]
    words: str = ""
    again_at: datetime | None = None


def _shift(pool: Pool, free: Sequence[Member], now: datetime, rules: TeamRules) -> _Shift:
    backs = {one.person_id: pool.presence(one.colleague, now).back or now for one in free}
    group = [one for one in free if backs[one.person_id] == now]
    words, again_at = "", None
    if not group and free:
        earliest = min(backs.values())
        if rules.off_hours is OffHours.ASSIGN:
            group = [one for one in free if backs[one.person_id] <= earliest + SAME_SHIFT]
            words = f", at work from {at_words(earliest)}"
        elif rules.off_hours is OffHours.ON_CALL:
            group = [one for one in free if one.terms.on_call]
            words = " and is on call"
        else:
            again_at = earliest
    taken = {one.person_id for one in group}
    on_call = bool(free) and rules.off_hours is OffHours.ON_CALL and min(backs.values()) > now
    passed = []
    for one in free:
        if one.person_id not in taken:
            back = backs[one.person_id]
            text = f"off hours, in again {at_words(back)}" + (", and not on call" if on_call else "")
            passed.append(_passed(one, Bar.NOT_ON_CALL if on_call else Bar.OFF_HOURS, text, back))
    return _Shift(group, passed, words, again_at)


def _fitting(group: Sequence[Member], ask: Ask) -> tuple[list[Member], list[PassedOver]]:
    """Those with most of the preferred skills; the others are passed over for them."""
    best = max((len(ask.preferred & one.terms.skills) for one in group), default=0)
    if best == 0:
        return list(group), []
    fitting = [one for one in group if len(ask.preferred & one.terms.skills) == best]
    rest = [one for one in group if one not in fitting]
    told = [
        _passed(one, Bar.FITS_LESS, f"lacks the preferred skill {', '.join(sorted(ask.preferred - one.terms.skills))}")
        for one in rest
    ]
    return fitting, told


def _nobody(pool: Pool, passed: Sequence[PassedOver]) -> str:
    if not pool.roster.members:
        return "the team has no members"
    counts: dict[Bar, int] = {}
    for one in passed:
        counts[one.bar] = counts.get(one.bar, 0) + 1
    told = ", ".join(f"{count} {_IN_SHORT[bar]}" for bar, count in sorted(counts.items()))
    return f"nobody can take it now, {told}"


_IN_SHORT = {
    Bar.DEPARTED: "left",
    Bar.NOT_IN_TEAM: "not in the team",
    Bar.NO_WEIGHT: "without a share",
    Bar.ABSENT: "absent",
    Bar.OFF_HOURS: "off hours",
    Bar.NOT_ON_CALL: "off hours and not on call",
    Bar.AT_CAPACITY: "at capacity",
    Bar.DAILY_CAPACITY: "had today's leads",
    Bar.LACKS_SKILL: "without the skill",
    Bar.FITS_LESS: "fit less",
    Bar.OWNER_FIRST: "behind the owner",
    Bar.LATER_TURN: "later in turn",
}


def _passed(member: Member, bar: Bar, words: str, until: datetime | None = None) -> PassedOver:
    return PassedOver(member.person_id, member.colleague.name, bar, words, until)


def at_words(moment: datetime | None) -> str:
    """`2 Nov 2026, 09:00 UTC`."""
    if moment is None:
        return "nobody knows when"
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
