"""Leads handed over by people, the step in a playbook, and past leads given out again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from fairlead.customers import CustomerDraft, profile, resolve_many
from fairlead.errors import ConflictError, InputError, NotFoundError, SourceError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.people import Terms, add_absence, disable_person, get_team
from fairlead.playbooks import (
    CaseDraft,
    DeviationKind,
    Engine,
    EngineSettings,
    EventSource,
    Span,
    TimerSource,
    deploy,
    find_deviations,
    open_cases,
    read_case,
    read_workspace,
)
from fairlead.sales.routing import (
    Handed,
    assigned_by_hand,
    assignment_of,
    dry_run,
    hand_over,
    mark_worked,
    misroutes,
    parse_change,
    tables as t,
    team_views,
    unassigned,
)
from fairlead.testing.seed import EXAMPLE, run_ready, seeded_library
from tests.sales.routing_world import Office

BOSS = Actor(ActorKind.USER, "person_boss")
POLICY, FLOW = "policies/lead-assignment.yaml", "playbooks/lead-qualification.yaml"


def short_flow() -> str:
    """The example's playbook from the step on: what comes before it has its own tests."""
    text = read_workspace(EXAMPLE)[FLOW]
    facts = text[text.index("facts:") : text.index("# Whatever stage")]
    stages = text[text.index("  give-out:") : text.index("  nurture:")]
    head = "playbook: lead-qualification\ndescription: From the team on.\nsubject: lead\n"
    return f"{head}{facts}\nstart: give-out\nstages:\n{stages}\n  assigned: {{end: assigned}}\n"


def short_workspace() -> dict[str, str]:
    """The short playbook with nothing beside it."""
    files = read_workspace(EXAMPLE)
    return {"fairlead.toml": files["fairlead.toml"], POLICY: files[POLICY], FLOW: short_flow()}


class Company(Office):
    """An office with the example's playbook, in which nothing needs a person."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.library = seeded_library()
        files = short_workspace()
        with self.database.transaction() as uow:
            self.bundle, _ = deploy(uow, self.library, SYSTEM, files)
        self.engine = Engine(self.database, self.library, EngineSettings(seed=bytes(32)))

    def lead(self, name: str, **facts: Any) -> str:
        """A case of a new customer, moved as far as it goes."""
        with self.database.transaction() as uow:
            draft = CustomerDraft(name, identities=(("external_id", name),))
            customer = resolve_many(uow, [draft])[0].id
            found = {"name": name, "team": "dach", **facts}
            draft_case = CaseDraft("lead-qualification", "lead", f"lead_{name}", found, customer)
            case_id = open_cases(uow, [draft_case], self.bundle)[0]
        run_ready(self.engine)
        return case_id

    def case(self, case_id: str) -> Any:
        """As it stands."""
        with self.database.reading() as reader:
            return read_case(reader, case_id)

    def assignment(self, case_id: str) -> dict[str, Any]:
        """Who has it."""
        with self.database.reading() as reader:
            found = assignment_of(reader, case_id)
        assert found is not None
        return found

    def hand(self, lead: str, name: str, **more: Any) -> str:
        """Hand a lead over; who has it then."""
        person_id = self.person(name)
        with self.database.transaction() as uow:
            return hand_over(uow, BOSS, lead, person_id, **more).name

    def tick(self) -> None:
        """Deliver events and timers, then run."""
        EventSource(self.engine).run("")
        TimerSource(self.engine).run("")
        run_ready(self.engine)


@pytest.fixture
def company(sqlite_url: str) -> Iterator[Company]:
    """A company on SQLite."""
    made = Company(sqlite_url)
    yield made
    made.close()


@pytest.fixture
def each_company(database_url: str) -> Iterator[Company]:
    """A company on each database."""
    made = Company(database_url)
    yield made
    made.close()


def test_the_step_gives_the_lead_away_and_hands_over_with_its_owner(each_company: Company) -> None:
    """Facts, customer, assignment and the queued hand-over agree, in one transaction with the case's move."""
    company = each_company
    company.team("dach", {"Ada": Terms(), "Bo": Terms(skills=frozenset({"french"}))})
    case = company.case(company.lead("one", language="fr", employees=900))
    assert (case.stage, case.facts["owner_name"], case.facts["assignment_state"]) == ("hand-over", "Bo", "assigned")
    assert case.facts["owner"] == company.person("Bo")
    found = company.assignment(case.id)
    assert (found["id"], found["name"], found["required"]) == (case.facts["assignment"], "Bo", ["french"])
    with company.database.reading() as reader:
        assert profile(reader, case.customer_id, company.clock.now()).facts["owner"] == company.person("Bo")


