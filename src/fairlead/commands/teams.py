"""team, route, and what belongs to a person's working time: who gets leads, and who had got them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, reading, say, says_errors
from fairlead.commands.people import person
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.words import counted
from fairlead.people import (
    Nobody,
    OffHours,
    Person,
    TeamRules,
    Terms,
    WorkingHours,
    absences_of,
    add_absence,
    change_team,
    close_team,
    colleagues_of,
    create_team,
    get_team,
    list_people,
    list_teams,
    local_span,
    memberships_of,
    parse_holidays,
    parse_week,
    put_member,
    remove_member,
    reopen_team,
    set_hours,
    withdraw_absence,
)
from fairlead.sales.routing import TeamView, dry_run, parse_change, team_views

team = typer.Typer(name="team", help="Teams: who is in them and who gets how many leads.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The team's name, as playbooks write it.")]
Who = Annotated[str, typer.Argument(help="E-mail address, name or id.")]
_SPAN = re.compile(r"([1-9]\d{0,3})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

Off = Annotated[OffHours | None, typer.Option("--off-hours", help="While nobody is at work: assign, wait or on_call.")]
None_ = Annotated[Nobody | None, typer.Option("--nobody", help="A lead that nobody can take: hold or queue.")]
Fallback = Annotated[str | None, typer.Option(help="The team to ask then; none: none.")]
OwnerWins = Annotated[bool | None, typer.Option(help="An owner of another team gets the lead, too.")]
OwnerHours = Annotated[float | None, typer.Option(help="Working hours that an owner may miss at most.")]
OpenDays = Annotated[int | None, typer.Option(help="Days for which a lead counts as open.")]


def _rules(base: TeamRules, **given: Any) -> TeamRules:
    wanted = {name: value for name, value in given.items() if value is not None}
    if wanted.get("fallback") == "none":
        wanted["fallback"] = ""
    return replace(base, **wanted)


@team.command("create")
@says_errors
def team_create(  # noqa: PLR0913  the command's options
    name: Name,
    *,
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    off_hours: Off = None,
    nobody: None_ = None,
    fallback: Fallback = None,
    owner_wins: OwnerWins = None,
    owner_hours: OwnerHours = None,
    open_days: OpenDays = None,
    workspace: Workspace = None,
) -> None:
    """Make a team without members."""
    rules = _rules(TeamRules(), off_hours=off_hours, nobody=nobody, fallback=fallback, owner_wins=owner_wins,
                   owner_hours=owner_hours, open_days=open_days)  # fmt: skip
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        made = create_team(uow, operator(), name=name, title=title, rules=rules)
    say(f"made the team {made.name}; put people into it with: fairlead team add {made.name} EMAIL")


@team.command("set")
@says_errors
def team_set(  # noqa: PLR0913  the command's options
    name: Name,
    *,
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    off_hours: Off = None,
    nobody: None_ = None,
    fallback: Fallback = None,
    owner_wins: OwnerWins = None,
    owner_hours: OwnerHours = None,
    open_days: OpenDays = None,
    closed: Annotated[bool | None, typer.Option("--closed/--open", help="No lead goes to a closed team.")] = None,
    workspace: Workspace = None,
) -> None:
    """Change how a team shares out its leads; what is not given stays."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        rules = _rules(get_team(uow, name).rules, off_hours=off_hours, nobody=nobody, fallback=fallback,
                       owner_wins=owner_wins, owner_hours=owner_hours, open_days=open_days)  # fmt: skip
        changed = change_team(uow, operator(), name, title=title, rules=rules)
        if closed is not None:
            (close_team if closed else reopen_team)(uow, operator(), name)
    say(f"{changed.name}: {_rule_words(changed.rules)}")


