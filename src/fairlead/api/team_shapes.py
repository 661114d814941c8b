"""Shapes of teams and assignments as programs send and see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from fairlead.api.shapes import Moment, Reason, Sent, Shown, Text
from fairlead.people import Absence, Nobody, OffHours, Team, TeamRules, Terms, WorkingHours, parse_holidays, parse_week
from fairlead.sales import Handed, Seat, TeamView

TeamName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Skill = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class RulesBody(Sent):
    """How a team shares out its leads; what is left out stays, or has its default in a new team."""

    title: Annotated[str, StringConstraints(max_length=200)] | None = None
    off_hours: OffHours | None = Field(None, description="While nobody is at work: assign, wait or on_call.")
    nobody: Nobody | None = Field(None, description="A lead that nobody can take: hold or queue.")
    fallback: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description='The team to ask next, "" for none.'
    )
    owner_wins: bool | None = Field(None, description="An owner of another team gets the lead, too.")
    owner_hours: Annotated[float, Field(ge=0, le=2_000)] | None = None
    open_days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    closed: bool | None = Field(None, description="No lead goes to a closed team.")

    def rules(self, base: TeamRules) -> TeamRules:
        """`base` with what was given."""
        given = self.model_dump(exclude={"title", "closed", "name"}, exclude_none=True)
        return replace(base, **given)


class NewTeamBody(RulesBody):
    """A team to be made."""

    name: TeamName


class MemberBody(Sent):
    """On which terms somebody is in a team, and from when to when."""

    weight: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] = 1.0
    capacity: Annotated[int, Field(ge=0, le=100_000)] | None = Field(None, description="Most leads open at once.")
    daily: Annotated[int, Field(ge=0, le=100_000)] | None = Field(None, description="Most new leads a local day.")
    skills: Annotated[list[Skill], Field(max_length=50)] = Field(default_factory=list)
    on_call: bool = False
    from_at: Moment | None = Field(None, description="null: now.")
    until_at: Moment | None = Field(None, description="null: for good.")

    def terms(self) -> Terms:
        """As people keep them."""
        return Terms(self.weight, self.capacity, self.daily, frozenset(self.skills), self.on_call)


class AbsenceBody(Sent):
    """A time away."""

    from_at: Moment
    until_at: Moment
    reason: Annotated[str, StringConstraints(max_length=500)] = Field("", description="For those who manage teams.")


class HoursBody(Sent):
    """A person's week; without a week no hours are kept and the person counts as always in."""

    week: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        None, description="Such as Mon-Fri 09:00-17:00, Sat 22:00-06:00."
    )
    zone: Text = "UTC"
    holidays: Annotated[list[date], Field(max_length=400)] = Field(default_factory=list)

    def hours(self) -> WorkingHours | None:
        """As people keep them."""
        if self.week is None:
            return None
        return WorkingHours(self.zone, parse_week(self.week), parse_holidays(map(str, self.holidays)))


class HandBody(Sent):
    """Who gets a lead by hand, and why."""

    person: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    team: TeamName | None = Field(None, description="null: the lead's, or the first that the person is in.")
    kind: Handed = Field(Handed.OTHER, description="wrong_team and wrong_skill count as misroutes.")
    reason: Reason = ""


class AbsenceShown(Shown):
    """A planned time away; `reason` only for those who manage teams."""

    id: str
    person: str
    from_at: datetime
    until_at: datetime
    reason: str | None

    @classmethod
    def of(cls, one: Absence, *, private: bool) -> Self:
        """With `private` the reason, too."""
        return cls(
            id=one.id, person=one.person_id, from_at=one.from_at, until_at=one.until_at,
            reason=one.reason if private else None,
        )  # fmt: skip


class MemberShown(Shown):
    """A member with load and shares of 30 days."""

    person: str
    name: str
    weight: float
    capacity: int | None
    daily: int | None
    skills: list[str]
    on_call: bool
    until_at: datetime | None
    hours: str | None = Field(description="In words; null: always in.")
    is_in: bool
    is_away: bool
    in_again: datetime | None = Field(description="The next working moment; null: not within 400 days.")
    open: int = Field(description="Open leads of this team.")
    today: int
    share: float = Field(description="Target, by weight, 0 to 1.")
    due: float = Field(description="Leads due by rotation in 30 days, of those that they could take.")
    taken: int
    absences: list[AbsenceShown]

    @classmethod
    def of(cls, seat: Seat, *, private: bool) -> Self:
        """With `private` the reasons of absences."""
        terms, colleague = seat.member.terms, seat.member.colleague
        return cls(
            person=colleague.person_id, name=colleague.name, weight=terms.weight, capacity=terms.open_capacity,
            daily=terms.daily_capacity, skills=sorted(terms.skills), on_call=terms.on_call, until_at=seat.until_at,
            hours=colleague.hours.words() if colleague.hours else None, is_in=seat.presence.is_in,
            is_away=seat.presence.is_away, in_again=seat.presence.back, open=seat.load.opened, today=seat.load.today,
            share=seat.target, due=round(seat.load.due, 3), taken=seat.load.taken,
            absences=[AbsenceShown.of(one, private=private) for one in seat.absences],
        )  # fmt: skip


class TeamShown(Shown):
    """A team with its members."""

    name: str
    title: str
    closed_at: datetime | None
    off_hours: OffHours
    nobody: Nobody
    fallback: str
    owner_wins: bool
    owner_hours: float
    open_days: int
    waiting: int = Field(description="Leads of it that nobody has.")
    members: list[MemberShown]

    @classmethod
    def of(cls, view: TeamView, *, private: bool) -> Self:
        """With `private` the reasons of absences."""
        members = [MemberShown.of(seat, private=private) for seat in view.seats]
        return cls(**_plain(view.team), waiting=view.waiting, members=members)


class TeamPage(Shown):
    """Every team."""

    items: list[TeamShown]


class AssignmentShown(Shown):
    """Who has a lead and why; `passed_over` tells every other member."""

    id: str
    case_id: str
    lead: str
    team: str
    person_id: str | None = Field(description="null: nobody could take it.")
    name: str
    at: datetime
    way: str = Field(description="routing or person")
    made_by: str
    why: str
    words: list[str]
    passed_over: list[dict[str, Any]]
    passed_words: list[str]
    territory: dict[str, Any]
    required: list[str]
    preferred: list[str]
    worked_at: datetime | None
    replaced_at: datetime | None
    replaced_why: str | None


class CaseAssignment(AssignmentShown):
    """The assignment that counts now, and those before it, newest first."""

    before: list[AssignmentShown]


class Worked(Shown):
    """`changed` is false when that was said before."""

    changed: bool


def _plain(team: Team) -> dict[str, Any]:
    names = ("off_hours", "nobody", "fallback", "owner_wins", "owner_hours", "open_days")
    rules = {name: getattr(team.rules, name) for name in names}
    return {"name": team.name, "title": team.title, "closed_at": team.closed_at, **rules}