def test_without_teams_leads_go_on_without_an_owner(company: Company) -> None:
    """A company that set no team up loses nothing; the case says what is missing."""
    case = company.case(company.lead("one"))
    assert (case.stage, case.facts["owner"], case.facts["assignment_state"]) == ("hand-over", "", "queued")
    assert case.facts["assignment_reason"] == "Nobody of dach has it: no team is called dach."
    odd = company.case(company.lead("two", team=7))
    assert (odd.state, odd.problem["code"]) == ("exception", "no_team")


def test_a_held_lead_is_tried_again_and_goes_on_when_somebody_is_there(company: Company) -> None:
    """Half an hour later it is tried again; it is listed meanwhile, and no longer when it was taken."""
    company.team("dach", {"Ada": Terms(open_capacity=0)})
    case_id = company.lead("one")
    assert company.case(case_id).stage == "until-somebody"
    with company.database.reading() as reader:
        assert [row.case_id for row in unassigned(reader)] == [case_id]
    company.put("dach", "Ada", Terms(open_capacity=1))
    company.later(minutes=31)
    company.tick()
    assert (company.case(case_id).stage, company.assignment(case_id)["name"]) == ("hand-over", "Ada")
    with company.database.reading() as reader:
        assert not unassigned(reader)


def test_a_held_lead_that_a_person_gives_away_goes_on_at_once(each_company: Company) -> None:
    """The case hears of it and keeps whom the person chose, past any capacity."""
    company = each_company
    company.team("dach", {"Ada": Terms(open_capacity=0)})
    case_id = company.lead("one")
    assert company.hand("lead_one", "Ada", reason="she knows them") == "Ada"
    company.tick()
    case, found = company.case(case_id), company.assignment(case_id)
    assert (case.stage, case.facts["owner_name"]) == ("hand-over", "Ada")
    assert (found["way"], found["made_by"], found["team"]) == ("person", "user:person_boss", "dach")
    assert found["words"] == ["Handed to Ada (dach) by a person: other. “she knows them”"]


def test_handing_over_gives_back_load_and_after_a_misroute_the_share(company: Company) -> None:
    """Who had it has a free place again; only routing that was wrong is made good by an earlier turn."""
    company.team("dach", {"Ada": Terms(open_capacity=1), "Bo": Terms(open_capacity=9)})
    company.team("nordics", {"Cy": Terms()})
    first = company.lead("one")
    assert company.assignment(first)["name"] == "Ada"
    company.hand("lead_one", "Cy", kind=Handed.WRONG_TEAM)
    found = company.assignment(first)
    assert (found["name"], found["team"]) == ("Cy", "nordics")
    assert found["before"][0]["replaced_why"] == "wrong_team"
    assert company.assignment(company.lead("two"))["name"] == "Ada", "her turn, as if the first had never come"
    third = company.lead("three")
    company.hand(third, "Cy", kind=Handed.LOAD)
    with company.database.reading() as reader:
        counts = misroutes(reader, company.clock.now() - timedelta(days=1))
        [view] = team_views(reader, [get_team(reader, "dach")], company.clock.now())
    assert counts["dach"] == {"routed": 3, "misrouted": 1, "by_hand": 0}
    assert counts["nordics"]["by_hand"] == 2
    loads = {seat.member.colleague.name: (seat.load.opened, seat.load.taken) for seat in view.seats}
    assert loads == {"Ada": (1, 1), "Bo": (0, 1)}


