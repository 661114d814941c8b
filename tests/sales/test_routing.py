"""Who gets a lead and why the others did not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from fairlead.audit.tables import entry
from fairlead.customers import CustomerDraft, profile, resolve_many, set_owner, timeline_of
from fairlead.kit.actors import SYSTEM
from fairlead.people import (
    Nobody,
    OffHours,
    Terms,
    WorkingHours,
    add_absence,
    disable_person,
    enable_person,
    parse_week,
    remove_member,
    set_hours,
    withdraw_absence,
)
from fairlead.sales.routing import passed_sentences, sentences
from fairlead.sales.routing.model import Ask
from tests.sales.routing_world import Office, asks

EVEN = {"Ada": Terms(), "Bo": Terms(), "Cy": Terms()}
FRENCH = Terms(skills=frozenset({"french"}))


@pytest.fixture
def office(sqlite_url: str) -> Iterator[Office]:
    """An office on SQLite, for what no database changes."""
    made = Office(sqlite_url)
    yield made
    made.close()


@pytest.fixture
def each_office(database_url: str) -> Iterator[Office]:
    """An office on each database."""
    made = Office(database_url)
    yield made
    made.close()


def away(office: Office, name: str, *, days: float = 14) -> str:
    """Somebody is absent from now on; the absence's id."""
    person_id = office.person(name)
    with office.database.transaction() as uow:
        return add_absence(uow, SYSTEM, person_id, uow.now, uow.now + timedelta(days=days), reason="surgery").id


def hours(office: Office, name: str, week: str, zone: str = "Europe/Berlin") -> None:
    """When somebody works."""
    person_id = office.person(name)
    with office.database.transaction() as uow:
        set_hours(uow, SYSTEM, person_id, WorkingHours(zone, parse_week(week)))


def customer(office: Office, company: str = "", owner: str = "") -> str:
    """A customer of a company, looked after by somebody."""
    with office.database.transaction() as uow:
        found = resolve_many(uow, [CustomerDraft(company=company)])[0].id
        set_owner(uow, SYSTEM, found, office.person(owner) if owner and owner in office.people else owner or None)
    return found


def test_leads_go_round_by_weight(office: Office) -> None:
    """Twice the weight is twice the leads, spread out and not in a row."""
    office.team("dach", {"Ada": Terms(weight=2), "Bo": Terms(), "Cy": Terms(weight=0)})
    given = office.names(office.give(asks(6)))
    assert given.count("Ada") == 4
    assert "Cy" not in given
    assert given[:3].count("Bo") == given[3:].count("Bo") == 1


def test_absent_people_are_passed_over_and_owed_nothing(office: Office) -> None:
    """After two weeks away there is no catch-up; the reason of an absence stands nowhere in an explanation."""
    office.team("dach", EVEN)
    absence = away(office, "Cy")
    given = office.give(asks(20))
    assert office.totals() == {"Ada": 10, "Bo": 10}
    assert office.bars(given[0])["Cy"] == "absent"
    assert "surgery" not in str(office.explained(given[0]))
    with office.database.transaction() as uow:
        withdraw_absence(uow, SYSTEM, absence)
    office.give(asks(9, start=20))
    assert office.totals() == {"Ada": 13, "Bo": 13, "Cy": 3}


def test_nobody_who_left_gets_a_lead(office: Office) -> None:
    """Disabled people are out at once, also as owners; coming back they begin anew."""
    office.team("dach", EVEN)
    mine = customer(office, owner="Ada")
    office.give(asks(4))
    with office.database.transaction() as uow:
        disable_person(uow, SYSTEM, office.person("Ada"))
    (given,) = office.give([Ask("case_x", "lead_x", mine, "dach")])
    assert given.name != "Ada"
    assert office.bars(given)["Ada"] == "departed"
    with office.database.reading() as reader:
        assert profile(reader, mine, office.clock.now()).facts["owner"] == given.person_id
    with office.database.transaction() as uow:
        enable_person(uow, SYSTEM, office.person("Ada"))
    assert office.names(office.give(asks(12, start=10))).count("Ada") == 4


def test_changing_the_list_of_owners_resets_nobody(each_office: Office) -> None:
    """Somebody joins, somebody leaves, a weight changes: the others' turns go on as before."""
    office = each_office
    office.team("dach", EVEN)
    assert office.names(office.give(asks(4))) == ["Ada", "Bo", "Cy", "Ada"]
    office.put("dach", "Di", Terms())
    with office.database.transaction() as uow:
        remove_member(uow, SYSTEM, "dach", office.person("Cy"))
    office.put("dach", "Bo", Terms(weight=1.0, open_capacity=50))
    following = office.names(office.give(asks(6, start=4)))
    assert "Ada" not in following[:2]
    assert {name: following.count(name) for name in ("Ada", "Bo", "Di")} == {"Ada": 2, "Bo": 2, "Di": 2}


