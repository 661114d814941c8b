"""Teams: who is in them from when to when, and what cannot be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from fairlead.audit.tables import payload
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.kit.actors import SYSTEM
from fairlead.people import (
    OffHours,
    Permission,
    TeamRules,
    Terms,
    WorkingHours,
    absences_of,
    add_absence,
    add_person,
    change_team,
    close_team,
    colleagues_of,
    create_team,
    disable_person,
    get_team,
    memberships_of,
    parse_week,
    permissions_of,
    put_member,
    remove_member,
    rosters,
    set_hours,
    teams_of,
    withdraw_absence,
)

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.people import Person
    from fairlead.testing.clock import FakeClock


def do(database: Database, verb: Any, *args: Any, **more: Any) -> Any:
    """One verb in a transaction of its own."""
    with database.transaction() as uow:
        return verb(uow, SYSTEM, *args, **more)


def weights(database: Database, name: str = "dach") -> dict[str, float]:
    """Who is in a team now, with which weight."""
    with database.reading() as reader:
        found = rosters(reader, [name], database.clock.now())
    return {one.colleague.name: one.terms.weight for one in found[name].members} if name in found else {}


def test_a_membership_is_never_overwritten(database: Database, admin: Person, clock: FakeClock) -> None:
    """Other terms end one stretch and begin the next; what was planned for later is dropped by a removal."""
    do(database, create_team, name="dach")
    do(database, put_member, "dach", admin.id, Terms(weight=1.0))
    clock.advance(timedelta(days=1))
    do(database, put_member, "dach", admin.id, Terms(weight=2.0))
    next_week = clock.now() + timedelta(days=7)
    do(database, put_member, "dach", admin.id, Terms(weight=3.0), from_at=next_week)
    assert weights(database) == {"Ada Admin": 2.0}
    clock.advance(timedelta(days=8))
    assert weights(database) == {"Ada Admin": 3.0}
    do(database, put_member, "dach", admin.id, Terms(weight=9.0), from_at=clock.now() + timedelta(days=1))
    do(database, remove_member, "dach", admin.id)
    assert weights(database) == {}
    with database.reading() as reader:
        stretches = memberships_of(reader, [get_team(reader, "dach")], None)
    assert [one.terms.weight for one in stretches] == [1.0, 2.0, 3.0]
    assert [one.until_at for one in stretches[:2]] == [one.from_at for one in stretches[1:]]
    with pytest.raises(NotFoundError):
        do(database, remove_member, "dach", admin.id)


def test_who_left_is_in_no_team(database: Database, admin: Person) -> None:
    """A disabled person stays in the history and gets nothing."""
    do(database, create_team, name="dach")
    with database.transaction() as uow:
        bo = add_person(uow, SYSTEM, name="Bo", email="bo@example.com", roles=["reviewer"])
    for one in (admin, bo):
        do(database, put_member, "dach", one.id, Terms())
    do(database, disable_person, bo.id)
    assert weights(database) == {"Ada Admin": 1.0}
    with pytest.raises(ConflictError):
        do(database, put_member, "dach", bo.id, Terms())
    with database.reading() as reader:
        assert colleagues_of(reader, [bo.id], database.clock.now())[bo.id].departed
        assert [one.name for one in teams_of(reader, bo.id, database.clock.now())] == ["dach"]


def test_reasons_of_absences_stay_out_of_the_record(database: Database, admin: Person) -> None:
    """What was planned and taken back is recorded, why is not."""
    now = database.clock.now()
    absence = do(database, add_absence, admin.id, now, now + timedelta(days=2), reason="surgery")
    with database.reading() as reader:
        assert absences_of(reader, [admin.id], now)[0].reason == "surgery"
        assert not [row for row in reader.execute(select(payload.c.body)) if row.body and "surgery" in str(row.body)]
    do(database, withdraw_absence, absence.id)
    with database.reading() as reader:
        assert absences_of(reader, [admin.id], now) == []
    with pytest.raises(NotFoundError):
        do(database, withdraw_absence, absence.id)


def test_the_newest_word_on_hours_counts(database: Database, admin: Person) -> None:
    """Set, changed, cleared."""
    for week in ("Mon 09:00-10:00", "Tue 09:00-10:00"):
        do(database, set_hours, admin.id, WorkingHours("UTC", parse_week(week)))
    with database.reading() as reader:
        hours = colleagues_of(reader, [admin.id], database.clock.now())[admin.id].hours
    assert hours is not None
    assert hours.words() == "Tue 09:00-10:00 (UTC)"
    do(database, set_hours, admin.id, None)
    with database.reading() as reader:
        assert colleagues_of(reader, [admin.id], database.clock.now())[admin.id].hours is None


def test_teams_do_not_fall_back_in_a_ring(database: Database) -> None:
    """Not on themselves, not on each other, not on one that is not there; nor through more than three others."""
    for name in ("a", "b", "c", "d", "e"):
        do(database, create_team, name=name)
    for name, fallback in (("b", "a"), ("c", "b"), ("d", "c")):
        do(database, change_team, name, rules=TeamRules(fallback=fallback))
    for name, fallback in (("a", "a"), ("a", "d"), ("a", "zz"), ("e", "d")):
        with pytest.raises(InputError):
            do(database, change_team, name, rules=TeamRules(fallback=fallback))
    with database.reading() as reader:
        assert set(rosters(reader, ["d"], database.clock.now())) == {"a", "b", "c", "d"}


def test_a_closed_team_gets_nothing(database: Database, admin: Person) -> None:
    """It is still there to be looked at."""
    do(database, create_team, name="dach")
    do(database, close_team, "dach")
    with database.reading() as reader:
        assert rosters(reader, ["dach"], database.clock.now()) == {}
        assert get_team(reader, "dach").closed_at is not None
    with pytest.raises(ConflictError):
        do(database, put_member, "dach", admin.id, Terms())


@pytest.mark.parametrize(
    "terms",
    [Terms(weight=-1), Terms(weight=float("nan")), Terms(weight=1e9), Terms(weight=1e-9), Terms(open_capacity=-1),
     Terms(daily_capacity=10**9), Terms(skills=frozenset({"Sales & Co"})),
     Terms(skills=frozenset(map(str, range(60))))],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused(sqlite_database: Database, sqlite_admin: Person, terms: Terms) -> None:
    """With the field that is wrong; nothing is stored."""
    do(sqlite_database, create_team, name="dach")
    with pytest.raises(InputError) as refused:
        do(sqlite_database, put_member, "dach", sqlite_admin.id, terms)
    assert refused.value.fields["field"] in {"weight", "open_capacity", "daily_capacity", "skills"}
    assert weights(sqlite_database) == {}


@pytest.mark.parametrize(
    ("name", "rules"),
    [("Not A Name", {}), ("", {}), ("x" * 65, {}), ("a", {"open_days": 0}), ("a", {"owner_hours": -1.0}),
     ("a", {"owner_hours": float("inf")}), ("a", {"fallback": "nowhere"})],
)  # fmt: skip
def test_teams_that_cannot_be_are_refused(sqlite_database: Database, name: str, rules: dict[str, Any]) -> None:
    """Names that playbooks could not write, bounds, unknown fallbacks."""
    with pytest.raises(InputError):
        do(sqlite_database, create_team, name=name, rules=TeamRules(**rules))


def test_spans_that_cannot_be_are_refused(sqlite_database: Database, sqlite_admin: Person) -> None:
    """Ends before beginnings, endless absences, too many, reasons too long."""
    database, now, day = sqlite_database, sqlite_database.clock.now(), timedelta(days=1)
    do(database, create_team, name="dach", rules=TeamRules(off_hours=OffHours.WAIT))
    for end, reason in (
        (now, ""),
        (now - day, ""),
        (now + 9_999 * day, ""),
        (now + day, "x" * 900),
    ):
        with pytest.raises(FairleadError):
            do(database, add_absence, sqlite_admin.id, now, end, reason=reason)
    with pytest.raises(InputError):
        do(database, put_member, "dach", sqlite_admin.id, Terms(), until_at=now - day)
    with pytest.raises(NotFoundError):
        do(database, add_absence, "person_none", now, now + day)


def test_managers_manage_teams_and_reviewers_do_not() -> None:
    """The permission is a manager's and an admin's."""
    held = {
        role: Permission.TEAMS_MANAGE in permissions_of([role])
        for role in ("admin", "manager", "reviewer", "compliance")
    }
    assert held == {"admin": True, "manager": True, "reviewer": False, "compliance": False}
