"""touch and first-touch: contacts with leads, and how soon the first one was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, operator, say, says_errors, writing
from fairlead.commands.teams import known_person, parse_span
from fairlead.errors import InputError
from fairlead.kit.clock import iso
from fairlead.sales import Group, Speed, TouchKind, first_touch, log_touch, remove_touch

Lead = Annotated[str, typer.Argument(help="The lead's id, or that of one of its cases.")]
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@says_errors
def touch(
    lead: Lead,
    *,
    kind: Annotated[TouchKind, typer.Option(help="How somebody was in touch.")] = TouchKind.CALL,
    at: Annotated[str | None, typer.Option(help="2027-03-01T12:00+01:00; default: now.")] = None,
    note: Annotated[str, typer.Option(help="What was said, in a few words.")] = "",
    by: Annotated[str | None, typer.Option(help="Who it was: e-mail address, name or id.")] = None,
    remove: Annotated[str | None, typer.Option(metavar="ID", help="Take this contact back instead.")] = None,
    workspace: Workspace = None,
) -> None:
    """Log that somebody was in touch with a lead, or take such a contact back within a day."""
    with writing(workspace) as (_, uow):
        if remove is not None:
            remove_touch(uow, operator(), lead, remove, others=True)
            said = f"took {remove} back"
        else:
            person = known_person(uow, by).id if by else None
            moment = _moment(at) if at else None
            new = log_touch(uow, operator(), lead, kind=kind, at=moment, note=note, person_id=person)
            said = f"logged {new.id}: {new.kind.value} at {iso(new.at)}"
    say(said)


@says_errors
def first_touch_command(
    *,
    since: Annotated[str, typer.Option(help="How far back: 30d, 12h, 4w.")] = "30d",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """How soon somebody was in touch with the leads of a time."""
    with opened(workspace) as runtime:
        now = runtime.database.clock.now()
        with runtime.database.reading() as reader:
            report = first_touch(reader, now, now - parse_span(since))
    if as_json:
        answer({
            "since": iso(report.since), "speed": _plain(report.speed), "working": _plain(report.working),
            "teams": [_group(one) for one in report.teams], "people": [_group(one) for one in report.people],
            "longest": [{"lead": one.lead, "case": one.case_id, "at": iso(one.at)} for one in report.longest],
        })  # fmt: skip
        return
    speed = report.speed
    say(f"{speed.n:,} leads: {speed.touched:,} touched, {speed.waiting:,} waiting, {speed.closed:,} closed before")
    for words, one in (("by the clock", report.speed), ("in working time", report.working)):
        shares = ", ".join(
            f"{share.figure.value:.0%} within {share.words} (of {share.figure.n:,})"
            for share in one.shares
            if share.figure.value is not None
        )
        say(f"{words}: median {_median(one)}{'; ' if shares else ''}{shares}")
    for group in report.teams:
        figures = _median(group.speed) if group.speed else "too few to say"
        say(f"  {group.name}: {group.n:,} leads, median {figures}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{text[:40]!r} is no moment; write it with its zone, such as 2027-03-01T12:00+01:00"
        raise InputError(message, code="moment", field="at")
    return moment


def _median(speed: Speed) -> str:
    value, low, high = speed.median.value, speed.median.low, speed.median.high
    if value is None:
        return "not yet identifiable"
    upper = _span(high) if high is not None else "not known yet"
    return f"{_span(value)} ({_span(low)} to {upper})" if low is not None else _span(value)


def _span(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{timedelta(seconds=seconds).seconds} s"


def _plain(speed: Speed | None) -> dict[str, Any] | None:
    if speed is None:
        return None
    shares = [{"within_s": one.seconds, **one.figure._asdict()} for one in speed.shares]
    return {**speed._asdict(), "median": speed.median._asdict(), "shares": shares}


def _group(one: Group) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "n": one.n, "speed": _plain(one.speed), "working": _plain(one.working)}