@team.command("add")
@says_errors
def team_add(  # noqa: PLR0913  the command's options
    name: Name,
    who: Who,
    *,
    weight: Annotated[float | None, typer.Option(help="Share of the leads relative to the others; 0: none.")] = None,
    capacity: Annotated[int | None, typer.Option(min=0, help="Most leads open at once; default: any number.")] = None,
    daily: Annotated[int | None, typer.Option(min=0, help="Most new leads a day; default: any number.")] = None,
    skill: Annotated[list[str] | None, typer.Option(help="A skill such as french; repeatable.")] = None,
    on_call: Annotated[bool, typer.Option("--on-call", help="Gets leads while nobody is at work.")] = False,
    from_day: Annotated[str | None, typer.Option("--from", help="First day, 2027-03-01; default: now.")] = None,
    to_day: Annotated[str | None, typer.Option("--to", help="Last day; default: for good.")] = None,
    workspace: Workspace = None,
) -> None:
    """Put somebody into a team, or on other terms; nobody's place in the round changes by it."""
    terms = Terms(1.0 if weight is None else weight, capacity, daily, frozenset(skill or ()), on_call)
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        found = known_person(uow, who)
        zone = _zone(uow, found.id, uow.now)
        start = local_span(zone, _day(from_day), _day(from_day))[0] if from_day else None
        end = local_span(zone, _day(to_day), _day(to_day))[1] if to_day else None
        put_member(uow, operator(), name, found.id, terms, from_at=start, until_at=end)
    say(f"{found.name} is in {name}: {_term_words(terms)}")


@team.command("remove")
@says_errors
def team_remove(
    name: Name,
    who: Who,
    *,
    at: Annotated[str | None, typer.Option(help="First day without them, 2027-03-01; default: now.")] = None,
    workspace: Workspace = None,
) -> None:
    """Take somebody out of a team; leads that they have stay theirs."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        found = known_person(uow, who)
        moment = local_span(_zone(uow, found.id, uow.now), _day(at), _day(at))[0] if at else None
        remove_member(uow, operator(), name, found.id, at=moment)
    say(f"{found.name} is out of {name}{f' from {at}' if at else ''}")


@team.command("list")
@says_errors
def team_list(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Every team with how it stands."""
    with reading(workspace) as (runtime, reader):
        views = team_views(reader, list_teams(reader), runtime.database.clock.now())
    if as_json:
        answer({"teams": [_view(one) for one in views]})
        return
    for one in views:
        state = "closed" if one.team.closed_at else f"{len(one.seats)} members, {one.is_in} at work"
        say(f"{one.team.name}  {state}, {one.opened} open leads, {one.waiting} without anybody")
    if not views:
        say("no teams yet; make one with: fairlead team create NAME")