def test_capacity_is_never_passed_and_given_back_with_the_work(each_office: Office) -> None:
    """Open leads count until their days are over; a daily limit counts by the person's own day."""
    office = each_office
    office.team("dach", {"Ada": Terms(open_capacity=3), "Bo": Terms(daily_capacity=2)}, open_days=2)
    given = office.give(asks(8))
    assert office.totals() == {"Ada": 3, "Bo": 2, "": 3}
    assert office.bars(given[-1]) == {"Ada": "at_capacity", "Bo": "daily_capacity"}
    assert given[-1].hold
    office.later(hours=20)  # tomorrow: Bo again, Ada's leads are still open
    assert office.names(office.give(asks(3, start=8))) == ["Bo", "Bo", ""]
    office.later(days=2)
    assert "Ada" in office.names(office.give(asks(2, start=20)))


def test_skills_are_required_or_preferred(office: Office) -> None:
    """Without a required skill nobody gets it; a preferred one decides only among those who can."""
    office.team("dach", {"Ada": Terms(), "Bo": FRENCH, "Cy": FRENCH})
    required = {"required": frozenset({"french"})}
    given = office.give(asks(4, **required))
    assert sorted(office.names(given)) == ["Bo", "Bo", "Cy", "Cy"]
    assert office.bars(given[0])["Ada"] == "lacks_skill"
    (preferred,) = office.give(asks(1, start=10, preferred=frozenset({"french"})))
    assert office.bars(preferred)["Ada"] == "fits_less"
    for one in ("Bo", "Cy"):
        away(office, one)
    assert office.names(office.give(asks(1, start=11, preferred=frozenset({"french"})))) == ["Ada"]
    (nobody,) = office.give(asks(1, start=12, **required))
    assert nobody.person_id is None
    assert sentences(office.explained(nobody))[0] == (
        "Nobody of dach has it: nobody can take it now, 2 absent, 1 without the skill."
    )


def test_the_owner_comes_first_if_they_are_back_soon(office: Office) -> None:
    """A night is no absence for an owner; a holiday longer than the team allows is."""
    office.team("dach", EVEN, owner_hours=8)
    hours(office, "Cy", "Mon-Fri 15:00-23:00")
    mine = customer(office, "Acme", owner="Cy")
    ask = Ask("case_1", "lead_1", mine, "dach")
    (given,) = office.give([ask])
    assert given.name == "Cy"
    assert office.explained(given)["why"] == "owner"
    absence = away(office, "Cy", days=0.9)
    assert office.names(office.give([Ask("case_2", "lead_2", mine, "dach")])) == ["Cy"]
    with office.database.transaction() as uow:
        withdraw_absence(uow, SYSTEM, absence)
    away(office, "Cy", days=10)
    (third,) = office.give([Ask("case_3", "lead_3", mine, "dach")])
    assert third.name != "Cy"
    assert office.bars(third)["Cy"] == "absent"


def test_the_same_company_keeps_its_owner(each_office: Office) -> None:
    """Another person of the company goes to who looks after it, in the same chunk too; strangers by turn."""
    office = each_office
    office.team("dach", EVEN)
    customer(office, "ACME  gmbh", owner="Bo")
    colleague, first, second = customer(office, "Acme GmbH"), customer(office, "New"), customer(office, "new")
    given = office.give([
        Ask("case_1", "lead_1", colleague, "dach"),
        Ask("case_2", "lead_2", first, "dach"),
        Ask("case_3", "lead_3", second, "dach"),
    ])  # fmt: skip
    assert given[0].name == "Bo"
    assert office.explained(given[0])["why"] == "company_owner"
    assert given[1].name == given[2].name
    with office.database.reading() as reader:
        assert profile(reader, second, office.clock.now()).facts["owner"] == given[1].person_id
        assert "Assigned to Bo (dach)" in timeline_of(reader, colleague)[0].words


def test_an_owner_of_another_team_wins_only_where_the_team_says_so(office: Office) -> None:
    """`owner wins` is a team's own choice; a full owner gets nothing either way."""
    office.team("dach", {"Ada": Terms()})
    office.team("uk", {"Ada": Terms()}, owner_wins=True)
    office.person("Zed")
    mine = customer(office, owner="Zed")
    (given,) = office.give([Ask("case_1", "lead_1", mine, "dach")])
    assert given.name == "Ada"
    assert office.bars(given)["Zed"] == "not_in_team"
    assert office.names(office.give([Ask("case_2", "lead_2", mine, "uk")])) == ["Zed"]
    office.put("dach", "Zed", Terms(open_capacity=0))
    (full,) = office.give([Ask("case_3", "lead_3", mine, "dach")])
    assert office.bars(full)["Zed"] == "at_capacity"


def test_an_owner_that_nobody_here_is_called_is_no_owner(office: Office) -> None:
    """A name that came from another system is left alone."""
    office.team("dach", {"Ada": Terms()})
    mine = customer(office, owner="crm-user-17")
    assert office.names(office.give([Ask("case_1", "lead_1", mine, "dach")])) == ["Ada"]
    with office.database.reading() as reader:
        assert profile(reader, mine, office.clock.now()).facts["owner"] == "crm-user-17"


