"""Playbooks: what they are for and how far they have come, their graph with live counts, who left the path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import (
    DEVIATION_SOURCES,
    deployed_playbook,
    deviation_span,
    deviations_csv,
    deviations_told,
    require,
    services,
)
from fairlead.console import words
from fairlead.console.shell import Desk, desk_of, render
from fairlead.console.titles import About, titles_of
from fairlead.errors import InputError, NotFoundError
from fairlead.kit.clock import from_micros
from fairlead.people import Permission, Principal
from fairlead.playbooks import (
    CAP,
    KIND_WORDS,
    MIN_CASES,
    BranchStage,
    DeviationKind,
    EndStage,
    Mark,
    MeasureKind,
    Point,
    Standing,
    cases_at,
    cases_ended_as,
    describe,
    find_deviations,
    graph_of,
    heads_of,
    kind_of,
    lay_out,
    mermaid,
    overview,
    progress_of,
    svg,
    trend_svg,
    ways_out,
)

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import Bundle, Figure, Objective, Overview, Playbook, Progress, StageNow

PAGE = 50
SHOWN = 200
PERIODS = {7: "7 days", 30: "30 days"}
DEVIATION_PERIODS = {7: "7 days", 30: "30 days", 90: "90 days", 366: "a year"}
STATES = {"waiting": "Waiting", "ready": "Ready", "paused": "Paused", "exception": "Exceptions"}
STANDING = {
    Standing.REACHED: ("reached", "good"),
    Standing.NEAR: ("too close to tell", "warn"),
    Standing.MISSED: ("not reached yet", "bad"),
    Standing.EARLY: ("too early to tell", ""),
}
PERIOD_WORDS = {"week": "this week", "month": "this month", "quarter": "this quarter"}
BEFORE_WORDS = {"week": "last week", "month": "last month", "quarter": "last quarter"}
WIDTHS = (320, 520, 720, 920, 1120)
"""Drawings up to these many pixels fit on screens a little wider; each has its rule in the style sheet."""
_LATE_S = 7 * 86_400

router = APIRouter()
Looking = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_READ))]
LookingAtCases = Annotated[Principal, Depends(require(Permission.CASES_READ))]


@router.get("/playbooks")
def playbooks(request: Request, principal: Looking) -> Response:
    """Every deployed playbook with its goal and where it stands."""
    now = services(request).clock.now()
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows = []
        for name, compiled in sorted(desk.bundle.playbooks.items()) if desk.bundle else ():
            seen = overview(reader, compiled.playbook, now, 7, exits=False)
            stands = progress_of(reader, compiled.playbook, now)
            rows.append((name, compiled.playbook, _open(seen), stands and _told(stands)))
    return render(request, "playbooks.html", desk, rows=rows)


def _open(seen: Overview) -> tuple[str, str]:
    """(open cases, exceptions) as figures."""
    total = sum(min(one.count.total, CAP) for one in seen.stages)
    stuck = sum(one.count.states.get("exception", 0) for one in seen.stages)
    capped = any(one.count.capped for one in seen.stages)
    return f"{total:,}{'+' if capped else ''}", f"{stuck:,}" if stuck else ""


@router.get("/playbooks/{name}")
def playbook(
    request: Request, principal: Looking, name: str, days: Annotated[int, Query(ge=1, le=90)] = 30
) -> Response:
    """One playbook: objective, graph, table."""
    if days not in PERIODS:
        raise InputError("Exits are shown over 7 or 30 days.", field="days")
    svc = services(request)
    now = svc.clock.now()
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        bundle, book = _deployed(desk, name)
        seen, stands = overview(reader, book, now, days), progress_of(reader, book, now)
    graph = graph_of(book)
    drawing = lay_out(graph)
    picture = svg(
        drawing, title=f"Playbook {words.plain(name)}", description=describe(drawing),
        link=(lambda stage: _stage_link(name, stage)) if desk.can(Permission.CASES_READ) else None,
        marks={one.name: _mark(one) for one in seen.stages},
    )  # fmt: skip
    return render(
        request, "playbook.html", desk, slug=name, book=book, version=bundle.digest, picture=Markup(picture),  # noqa: S704  every text in it was escaped by `svg`
        wide=next((one for one in WIDTHS if drawing.width <= one), "any"), seen=seen,
        rows=[_row(one, book) for one in seen.stages], mermaid=mermaid(graph), days=days, periods=PERIODS,
        told=_told(stands) if stands else None, stage_link=lambda stage: _stage_link(name, stage),
    )  # fmt: skip


def _deployed(desk: Desk, name: str) -> tuple[Bundle, Playbook]:
    if desk.bundle is None:
        raise NotFoundError("Nothing is deployed yet.")
    return deployed_playbook(desk.bundle, name)


def _stage_link(name: str, stage: str) -> str:
    return f"/playbooks/{quote(name, safe='')}/stages/{quote(stage, safe='')}"


def _query(path: str, **parts: Any) -> str:
    given = {name: str(value) for name, value in parts.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _mark(one: StageNow) -> Mark:
    stuck = one.count.states.get("exception", 0)
    if one.ended is not None:
        count = f"{CAP:,}+" if one.ended > CAP else f"{one.ended:,}"
        return Mark(f"{count} ended here", "", f"{count} ended here lately")
    if not one.count.total:
        return Mark("none here", "", "no open case here")
    count = f"{CAP:,}+" if one.count.capped else f"{one.count.total:,}"
    age = "" if one.median_s is None else f" · median {words.short(one.median_s)}"
    if stuck:
        return Mark(f"{count} here, {stuck:,} stopped", "bad")
    old = one.oldest_s is not None and one.oldest_s > _LATE_S
    return Mark(f"{count} here{age}", "warn" if old else "", f"{count} open cases here{age}")


def _row(one: StageNow, book: Playbook) -> dict[str, Any]:
    """A stage for the table: who left it by which way, most first, then the ways that nobody took."""
    stage = book.stages.get(one.name)
    labels: dict[str, list[str]] = {}
    for label, target in ways_out(stage) if stage else ():
        labels.setdefault(target, []).append(label or "next")
    is_branch = isinstance(stage, BranchStage)
    left = [
        (", ".join(labels[way.target]) if is_branch and way.target in labels else way.outcome, way.target, way.cases)
        for way in one.exits
    ]
    taken = {target if is_branch else (outcome, target) for outcome, target, _ in left}
    quiet = [
        (label, target, 0)
        for target, names in labels.items()
        for label in ([", ".join(names)] if is_branch else names)
        if (target if is_branch else (label, target)) not in taken
    ]
    return {
        "stage": one, "kind": kind_of(stage) if stage else "", "left": left + quiet,
        "count": f"{CAP:,}+" if one.count.capped else f"{one.count.total:,}",
        "ended": None if one.ended is None else f"{CAP:,}+" if one.ended > CAP else f"{one.ended:,}",
    }  # fmt: skip


def _told(stands: Progress) -> dict[str, Any]:
    """An objective for the templates: figures as words, and the trend as a picture with its table."""
    objective = stands.objective
    shown = shower(objective)
    label, level = STANDING[stands.standing]
    points = [Point(_week(one.begins), _value(one.figure, objective), one.figure.n) for one in stands.weeks]
    window = _window(stands)
    picture = trend_svg(points, target=objective.target, title=f"{objective.measure.words}, by week", shown=shown)
    return {
        "objective": objective,
        "words": objective.measure.words,
        "target": f"{'at most' if objective.at_most else 'at least'} {shown(objective.target)}",
        "until": f"by {_day(datetime.combine(objective.by, datetime.min.time(), UTC))}" if objective.by
        else f"each {objective.per}",
        "now": _figure_words(stands.now, shown, objective),
        "interval": _interval(stands.now, shown),
        "n": stands.now.n,
        "early": stands.standing is Standing.EARLY,
        "least": MIN_CASES,
        "window": window,
        "previous": None if stands.previous is None else _figure_words(stands.previous, shown, objective),
        "previous_n": None if stands.previous is None else stands.previous.n,
        "previous_window": BEFORE_WORDS.get(objective.per or "", ""),
        "label": label,
        "level": level,
        "note": stands.note,
        "picture": Markup(picture),  # noqa: S704  every text in it was escaped by `trend_svg`
        "weeks": [
            (one.begins, _figure_words(one.figure, shown, objective), _interval(one.figure, shown), one.figure.n)
            for one in stands.weeks
        ],
    }  # fmt: skip


def shower(objective: Objective) -> Callable[[float], str]:
    """How a value of this measure is written: `70 %`, `1,200`, `3.5 hours`."""
    kind = objective.measure.kind
    if kind is MeasureKind.COUNT_ENDED:
        return lambda value: f"{value:,.0f}"
    if kind is MeasureKind.MEDIAN_TIME_TO:
        return words.lasting
    return lambda value: f"{100 * value:.1f}".removesuffix(".0") + " %"


def _value(figure: Figure, objective: Objective) -> float | None:
    counts = objective.measure.kind is MeasureKind.COUNT_ENDED
    return figure.value if counts or figure.n else None


def _figure_words(figure: Figure, shown: Callable[[float], str], objective: Objective) -> str:
    value = _value(figure, objective)
    return "–" if value is None else shown(value)


def _interval(figure: Figure, shown: Callable[[float], str]) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{shown(figure.low)} to {shown(figure.high)}"


def _window(stands: Progress) -> str:
    if stands.objective.per:
        return PERIOD_WORDS[stands.objective.per]
    return "since the beginning" if stands.since is None else "in the last 28 days"


def _week(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


@router.get("/playbooks/{name}/stages/{stage}")
def stage_cases(
    request: Request,
    principal: LookingAtCases,
    name: str,
    stage: str,
    state: str = "",
    after: Annotated[str, Query(max_length=64, pattern=r"^([0-9]{1,19}\.[a-z]{2,12}_[0-9a-f]{24})?$")] = "",
) -> Response:
    """The cases at a stage, longest standing first; of an end, those that ended there, newest first."""
    if state and state not in STATES:
        raise InputError(f"Open cases are never {state[:40]!r}.", field="state")
    svc = services(request)
    now = svc.clock.now()
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        _, book = _deployed(desk, name)
        known = book.stages.get(stage)
        seen = {one.name: one for one in overview(reader, book, now, 7, exits=False, only=stage).stages}
        if stage not in seen:
            raise NotFoundError(f"{words.plain(name)} has no stage {stage[:64]!r}, and no case stands at one.")
        here = seen[stage]
        is_end = isinstance(known, EndStage)
        state = state or next((one for one in STATES if here.count.states.get(one)), "waiting")
        moment, _, last = after.partition(".")
        mark = (int(moment), last) if after else None
        if isinstance(known, EndStage):
            found = cases_ended_as(reader, name, known.end, mark or (2**62, "~"), PAGE + 1)
        else:
            found = cases_at(reader, name, stage, state, mark or (-1, ""), PAGE + 1)
        rows = _cases(reader, found[:PAGE])
    older = f"{found[PAGE - 1][1]}.{found[PAGE - 1][0]}" if len(found) > PAGE else ""
    return render(
        request, "playbook_stage.html", desk, slug=name, stage=stage, here=here, rows=rows, state=state,
        states=STATES, is_end=is_end, kind=kind_of(known) if known else "", older=older, after=after,
        link=lambda **query: _query(_stage_link(name, stage), **query), cap=CAP,
    )  # fmt: skip


def _cases(reader: Reader, found: list[tuple[str, int]]) -> list[tuple[str, str, datetime]]:
    """(case, who or what it is about, when)."""
    heads = heads_of(reader, [case for case, _ in found]).values()
    titles = titles_of(reader, [About(one.id, one.subject_id, one.customer_id) for one in heads])
    return [(case, titles[case], from_micros(moment)) for case, moment in found]


@router.get("/playbooks/{name}/deviations")
def off_the_path(
    request: Request,
    principal: LookingAtCases,
    name: str,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
    kind: str = "",
    format: str = "",  # noqa: A002  as the API has it
) -> Response:
    """Where people took cases off the standard path in the last days; `format=csv` gives all of it."""
    if days not in DEVIATION_PERIODS or (kind and kind not in set(DeviationKind)):
        raise InputError("There is no such selection.", field="kind" if kind else "days")
    svc = services(request)
    now = svc.clock.now()
    until = now + timedelta(microseconds=1)
    with svc.database.reading() as reader:
        desk = desk_of(request, reader, principal)
        _, book = _deployed(desk, name)
        span = deviation_span(until - timedelta(days=days), until, now)
        found = find_deviations(reader, book, span, more=DEVIATION_SOURCES)
        items = [one for one in found.items if kind in {"", one.kind.value}]
        listed = deviations_told(reader, items if format == "csv" else items[:SHOWN])
    if format == "csv":
        return deviations_csv(listed, name)
    kinds: Mapping[str, tuple[str, int]] = {one.value: (KIND_WORDS[one], found.counts[one]) for one in DeviationKind}
    return render(
        request, "deviations.html", desk, slug=name, items=listed, total=len(items), kinds=kinds, kind=kind, days=days,
        periods=DEVIATION_PERIODS, capped=found.capped,
        link=lambda **query: _query(f"/playbooks/{quote(name, safe='')}/deviations", **query),
    )  # fmt: skip