@team.command("show")
@says_errors
def team_show(name: Name, *, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """A team's members with shares, loads and when they are in next."""
    with reading(workspace) as (runtime, reader):
        found = get_team(reader, name)
        [view] = team_views(reader, [found], runtime.database.clock.now())
        history = memberships_of(reader, [found], None) if as_json else []
    if as_json:
        past = [{"person": one.person_id, "weight": one.terms.weight, "from": one.from_at,
                 "until": one.until_at} for one in history]  # fmt: skip
        answer({**_view(view), "history": past})
        return
    say(f"{found.name}: {_rule_words(found.rules)}{', closed' if found.closed_at else ''}")
    for seat in view.seats:
        load, target = seat.load, f"{seat.target:.0%}"
        had = f"had {load.taken} of {load.due:.1f} due in 30 days"
        say(f"  {seat.member.colleague.name}  share {target}, {had}; {_term_words(seat.member.terms)}")
        say(f"    {load.opened} open, {load.today} today; {_presence(seat)}")
    if not view.seats:
        say("  nobody is in it; put somebody in with: fairlead team add")


@person.command("absent")
@says_errors
def person_absent(
    who: Who,
    *,
    from_day: Annotated[
        str | None, typer.Option("--from", help="First day, 2027-03-01, or moment; default: now.")
    ] = None,
    to_day: Annotated[str | None, typer.Option("--to", help="Last day, or the moment of the return.")] = None,
    reason: Annotated[str, typer.Option(help="For those who manage teams, shown nowhere else.")] = "",
    cancel: Annotated[str | None, typer.Option(help="Take this absence (its id) back instead.")] = None,
    workspace: Workspace = None,
) -> None:
    """Plan a time away; without --to and --cancel, list what is planned."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        found = known_person(uow, who)
        if cancel:
            withdraw_absence(uow, operator(), cancel)
            lines = [f"{cancel} is taken back"]
        elif to_day is None:
            lines = [f"{one.id}  {iso(one.from_at)} to {iso(one.until_at)}  {one.reason}".rstrip()
                     for one in absences_of(uow, [found.id], uow.now)]  # fmt: skip
        else:
            zone = _zone(uow, found.id, uow.now)
            start = _moment(from_day, zone, end=False) if from_day else uow.now
            new = add_absence(uow, operator(), found.id, start, _moment(to_day, zone, end=True), reason=reason)
            lines = [f"{found.name} is away from {iso(new.from_at)} to {iso(new.until_at)} ({new.id})"]
    for line in lines or [f"{found.name} has nothing planned"]:
        say(line)


@person.command("hours")
@says_errors
def person_hours(
    who: Who,
    *,
    week: Annotated[str | None, typer.Option(help="Such as: Mon-Fri 09:00-17:00, Sat 10:00-14:00")] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone, such as Europe/Berlin.")] = None,
    holiday: Annotated[list[str] | None, typer.Option(help="A day off, 2027-12-24; repeatable.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Keep no hours: always in.")] = False,
    workspace: Workspace = None,
) -> None:
    """Say when somebody works; without options, show it."""
    with opened(workspace) as runtime, runtime.database.transaction() as uow:
        found = known_person(uow, who)
        known = colleagues_of(uow, [found.id], uow.now)[found.id].hours
        hours = known
        if clear:
            hours = None
        elif week is not None or zone is not None or holiday is not None:
            if known is None and week is None:
                raise InputError('say the week, too: --week "Mon-Fri 09:00-17:00"', code="working_hours", field="week")
            hours = WorkingHours(
                zone or (known.zone if known else "UTC"),
                parse_week(week) if week is not None else known.weekly if known else (),
                parse_holidays(holiday) if holiday is not None else known.holidays if known else frozenset(),
            )
        if hours != known:
            set_hours(uow, operator(), found.id, hours)
    say(f"{found.name}: {hours.words() if hours else 'no hours are kept, always in'}")


@says_errors
def route(
    *,
    dry: Annotated[bool, typer.Option("--dry-run", help="Give past leads out once more; writes nothing.")] = False,
    since: Annotated[str, typer.Option(help="How far back: 12h, 30d or 8w.")] = "30d",
    change: Annotated[
        list[str] | None, typer.Option("--set", help="What would be different: weight:NAME=2; repeatable.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Who would have got past leads with the teams as they are now, or changed."""
    if not dry:
        message = "leads are given out by the playbook's assign-owner step; this command only looks: add --dry-run"
        raise InputError(message, code="dry_run")
    changes = [parse_change(one) for one in change or ()]
    with reading(workspace) as (runtime, reader):
        now = runtime.database.clock.now()
        report = dry_run(reader, now, now - parse_span(since), changes)
    if as_json:
        answer(report)
        return
    for line in report_lines(report):
        say(line)


def parse_span(text: str) -> timedelta:
    """`12h`, `30d`, `8w`, at most ten years; InputError for anything else."""
    match = _SPAN.fullmatch(text.strip())
    span = int(match[1]) * _UNITS[match[2]] if match else timedelta()
    if not match or span > timedelta(days=3_660):
        message = f"{text[:40]!r} is no length of time; write 12h, 30d or 8w"
        raise InputError(message, code="span", field="since")
    return span


def report_lines(report: dict[str, Any]) -> list[str]:
    """A dry run in words."""
    lines = [f"{report['leads']} leads since {report['since']}" + (", only the oldest" if report["truncated"] else "")]
    if report["changes"]:
        lines.append(f"with {', '.join(report['changes'])}")
    nobody = report["nobody"]
    lines.append(f"{report['moved']} would be with somebody else, {nobody['lost']} with nobody instead of somebody")
    if report["waited"]:
        lines.append(f"{report['waited']} would have waited for somebody, {nobody['still_wait']} of them would still")
    lines.append(f"{'team':<28}{'then':>8}{'now':>8}  of these with nobody")
    lines += [f"  {row['team']:<26}{row['then']:>8}{row['now']:>8}{row['nobody']:>8}" for row in report["teams"]]
    lines.append(f"{'person':<28}{'then':>8}{'now':>8}")
    lines += [f"  {row['name']:<26}{row['then']:>8}{row['now']:>8}" for row in report["people"]]
    for row in report["passed_over"]:
        why, leads = row["why"].replace("_", " "), counted(row["leads"], "lead")
        lines.append(f"passed over: {row['name']} ({row['team']}) {why}: {leads}")
    lines += [f"waiting for somebody, {counted(count, 'lead')}: {words}" for words, count in nobody["waiting"].items()]
    lines += [f"to the team's list without an owner, {counted(count, 'lead')}: {words}"
              for words, count in nobody["queued"].items()]  # fmt: skip
    return lines


def known_person(reader: Reader, who: str) -> Person:
    """By address, id or name; NotFoundError when nobody or more than one is called so."""
    found = [one for one in list_people(reader) if who in {one.id, one.name} or who.lower() == one.email]
    exact = [one for one in found if who == one.id or who.lower() == one.email]
    if len(exact or found) != 1:
        message = (
            f"several people are known as {who[:80]}; give the e-mail address"
            if found
            else f"nobody is known as {who[:80]}; add them with: fairlead person add E-MAIL --role reviewer"
        )
        raise NotFoundError(message, person=who[:80])
    return (exact or found)[0]


def _zone(reader: Reader, person_id: str, now: datetime) -> str | None:
    return colleagues_of(reader, [person_id], now)[person_id].zone


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        message = f"{(text or '')[:40]!r} is no day; write, for instance, 2027-03-01"
        raise InputError(message, code="day") from None


def _moment(text: str, zone: str | None, *, end: bool) -> datetime:
    if "T" not in text:
        return local_span(zone, _day(text), _day(text))[1 if end else 0]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{text[:40]!r} is no moment; write a day, or 2027-03-01T12:00+01:00"
        raise InputError(message, code="moment") from None
    return moment


def _term_words(terms: Terms) -> str:
    parts = [f"weight {terms.weight:g}"]
    parts += [f"at most {terms.open_capacity} open"] if terms.open_capacity is not None else []
    parts += [f"at most {terms.daily_capacity} a day"] if terms.daily_capacity is not None else []
    parts += [", ".join(sorted(terms.skills))] if terms.skills else []
    parts += ["on call"] if terms.on_call else []
    return ", ".join(parts)


def _rule_words(rules: TeamRules) -> str:
    off = {OffHours.ASSIGN: "for the next shift", OffHours.WAIT: "wait", OffHours.ON_CALL: "to who is on call"}
    owner = "of any team" if rules.owner_wins else "of the team"
    fallback = f"then {rules.fallback}, " if rules.fallback else ""
    return (
        f"off hours {off[rules.off_hours]}; if nobody can, {fallback}{rules.nobody.value}; owners {owner} who miss at "
        f"most {rules.owner_hours:g} working hours come first; a lead is open for {rules.open_days} days"
    )


def _presence(seat: Any) -> str:
    if seat.presence.is_in:
        return "at work"
    back = iso(seat.presence.back) if seat.presence.back else "not within a year"
    return f"{'absent' if seat.presence.is_away else 'off hours'}, in again {back}"


def _view(view: TeamView) -> dict[str, Any]:
    rules = view.team.rules
    return {
        "name": view.team.name, "title": view.team.title, "closed_at": view.team.closed_at,
        "rules": {"off_hours": rules.off_hours, "nobody": rules.nobody, "fallback": rules.fallback or None,
                  "owner_wins": rules.owner_wins, "owner_hours": rules.owner_hours, "open_days": rules.open_days},
        "waiting": view.waiting,
        "members": [
            {"person": seat.member.person_id, "name": seat.member.colleague.name, "weight": seat.member.terms.weight,
             "capacity": seat.member.terms.open_capacity, "daily": seat.member.terms.daily_capacity,
             "skills": sorted(seat.member.terms.skills), "on_call": seat.member.terms.on_call,
             "share": seat.target, "due": round(seat.load.due, 3), "taken": seat.load.taken,
             "open": seat.load.opened, "today": seat.load.today, "is_in": seat.presence.is_in,
             "is_away": seat.presence.is_away, "in_again": seat.presence.back}
            for seat in view.seats
        ],
    }  # fmt: skip
