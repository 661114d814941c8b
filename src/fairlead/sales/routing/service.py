"""Giving leads out, under one locked row per team, and handing them on by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fairlead.customers import Owning, TimelineNote, note_many, owning_of, set_owners
from fairlead.kit.actors import SYSTEM
from fairlead.kit.clock import to_micros
from fairlead.kit.faults import fault_point
from fairlead.kit.ids import new_ids
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.people import Colleague, TeamRules, colleagues_of, open_teams, rosters
from fairlead.sales.routing import fair, store
from fairlead.sales.routing.choosing import allocate
from fairlead.sales.routing.explaining import explanation_of, sentences
from fairlead.sales.routing.model import Ask, Choice, Given, Pool


@dataclass(slots=True)
class _Books:
    """Everything read under the locks."""

    pools: dict[str, Pool]
    outsiders: Mapping[str, Colleague]
    owning: dict[str, Owning]
    before: dict[str, dict[str, int]]


def assign_many(uow: UnitOfWork, asks: Sequence[Ask], *, own: bool = True) -> list[Given]:
    """Give each lead to somebody, or say why nobody can take it, one answer per ask in order.

    A case that has somebody in this very team, or from a person's hand, keeps them. With `own` the customer's
    owner is set, where there is none or the owner has left. Stored, audited and on the timeline of the customer.
    """
    teams = open_teams(uow, {ask.team for ask in asks})
    store.lock_pools(uow, [one.id for one in teams.values()])
    standing = store.current_of(uow, [ask.case_id for ask in asks])
    asked = [ask for ask in asks if not _keeps(standing.get(ask.case_id), ask)]
    books = _read_books(uow, asked) if teams else _Books({}, {}, {}, {})
    chosen = {}
    for bare in asked:
        ask = _with_owner(bare, books)
        choice = allocate(books.pools, ask, uow.now, books.outsiders)
        chosen[ask.case_id] = ask, choice
        if own and choice.person_id and ask.customer_id:
            _remember(books, ask.customer_id, choice.person_id)
    made = _write(uow, chosen, books, standing)
    if own:
        _set_owners(uow, chosen, books)
    fault_point("assignment.written")
    return [made.get(ask.case_id) or _given(standing[ask.case_id]) for ask in asks]


def _keeps(row: Any, ask: Ask) -> bool:
    if row is None or row.person_id is None:
        return False
    return row.way == "person" or (row.team == ask.team and row.released_at is None)


def _given(row: Any) -> Given:
    person = row.explanation.get("person") or {}
    words = sentences(row.explanation)[0]
    return Given(row.id, row.case_id, row.team, row.person_id, str(person.get("name", "")), hold=False, words=words)


def _read_books(uow: UnitOfWork, asks: Sequence[Ask]) -> _Books:
    """Read again, now that nobody else changes it: teams, loads, credits, owners."""
    teams = rosters(uow, {ask.team for ask in asks}, uow.now)
    by_id = {one.team.id: one for one in teams.values()}
    ids = sorted(by_id)
    store.lock_pools(uow, ids)  # the very same rows, but for a fallback that was named meanwhile
    if ids:
        for over in store.tidy_open(uow, ids):
            payload = {"assignment": over.id, "person": over.person_id}
            uow.record(AuditEntry("lead.days_over", over.case_id, payload, over.customer_id))
    before = store.credits_of(uow, ids) if ids else {}
    opened = store.open_leads(uow, ids, uow.now) if ids else {}
    pools = {}
    for name, roster in teams.items():
        members = [one.person_id for one in roster.members]
        pool = Pool(roster, fair.settle(before.get(roster.team.id, {}), members))
        pool.opened = {one: opened.get((roster.team.id, one), 0) for one in members}
        _count_today(uow, pool)
        pools[name] = pool
    owning = owning_of(uow, [ask.customer_id for ask in asks if ask.customer_id])
    owners = {one for found in owning.values() for one in (found.owner, *found.others) if one}
    return _Books(pools, colleagues_of(uow, owners, uow.now), owning, before)


def _count_today(uow: UnitOfWork, pool: Pool) -> None:
    """How many leads members with a daily capacity had today, by the days of their zones."""
    by_day: dict[Any, list[str]] = {}
    for one in pool.roster.members:
        if one.terms.daily_capacity is not None:
            by_day.setdefault(pool.presence(one.colleague, uow.now).day, []).append(one.person_id)
    for day, ids in by_day.items():
        for (_, person_id), count in store.given_since(uow, [pool.roster.team.id], ids, day).items():
            pool.daily[person_id, day] = count


def _with_owner(ask: Ask, books: _Books) -> Ask:
    found = books.owning.get(ask.customer_id or "")
    if found is None:
        return ask
    if found.owner and found.owner in books.outsiders and not books.outsiders[found.owner].departed:
        return replace(ask, owner=found.owner)
    others = [one for one in found.others if one in books.outsiders and not books.outsiders[one].departed]
    if others:
        return replace(ask, owner=others[0], is_company=True)
    return replace(ask, owner=found.owner) if found.owner in books.outsiders else ask


def _remember(books: _Books, customer_id: str, person_id: str) -> None:
    """Later leads of the same chunk find the owner that an earlier one got."""
    found = books.owning.get(customer_id)
    if found is None or not _is_free(found.owner, books.outsiders):
        return
    if person_id not in books.outsiders:
        members = (one.colleague for pool in books.pools.values() for one in pool.roster.members)
        colleague = next((one for one in members if one.person_id == person_id), None)
        if colleague is not None:
            books.outsiders = {**books.outsiders, person_id: colleague}
    books.owning[customer_id] = found._replace(owner=person_id)
    if found.company:
        for one, other in books.owning.items():
            if other.company == found.company and person_id not in other.others:
                books.owning[one] = other._replace(others=(*other.others, person_id))


def _is_free(owner: str | None, known: Mapping[str, Colleague]) -> bool:
    """Whether a customer's owner may be set: there is none, or it is somebody who left."""
    return owner is None or (owner in known and known[owner].departed)


