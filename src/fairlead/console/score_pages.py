"""Trained scores: how well each version does, what it looks at, what it refused, and which one is in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from fairlead.api import require, services, use_version
from fairlead.console import words
from fairlead.console.shell import Posted, desk_of, go, posted, render
from fairlead.errors import FairleadError
from fairlead.kit.intervals import wilson
from fairlead.people import Permission, Principal
from fairlead.understanding import find_model, list_models

WIDTH, HEIGHT, EDGE = 360.0, 300.0, 40.0
_STEPS = (0.05, 0.1, 0.2, 0.5, 1.0)
_TICKS = 5

router = APIRouter()
Looking = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_READ))]
Deploying = Annotated[Principal, Depends(require(Permission.PLAYBOOKS_DEPLOY))]
Form = Annotated[Posted, Depends(posted)]


class Dot(NamedTuple):
    """One group of leads: what they were given, what came of it, and where that stands in the picture."""

    said: float
    share: float
    low: float
    high: float
    n: int
    converted: int
    x: float
    y: float
    top: float
    bottom: float


class Picture(NamedTuple):
    """Stated chance against what came of it; `most` is where both axes end, `ticks` are (share, x, y)."""

    dots: list[Dot]
    most: float
    ticks: list[tuple[float, float, float]]


def picture_of(report: Mapping[str, Any]) -> Picture:
    """Laid out for an SVG of 360 by 300; both axes have the same scale and end just above the highest interval."""
    bins: Sequence[Sequence[float]] = report.get("reliability") or ()
    judged = [(mean, won / n, *wilson(won, n), int(n), int(won)) for _, _, mean, n, won in bins if n]
    highest = max((max(one[0], one[3]) for one in judged), default=1.0)
    most = next((step for step in _STEPS if step >= highest), 1.0)

    def x(share: float) -> float:
        return round(EDGE + share / most * (WIDTH - EDGE - 16.0), 1)

    def y(share: float) -> float:
        return round(HEIGHT - EDGE - share / most * (HEIGHT - EDGE - 16.0), 1)

    dots = [
        Dot(said, share, low, high, n, won, x(said), y(share), y(high), y(low))
        for said, share, low, high, n, won in judged
    ]
    ticks = [(most * at / _TICKS, x(most * at / _TICKS), y(most * at / _TICKS)) for at in range(_TICKS + 1)]
    return Picture(dots, most, ticks)


@router.get("/scores")
def scores(request: Request, principal: Looking) -> Response:
    """Every version, newest first."""
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        rows, actor = list_models(reader), words.actor_namer(reader)
        return render(request, "scores.html", desk, rows=rows, actor=actor)


@router.get("/scores/{producer}")
def one_score(request: Request, principal: Looking, producer: str) -> Response:
    """One version: figures, picture, columns."""
    return _page(request, principal, producer)


def _page(request: Request, principal: Principal, producer: str, problem: FairleadError | None = None) -> Response:
    with services(request).database.reading() as reader:
        desk = desk_of(request, reader, principal)
        model = find_model(reader, producer)
        return render(
            request, "score.html", desk, status=problem.status if problem else 200, model=model,
            report=model["report"], picture=picture_of(model["report"]), actor=words.actor_namer(reader),
            problem=problem,
        )  # fmt: skip


@router.post("/scores/{producer}/use")
def use(request: Request, principal: Deploying, producer: str, _: Form) -> Response:
    """Score with this version from now on."""
    svc = services(request)
    try:
        with svc.database.transaction() as uow:
            use_version(uow, svc.settings, principal, producer)
    except FairleadError as error:
        return _page(request, principal, producer, problem=error)
    return go(f"/scores/{producer}", said="scoring")