def test_outside_hours_a_lead_is_for_the_next_shift(office: Office) -> None:
    """At night it goes to those who are in first; who comes half a day later is passed over."""
    office.team("dach", EVEN)
    hours(office, "Ada", "Mon-Fri 07:00-15:00")
    hours(office, "Bo", "Tue-Fri 08:00-16:00")
    hours(office, "Cy", "Thu 08:00-16:00")
    office.later(hours=12)
    given = office.give(asks(4))
    assert sorted(office.names(given)) == ["Ada", "Ada", "Bo", "Bo"]
    assert office.bars(given[0])["Cy"] == "off_hours"
    assert "24 Nov 2026, 06:00 UTC" in sentences(office.explained(given[0]))[0]


def test_outside_hours_a_lead_can_wait_or_go_to_who_is_on_call(office: Office) -> None:
    """Waiting says until when; without anybody on call nobody is passed a lead at night."""
    office.team("wait", {"Ada": Terms()}, off_hours=OffHours.WAIT)
    office.team("call", {"Ada": Terms(), "Bo": Terms(on_call=True)}, off_hours=OffHours.ON_CALL)
    for name in ("Ada", "Bo"):
        hours(office, name, "Mon-Fri 09:00-17:00")
    assert office.names(office.give(asks(2, "call"))) == ["Ada", "Bo"]
    office.later(hours=12)
    (waits,) = office.give(asks(1, "wait", start=10))
    assert (waits.person_id, waits.hold) == (None, True)
    assert office.explained(waits)["again_at"] == "2026-11-24T08:00:00Z"
    calls = office.give(asks(2, "call", start=20))
    assert office.names(calls) == ["Bo", "Bo"]
    assert office.bars(calls[0])["Ada"] == "not_on_call"
    office.later(hours=12)
    assert office.names(office.give(asks(1, "wait", start=10))) == ["Ada"]
    assert office.totals() == {"Ada": 2, "Bo": 3}


def test_a_team_where_nobody_can_falls_back_or_says_so(office: Office) -> None:
    """The other team is asked next; without one the lead is held or queued, with the reason, and counted once."""
    office.team("inside", {"Cy": Terms(open_capacity=1)})
    office.team("dach", {"Ada": Terms()}, fallback="inside", nobody=Nobody.QUEUE)
    away(office, "Ada")
    (taken,) = office.give(asks(1))
    assert (taken.name, taken.team) == ("Cy", "inside")
    assert "dach was asked first: nobody can take it now, 1 absent." in sentences(office.explained(taken))
    (nobody,) = office.give(asks(1, start=1))
    assert (nobody.person_id, nobody.hold) == (None, False)
    again = office.give(asks(1, start=1))
    assert again[0].assignment_id == nobody.assignment_id
    (unknown,) = office.give(asks(1, "atlantis", start=2))
    assert (unknown.words, unknown.hold) == ("Nobody of atlantis has it: no team is called atlantis.", False)


def test_a_case_that_comes_again_keeps_its_person(each_office: Office) -> None:
    """Once given, a lead is not given again, to whatever team member's turn it is."""
    office = each_office
    office.team("dach", EVEN)
    first = office.give(asks(3))
    assert office.give(asks(3)) == first
    assert sum(office.totals().values()) == 3


def test_every_member_is_explained(office: Office) -> None:
    """The territory with the values it read, and one sentence for each who was passed over."""
    office.team("dach", {**EVEN, "Di": Terms(open_capacity=0)})
    territory = {"team": "dach", "condition": 'country == "DE"', "values": {"country": "DE"}}
    (given,) = office.give([Ask("case_1", "lead_1", None, "dach", territory=territory)])
    told = office.explained(given)
    assert sentences(told) == [
        "Assigned to Ada (dach): next in turn among 3 who can take it.",
        'Team dach because country == "DE" (with country = DE).',
    ]
    assert passed_sentences(told) == [
        "Di: at capacity: 0/0 open leads.",
        "Bo: due as much as Ada; the order of the ids decides.",
        "Cy: due as much as Ada; the order of the ids decides.",
    ]
    (second,) = office.give([Ask("case_2", "lead_2", None, "dach", territory={"team": "dach", "condition": ""})])
    assert "Team dach because no territory fits." in sentences(office.explained(second))
    assert passed_sentences(office.explained(second))[1].startswith("Ada: would exceed their share: due -0.33 leads")


def test_each_assignment_is_in_the_record(office: Office) -> None:
    """One entry a lead, about its case."""
    office.team("dach", EVEN)
    office.give(asks(5))
    with office.database.reading() as reader:
        query = select(func.count()).where(entry.c.verb == "lead.assigned", entry.c.subject.like("case_%"))
        assert reader.execute(query).scalar_one() == 5