def test_a_worked_lead_frees_a_place_once(company: Company) -> None:
    """Capacity counts unfinished work; saying it twice changes nothing."""
    company.team("dach", {"Ada": Terms(open_capacity=1)})
    company.lead("one")
    for changed in (True, False):
        with company.database.transaction() as uow:
            assert mark_worked(uow, BOSS, "lead_one") is changed
    assert company.assignment(company.lead("two"))["name"] == "Ada"


def test_hand_overs_that_cannot_be_are_refused(company: Company) -> None:
    """To who has it, to who left, to nobody, of nothing; nothing is written then."""
    company.team("dach", {"Ada": Terms(), "Bo": Terms()})
    case_id = company.lead("one")
    with company.database.transaction() as uow:
        disable_person(uow, SYSTEM, company.person("Bo"))
    with company.database.reading() as reader:
        before = len(list(reader.execute(select(t.assignment.c.id))))
    for lead, person, error in (
        ("lead_one", company.person("Ada"), ConflictError),
        (case_id, company.person("Bo"), ConflictError),
        ("lead_one", "person_none", NotFoundError),
        ("lead_none", company.person("Ada"), NotFoundError),
    ):
        with pytest.raises(error), company.database.transaction() as uow:
            hand_over(uow, BOSS, lead, person)
    with pytest.raises(InputError), company.database.transaction() as uow:
        hand_over(uow, BOSS, "lead_one", company.person("Ada"), reason="x" * 5_000)
    with company.database.reading() as reader:
        assert len(list(reader.execute(select(t.assignment.c.id)))) == before


@pytest.mark.parametrize(
    "wrong",
    ["skills: [{skill: Französisch, when: employees > 5}]", "skills: [{skill: a, when: employes > 5}]",
     "skills: [{skill: a, when: employees > 5, need: perhaps}]", "team: [a]", "sets_owner: true"],
)  # fmt: skip
def test_a_wrong_configuration_is_refused_at_its_place(company: Company, wrong: str) -> None:
    """`fairlead check` names file, line and column."""
    files = short_workspace()
    head, _, tail = files[FLOW].partition("    step: assign-owner@1\n")
    rest = tail[tail.index("    next: given-out") :]
    files = {**files, FLOW: f"{head}    step: assign-owner@1\n    with:\n      {wrong}\n{rest}"}
    with pytest.raises(SourceError) as refused, company.database.transaction() as uow:
        deploy(uow, company.library, SYSTEM, files)
    assert refused.value.place.file == FLOW


def replay(company: Company, *changes: str) -> dict[str, Any]:
    """A dry run over a month, which leaves no trace."""
    with company.database.reading() as reader:
        before = list(reader.execute(select(t.assignment)))
        now = company.clock.now()
        report = dry_run(reader, now, now - timedelta(days=30), [parse_change(one) for one in changes])
        assert list(reader.execute(select(t.assignment))) == before
    return report