def _write(
    uow: UnitOfWork, chosen: Mapping[str, tuple[Ask, Choice]], books: _Books, standing: Mapping[str, Any]
) -> dict[str, Given]:
    made: dict[str, Given] = {}
    rows, replaced, notes = [], [], []
    now = to_micros(uow.now)
    for (case_id, (ask, choice)), assignment_id in zip(chosen.items(), new_ids("asg", len(chosen)), strict=True):
        former, data = standing.get(case_id), explanation_of(ask, choice)
        words = sentences(data)[0]
        if former is not None and former.person_id is None and choice.person_id is None and former.team == ask.team:
            made[case_id] = Given(former.id, case_id, choice.team, None, "", choice.hold, words)
            continue  # still nobody: the first row says since when
        if former is not None:
            replaced.append((former.id, "again"))
        team = books.pools[choice.team].roster.team if choice.team in books.pools else None
        until = uow.now + timedelta(days=(team.rules if team else TeamRules()).open_days)
        rows.append((
            assignment_id, case_id, ask.subject_id, ask.customer_id, team.id if team else None, choice.team,
            choice.person_id, now, "routing", str(SYSTEM), dumps(data), to_micros(until),
        ))  # fmt: skip
        made[case_id] = Given(assignment_id, case_id, choice.team, choice.person_id, choice.name, choice.hold, words)
        verb = "lead.assigned" if choice.person_id else "lead.unassigned"
        payload = {"assignment": assignment_id, "team": choice.team, "person": choice.person_id, "way": "routing",
                   "why": choice.why.value if choice.why else choice.words}  # fmt: skip
        uow.record(AuditEntry(verb, case_id, payload, ask.customer_id))
        if ask.customer_id and team is not None:
            notes.append(TimelineNote(ask.customer_id, "assignment", words, case_id))
    store.supersede(uow, replaced)
    store.insert_assignments(uow, rows)
    note_many(uow, notes)
    _write_books(uow, [choice for _, choice in chosen.values()], books)
    return made


def _write_books(uow: UnitOfWork, choices: Sequence[Choice], books: _Books) -> None:
    for name in sorted(books.pools):
        pool = books.pools[name]
        team_id, mine = pool.roster.team.id, [one for one in choices if one.team == name and one.person_id]
        store.write_credits(uow, team_id, books.before.get(team_id, {}), pool.owed)
        totals: dict[str, tuple[int, int]] = {}
        for choice in mine:
            for one, part in choice.due.items():
                due, taken = totals.get(one, (0, 0))
                totals[one] = due + part, taken + (one == choice.person_id)
        if totals:
            store.add_to_day(uow, team_id, store.day_number(uow.now), totals)
        if mine:
            store.count_allocated(uow, team_id, len(mine))


def _set_owners(uow: UnitOfWork, chosen: Mapping[str, tuple[Ask, Choice]], books: _Books) -> None:
    owners = {
        ask.customer_id: choice.person_id
        for ask, choice in chosen.values()
        if ask.customer_id and choice.person_id and books.owning.get(ask.customer_id, _NOBODY).owner == choice.person_id
    }
    if owners:
        set_owners(uow, SYSTEM, owners)


_NOBODY = Owning(None, "", ())
