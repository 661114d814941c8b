"""A dry run: past leads given out once more by teams as they are, or as they might be; nothing is written."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader
from fairlead.people import Colleague, Roster, colleagues_of, list_people, list_teams, rosters
from fairlead.sales.routing import fair, store
from fairlead.sales.routing.changes import Change, apply
from fairlead.sales.routing.choosing import allocate
from fairlead.sales.routing.model import Ask, Bar, Choice, Pool

MOST_LEADS = 100_000
MOST_SHOWN = 50
_PAGE = 1_000
_RETRY = timedelta(minutes=30)
_USUAL = frozenset({Bar.LATER_TURN, Bar.OWNER_FIRST, Bar.FITS_LESS, Bar.NOT_IN_TEAM})
"""Being passed over for these is the rule at work and not worth a line."""


@dataclass(slots=True)
class Past:
    """A lead as it was asked for, and who got it then; `worked_at` None: not marked as worked so far."""

    at: datetime
    ask: Ask
    person_id: str | None
    name: str
    worked_at: datetime | None


@dataclass(slots=True)
class _Run:
    pools: dict[str, Pool]
    outsiders: Mapping[str, Colleague]
    ends: list[tuple[datetime, str, str]] = field(default_factory=list)
    waiting: list[Past] = field(default_factory=list)
    tried_at: datetime | None = None
    now: dict[str, Choice] = field(default_factory=dict)
    passed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    waited: int = 0


def dry_run(reader: Reader, now: datetime, since: datetime, changes: Sequence[Change] = ()) -> dict[str, Any]:
    """Who had got the leads since `since` then, and who would now; plain JSON.

    `moved` counts leads that somebody else would have; those that somebody had and nobody would are `lost` of
    `nobody`. As the step does, a lead that nobody can take waits or goes on to the team's list without an owner, by
    the rules of its team: `waiting` and `queued` count them by reason, `still_wait` those that wait to the end.
    `waited` are all that had to wait, also where somebody got them later.

    Teams, memberships, hours and loads are those of now, with `changes`; absences are those of the time. All
    begin without open leads. At most 100,000 leads, the oldest of the time; `truncated` says so.
    """
    past = list(_past(reader, since))
    truncated, past = len(past) > MOST_LEADS, past[:MOST_LEADS]
    known = rosters(reader, {one.name for one in list_teams(reader)}, now, since=since)
    changed = apply(known, list(changes), list(list_people(reader)))
    owners = {one.ask.owner for one in past if one.ask.owner}
    run = _Run({name: _pool(roster) for name, roster in changed.items()}, colleagues_of(reader, owners, since))
    for one in past:
        _advance(run, one.at)
        _try(run, one, one.at)
    if run.waiting:
        run.tried_at = None
        _advance(run, now)
    return {"since": iso(since), "until": iso(now), "leads": len(past), "truncated": truncated,
            "changes": list(map(str, changes)), **_report(run, past, changed)}  # fmt: skip


def _pool(roster: Roster) -> Pool:
    return Pool(roster, fair.settle({}, [one.person_id for one in roster.members]))


def _past(reader: Reader, since: datetime) -> Iterator[Past]:
    """Leads that routing gave out, each once: as it was first asked for, with who got it at last by routing."""
    leads: dict[str, Past] = {}
    after: tuple[datetime, str] | None = None
    while len(leads) <= MOST_LEADS:
        page = store.first_ones(reader, since, after, _PAGE)
        for row in page:
            known = leads.setdefault(row.case_id, Past(row.at, _ask(row), None, "", row.released_at))
            if row.person_id is not None:
                known.person_id, known.name = row.person_id, str((row.explanation.get("person") or {}).get("name", ""))
                known.worked_at = row.released_at
        if len(page) < _PAGE:
            break
        after = (page[-1].at, page[-1].id)
    yield from sorted(leads.values(), key=lambda one: (one.at, one.ask.case_id))


def _ask(row: Any) -> Ask:
    said = row.explanation
    owner = said.get("owner") or {}
    return Ask(
        row.case_id, row.subject_id, row.customer_id, said.get("asked_team") or row.team,
        frozenset(said.get("required", ())), frozenset(said.get("preferred", ())),
        owner.get("id"), owner.get("of") == "company", said.get("territory") or {},
    )  # fmt: skip


def _advance(run: _Run, at: datetime) -> None:
    """Let loads end whose time has come, and try again what waits, every half hour as the engine does."""
    while run.ends and run.ends[0][0] <= at:
        _, team, person_id = heapq.heappop(run.ends)
        run.pools[team].opened[person_id] -= 1
    if run.waiting and (run.tried_at is None or at - run.tried_at >= _RETRY):
        waiting, run.waiting, run.tried_at = run.waiting, [], at
        for one in waiting:
            _try(run, one, at)


def _try(run: _Run, one: Past, at: datetime) -> None:
    choice = allocate(run.pools, one.ask, at, run.outsiders)
    first = one.ask.case_id not in run.now
    run.now[one.ask.case_id] = choice
    if first:
        run.passed.update(
            (choice.team, item.name, item.bar.value) for item in choice.passed if item.bar not in _USUAL
        )  # fmt: skip
    if choice.person_id is None:
        if choice.hold:
            run.waiting.append(one)
            run.waited += first
        return
    end = at + timedelta(days=run.pools[choice.team].roster.team.rules.open_days)
    if one.worked_at is not None and at < one.worked_at:
        end = min(end, one.worked_at)
    heapq.heappush(run.ends, (end, choice.team, choice.person_id))


def _report(run: _Run, past: Sequence[Past], changed: Mapping[str, Roster]) -> dict[str, Any]:
    then, now = Counter[str](), Counter[str]()
    people: dict[tuple[str, str], list[int]] = {}
    nobody = []
    for one in past:
        choice = run.now[one.ask.case_id]
        then[one.ask.team] += 1
        now[choice.team] += 1
        people.setdefault((one.person_id or "", one.name), [0, 0])[0] += 1
        people.setdefault((choice.person_id or "", choice.name), [0, 0])[1] += 1
        if choice.person_id is None:
            nobody.append({"case": one.ask.case_id, "lead": one.ask.subject_id, "at": iso(one.at), "team": choice.team,
                           "hold": choice.hold, "had": one.person_id is not None, "words": choice.words})  # fmt: skip
    moved = sum(run.now[one.ask.case_id].person_id not in {None, one.person_id} for one in past)
    ordered = sorted(people.items(), key=lambda item: (item[0][1] == "", item[0][1], item[0][0]))
    passed = sorted(run.passed.items(), key=lambda item: (-item[1], item[0]))
    reasons = Counter(one["words"] for one in nobody).most_common(MOST_SHOWN)
    without = Counter(one["team"] for one in nobody)
    outcomes = {key: Counter(one["words"] for one in nobody if one["hold"] is hold).most_common(MOST_SHOWN)
                for key, hold in (("waiting", True), ("queued", False))}  # fmt: skip
    return {
        "moved": moved,
        "waited": run.waited,
        "teams": [
            {"team": name, "then": then[name], "now": now[name], "nobody": without[name], "set_up": name in changed}
            for name in sorted({*then, *now})
        ],
        "people": [
            {"person": key[0] or None, "name": key[1] or "nobody", "then": counts[0], "now": counts[1]}
            for key, counts in ordered
        ],
        "passed_over": [
            {"team": team, "name": name, "why": why, "leads": count} for (team, name, why), count in passed
        ],
        "nobody": {
            "leads": len(nobody),
            "lost": sum(one["had"] for one in nobody),
            "still_wait": sum(one["hold"] for one in nobody),
            "reasons": dict(reasons),
            **{key: dict(some) for key, some in outcomes.items()},
            "some": nobody[:MOST_SHOWN],
        },
    }