def people(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Then and now by name."""
    return {row["name"]: (row["then"], row["now"]) for row in report["people"]}


def test_a_dry_run_with_nothing_changed_gives_the_same(company: Company) -> None:
    """The same teams, leads and times make the same assignments."""
    company.team("dach", {"Ada": Terms(weight=2), "Bo": Terms(open_capacity=2)})
    for number in range(9):
        company.lead(f"n{number}")
        company.later(hours=3)
    report = replay(company)
    assert (report["leads"], report["moved"]) == (9, 0)
    assert people(report) == {"Ada": (7, 7), "Bo": (2, 2)}
    assert report["passed_over"][0]["why"] == "at_capacity"


def test_a_dry_run_says_what_a_change_would_do(company: Company) -> None:
    """Weights, capacities and who is out; and what nobody could take."""
    company.team("dach", {"Ada": Terms(), "Bo": Terms()})
    for number in range(6):
        company.lead(f"n{number}")
    assert people(replay(company, "weight:Ada=2")) == {"Ada": (3, 4), "Bo": (3, 2)}
    assert people(replay(company, "out:dach/Bo=yes")) == {"Ada": (3, 6), "Bo": (3, 0)}
    report = replay(company, "capacity:ada@example.com=1", "capacity:Bo=2", "nobody:dach=queue")
    assert people(report) == {"Ada": (3, 1), "Bo": (3, 2), "nobody": (0, 3)}
    assert report["nobody"]["leads"] == 3
    assert report["nobody"]["reasons"] == {"nobody can take it now, 2 at capacity": 3}


def test_a_dry_run_says_what_the_step_does_where_everybody_is_away(company: Company) -> None:
    """Leads of an absent person are with nobody, not with somebody else, and wait or queue as the team's rules say."""
    company.team("dach", {"Ada": Terms()})
    with company.database.transaction() as uow:
        now = uow.now
    for number in range(3):
        company.lead(f"n{number}")
    company.later(hours=2)
    with company.database.transaction() as uow:
        add_absence(uow, SYSTEM, company.person("Ada"), now, now + timedelta(days=9))
    report = replay(company)
    assert (report["moved"], report["waited"]) == (0, 3)
    assert people(report) == {"Ada": (3, 0), "nobody": (0, 3)}
    assert report["teams"] == [{"team": "dach", "then": 3, "now": 3, "nobody": 3, "set_up": True}]
    nobody = report["nobody"]
    assert (nobody["leads"], nobody["lost"], nobody["still_wait"]) == (3, 3, 3)
    assert (nobody["waiting"], nobody["queued"]) == ({"nobody can take it now, 1 absent": 3}, {})
    case = company.lead("again")
    with company.database.reading() as reader:
        assert read_case(reader, case).stage == "until-somebody", "the step itself makes it wait as well"

    queued = replay(company, "nobody:dach=queue")
    assert (queued["waited"], queued["nobody"]["still_wait"]) == (0, 0)
    assert queued["nobody"]["queued"] == {"nobody can take it now, 1 absent": 4}


@pytest.mark.parametrize(
    "change",
    ["weight", "weight:Ada", "weight:Ada=much", "weight:Ada=-1", "capacity:Ada=1.5", "height:Ada=2", "weight:Zoe=1",
     "off_hours:dach=never", "off_hours:nowhere=wait", "weight:nordics/Ada=1", ":=", "out:Ada=perhaps"],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused(company: Company, change: str) -> None:
    """With an example or the names that there are."""
    company.team("dach", {"Ada": Terms()})
    company.lead("one")
    with pytest.raises(InputError):
        replay(company, change)


def test_a_lead_given_by_hand_is_a_deviation(company: Company) -> None:
    """The playbook's list names who did it, when, why and to whom; routing's own assignments are none."""
    company.team("dach", {"Ada": Terms(), "Bo": Terms()})
    case_id = company.lead("one")
    other = "Bo" if company.assignment(case_id)["name"] == "Ada" else "Ada"
    company.hand("lead_one", other, reason="knows the customer")
    now = company.clock.now()
    playbook = company.bundle.playbooks["lead-qualification"].playbook
    span = Span(now - timedelta(days=1), now + timedelta(days=1))
    with company.database.reading() as reader:
        [one] = find_deviations(reader, playbook, span, more=[assigned_by_hand]).items
        assert not list(assigned_by_hand(reader, replace(playbook, name="another"), span))
    assert (one.case_id, one.kind, one.actor) == (case_id, DeviationKind.ASSIGNED_BY_HAND, str(BOSS))
    assert (one.reason, one.detail) == ("knows the customer", f"to {other}, dach")
