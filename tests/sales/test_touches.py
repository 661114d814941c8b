"""Contacts with leads: what may be logged, what comes of it, and the report over them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from fairlead.audit.service import history
from fairlead.customers import timeline_of
from fairlead.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from fairlead.kit import events
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.people import Terms, WorkingHours, parse_week, set_hours
from fairlead.playbooks import CaseDraft, arrivals_since, open_cases
from fairlead.sales.nurture import (
    FirstTouch,
    Touch,
    TouchKind,
    first_touch,
    forget_touches,
    log_touch,
    remove_touch,
    touches_of,
    visible_people,
)
from fairlead.sales.routing import assignment_of
from tests.sales.test_routing_by_hand import BOSS, Company

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROGRAM = Actor(ActorKind.API_KEY, "key_phone")


class Sales(Company):
    """A company in which leads are called."""

    def touch(self, lead: str, actor: Actor = BOSS, **more: Any) -> Touch:
        """Log a call, unless another kind is given."""
        with self.database.transaction() as uow:
            return log_touch(uow, actor, lead, **{"kind": TouchKind.CALL, **more})

    def take_back(self, touch: Touch, actor: Actor = BOSS, **more: Any) -> None:
        """As logged by mistake."""
        with self.database.transaction() as uow:
            remove_touch(uow, actor, touch.lead, touch.id, **more)

    def touches(self, lead: str) -> list[Touch]:
        """As they are stored."""
        with self.database.reading() as reader:
            return touches_of(reader, lead)

    def report(self, since: timedelta = 30 * DAY) -> FirstTouch:
        """As of now."""
        now = self.clock.now()
        with self.database.reading() as reader:
            return first_touch(reader, now, now - since)

    def verbs(self, subject: str) -> list[str]:
        """What the record says about it."""
        with self.database.reading() as reader:
            return [one.verb for one in history(reader, [subject], 100)]

    def pass_time(self, step: timedelta) -> None:
        """Nothing happens for so long."""
        self.clock.advance(step)  # type: ignore[attr-defined]


@pytest.fixture
def sales(sqlite_url: str) -> Iterator[Sales]:
    """On SQLite."""
    made = Sales(sqlite_url)
    made.team("dach", {"Ada": Terms()})
    yield made
    made.close()


@pytest.fixture
def each_sales(database_url: str) -> Iterator[Sales]:
    """On each database."""
    made = Sales(database_url)
    made.team("dach", {"Ada": Terms()})
    yield made
    made.close()


def test_a_contact_is_kept_told_and_makes_the_lead_worked(each_sales: Sales) -> None:
    """Row, record, timeline, event and assignment agree; by the lead's id or its case's."""
    sales = each_sales
    case = sales.case(sales.lead("one"))
    sales.pass_time(HOUR)
    person = sales.person("Ada")
    made = sales.touch("lead_one", note=" asked for a quote ", at=sales.clock.now() - HOUR / 2, person_id=person)
    assert (made.note, made.person_id, made.case_id) == ("asked for a quote", person, case.id)
    assert sales.touches(case.id) == sales.touches("lead_one") == [made]
    assert {"lead.touched", "lead.worked"} <= set(sales.verbs(case.id))
    assert sales.assignment(case.id)["worked_at"] == sales.clock.now()
    with sales.database.reading() as reader:
        [told] = [one for one in timeline_of(reader, case.customer_id) if one.kind == "touch"]
        event = events.since(reader, "touched", case.customer_id, case.created_at)
    assert (told.words, told.subject) == ("Call", case.id)
    assert event is not None
    assert (event.at, event.payload["kind"]) == (made.at, "call")


def test_a_contact_is_taken_back_within_a_day(each_sales: Sales) -> None:
    """By who logged it or a manager; then it counts for nothing, and the record keeps both."""
    sales = each_sales
    case_id = sales.lead("one")
    made = sales.touch(case_id, PROGRAM)
    assert made.person_id is None
    with pytest.raises(ForbiddenError) as caught:
        sales.take_back(made)
    assert caught.value.reason == "not_yours"
    sales.take_back(made, others=True)
    assert sales.touches(case_id) == []
    assert sales.report().speed.touched == 0
    assert "lead.touch_removed" in sales.verbs(case_id)
    with pytest.raises(NotFoundError):
        sales.take_back(made, PROGRAM)
    with sales.database.reading() as reader:
        customer = sales.case(case_id).customer_id
        assert events.since(reader, "touched", customer, made.at) is None
    old = sales.touch(case_id)
    sales.pass_time(DAY + timedelta(seconds=1))
    with pytest.raises(ConflictError) as late:
        sales.take_back(old, others=True)
    assert late.value.reason == "touch_too_old"


def test_what_cannot_be_is_refused(sales: Sales) -> None:
    """Nothing to come, nothing before the lead came, no novel for a note, nobody unknown; nothing is stored."""
    case_id = sales.lead("one")
    came = sales.case(case_id).created_at
    sales.pass_time(HOUR)
    second = timedelta(seconds=1)
    for wrong, error, code in (
        ({"at": sales.clock.now() + second}, InputError, "touch_in_future"),
        ({"at": came - second}, InputError, "touch_before_arrival"),
        ({"note": "x" * 2_001}, InputError, "input"),
        ({"note": "nul \0"}, InputError, "input"),
        ({"person_id": "per_nobody"}, NotFoundError, "not_found"),
    ):
        with pytest.raises(error) as caught:
            sales.touch(case_id, **wrong)
        assert caught.value.reason == code
    assert sales.touches(case_id) == []
    assert sales.touch(case_id, at=came, note="x" * 2_000).at == came


@pytest.mark.parametrize(
    "name", ["", "lead_none", "case_none", "case_" + "0" * 24, "x" * 9_999, "\0", "' OR 1=1 --", "☃"]
)
def test_an_unknown_lead_is_not_found(each_sales: Sales, name: str) -> None:
    """Whatever stands in the address."""
    with pytest.raises(NotFoundError):
        each_sales.touch(name)


def test_a_case_about_something_else_and_a_lead_with_too_many(sales: Sales) -> None:
    """Contacts are with leads, and there are at most two hundred with one."""
    with sales.database.transaction() as uow:
        [other] = open_cases(uow, [CaseDraft("lead-qualification", "deal", "deal_1", {})], sales.bundle)
    with pytest.raises(InputError) as caught:
        sales.touch(other)
    assert caught.value.reason == "no_lead"
    case_id = sales.lead("one")
    for _ in range(200):
        sales.touch(case_id)
    with pytest.raises(ConflictError) as full:
        sales.touch(case_id)
    assert full.value.reason == "too_many_touches"


def test_a_playbook_waits_for_a_contact(sales: Sales) -> None:
    """The event's type is `touched`; a contact before the wait's last act is not taken for an answer."""
    case_id = sales.lead("one")
    customer = sales.case(case_id).customer_id
    sales.pass_time(HOUR)
    sales.touch(case_id, at=sales.clock.now() - HOUR / 2)
    with sales.database.reading() as reader:
        assert events.since(reader, "touched", customer, sales.clock.now() - HOUR / 4) is None
        assert events.since(reader, "touched", customer, sales.clock.now() - HOUR) is not None


def test_an_erased_customers_notes_are_blank(each_sales: Sales) -> None:
    """That somebody was in touch stays, what was said does not."""
    case_id = each_sales.lead("one")
    each_sales.touch(case_id, note="has a bad back")
    with each_sales.database.transaction() as uow:
        assert forget_touches(uow, each_sales.case(case_id).customer_id) == 1
        uow.record_many([])
        from_here = [one.note for one in touches_of(uow, case_id)]
        uow.record(AuditEntry("test.erased", case_id))
    assert from_here == [""]


def test_the_report_counts_who_waits(each_sales: Sales) -> None:
    """Eight leads an hour apart, six called after ten minutes: figures by team and person, and who waits longest."""
    sales = each_sales
    with sales.database.transaction() as uow:
        set_hours(uow, BOSS, sales.person("Ada"), WorkingHours("UTC", parse_week("Mon-Fri 09:00-10:05")))
    cases = []
    for number in range(8):
        cases.append(sales.lead(f"n{number}"))
        sales.pass_time(timedelta(minutes=10))
        if number not in {1, 3}:
            sales.touch(cases[-1])
        sales.pass_time(timedelta(minutes=50))
    report = sales.report()
    assert (report.speed.n, report.speed.touched, report.speed.waiting) == (8, 6, 2)
    assert report.speed.median.value == 600.0
    assert [share.figure.value for share in report.speed.shares][:2] == [0.0, 6 / 8]
    [team] = report.teams
    [person] = report.people
    assert (team.id, team.n, person.name, person.n) == ("dach", 8, "Ada", 8)
    assert person.working is not None
    assert person.working.median.value == 0.0  # all but the first came after hours
    assert [one.case_id for one in report.longest] == [cases[1], cases[3]]
    assert visible_people(report, "per_else", manages=False) == ()
    assert visible_people(report, sales.person("Ada"), manages=False) == visible_people(report, None, manages=True)
    assert sales.report(2 * HOUR).speed.n == 2


def test_few_leads_have_no_figures_of_their_own(sales: Sales) -> None:
    """Four leads of a person are counted and not judged; nor is a time that cannot be asked for."""
    for number in range(4):
        sales.lead(f"n{number}")
    sales.pass_time(HOUR)
    report = sales.report()
    assert [(one.n, one.speed, one.working) for one in (*report.people, *report.teams)] == [(4, None, None)] * 2
    for wrong in (-HOUR, 367 * DAY):
        with pytest.raises(InputError):
            sales.report(wrong)


def test_leads_that_nobody_is_to_call_do_not_wait(sales: Sales) -> None:
    """A case that ended with nobody is closed, not waiting; one without a team that runs waits."""
    sales.lead("held", team="nowhere")
    sales.pass_time(HOUR)
    with sales.database.reading() as reader:
        [came] = arrivals_since(reader, "lead", sales.clock.now() - 2 * HOUR, 10)
        assert assignment_of(reader, came.case_id) is not None
    assert sales.report().speed.waiting == 1


@pytest.mark.parametrize("since", [0, 1, 2, 3, 4])
def test_arrivals_are_found_by_when_they_came(each_sales: Sales, since: int) -> None:
    """The newest first, none from before, at most so many."""
    for number in range(4):
        each_sales.lead(f"n{number}")
        each_sales.pass_time(2 * DAY)
    now = each_sales.clock.now()
    with each_sales.database.reading() as reader:
        found = arrivals_since(reader, "lead", now - since * 2 * DAY, 3)
    assert [one.subject_id for one in found] == [f"lead_n{number}" for number in range(3, 3 - min(since, 3), -1)]
