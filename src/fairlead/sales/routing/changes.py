"""What a dry run may change about teams, as people write it: `weight:ada@example.com=2`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairlead.errors import InputError
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Member, Nobody, OffHours, Person, Roster, TeamRules, Terms

_EXAMPLE = "write, for instance, weight:ada@example.com=2, capacity:dach/Ada Keller=10 or off_hours:dach=wait"


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `team` "" is every team that the person is in, `person` "" a change of the team itself."""

    what: str
    team: str
    person: str
    value: str

    def __str__(self) -> str:
        """As it was written."""
        who = "/".join(part for part in (self.team, self.person) if part)
        return f"{self.what}:{who}={self.value}"


def _number(text: str) -> float:
    return float(text)


def _count(text: str) -> int | None:
    return None if text == "none" else int(text)


def _out(text: str) -> bool:
    return {"yes": True, "no": False}[text]


_PERSON: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "weight": ("weight", _number),
    "capacity": ("open_capacity", _count),
    "daily": ("daily_capacity", _count),
    "on_call": ("on_call", _out),
}
_TEAM: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "off_hours": ("off_hours", OffHours),
    "nobody": ("nobody", Nobody),
    "fallback": ("fallback", str),
    "owner_wins": ("owner_wins", _out),
    "owner_hours": ("owner_hours", _number),
    "open_days": ("open_days", int),
}
KNOWN = sorted([*_PERSON, *_TEAM, "out"])


def parse_change(text: str) -> Change:
    """InputError for what is not of the form, with an example; whether it fits the teams, `apply` says."""
    what, colon, rest = text.partition(":")
    who, equals, value = rest.rpartition("=")
    if not (colon and equals and who.strip()):
        message = f"{text[:80]!r} is no change; {_EXAMPLE}"
        raise InputError(message, code="change", field="set")
    what = what.strip()
    if what not in KNOWN:
        message = f"{what[:40]!r} cannot be changed. {did_you_mean(what, KNOWN)}"
        raise InputError(message, code="change", field="set")
    if what in _TEAM:
        return Change(what, who.strip(), "", value.strip())
    team, slash, person = who.partition("/")
    return Change(what, team.strip() if slash else "", (person if slash else team).strip(), value.strip())


def apply(rosters: Mapping[str, Roster], changes: list[Change], people: list[Person]) -> dict[str, Roster]:
    """The rosters as they would be; InputError that names a change which fits nobody or has no such value."""
    changed = dict(rosters)
    for change in changes:
        if change.what in _TEAM:
            changed[change.team] = _team(_found(changed, change), change)
            continue
        ids = {one.id for one in people if change.person in {one.id, one.name, one.email}}
        hit = False
        for name, roster in changed.items():
            if change.team in {"", name} and any(one.person_id in ids for one in roster.members):
                members = (_member(one, change) if one.person_id in ids else one for one in roster.members)
                changed[name] = replace(roster, members=tuple(one for one in members if one is not None))
                hit = True
        if not hit:
            where = f"in the team {change.team}" if change.team else "in any of these teams"
            message = f"{change}: nobody {where} is called {change.person}"
            raise InputError(message, code="change", field="set")
    return changed


def _found(rosters: Mapping[str, Roster], change: Change) -> Roster:
    if change.team not in rosters:
        message = f"{change}: no team at hand is called {change.team}. {did_you_mean(change.team, rosters) or ''}"
        raise InputError(message.rstrip(), code="change", field="set")
    return rosters[change.team]


def _team(roster: Roster, change: Change) -> Roster:
    name, read = _TEAM[change.what]
    rules: TeamRules = replace(roster.team.rules, **{name: _value(change, read)})
    rules.check()
    return replace(roster, team=replace(roster.team, rules=rules))


def _member(member: Member, change: Change) -> Member | None:
    if change.what == "out":
        return None if _value(change, _out) else member
    name, read = _PERSON[change.what]
    terms: Terms = replace(member.terms, **{name: _value(change, read)})
    terms.check()
    return replace(member, terms=terms)


def _value(change: Change, read: Callable[[str], Any]) -> Any:
    try:
        return read(change.value)
    except (ValueError, KeyError):
        message = f"{change}: {change.value[:40]!r} is no value for {change.what}"
        raise InputError(message, code="change", field="set") from None
