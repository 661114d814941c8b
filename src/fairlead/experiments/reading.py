"""Experiments as they stand: who was drawn into what, and whether that is as it should be."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from fairlead.errors import NotFoundError
from fairlead.experiments import store
from fairlead.experiments.ratio import RatioCheck, check_all, check_ratio
from fairlead.kit.intervals import wilson
from fairlead.kit.unit_of_work import Reader


class ArmFigures(NamedTuple):
    """`expected` is the mean share over the units as each was drawn; `share` None for nobody drawn.

    `low` and `high` are Wilson's 95 % interval of `share`.
    """

    name: str
    n: int
    expected: float
    share: float | None
    low: float
    high: float


class VersionFigures(NamedTuple):
    """Under these shares these units were drawn; `ineligible` ones got no arm."""

    version: str
    since: datetime
    shares: tuple[tuple[str, float], ...]
    n: int
    ineligible: int
    check: RatioCheck


class ExperimentFigures(NamedTuple):
    """All versions together; `n` counts drawn units, without the ineligible ones."""

    name: str
    unit: str
    n: int
    ineligible: int
    arms: tuple[ArmFigures, ...]
    check: RatioCheck
    versions: tuple[VersionFigures, ...]


def experiments(reader: Reader) -> list[ExperimentFigures]:
    """Every experiment in which anybody was ever asked about, by name."""
    rows = store.versions(reader)
    return [_figures(name, list(some)) for name, some in groupby(rows, key=lambda row: row.experiment)]


def experiment_named(reader: Reader, name: str) -> ExperimentFigures:
    """One of them; NotFoundError for a name that has no versions."""
    rows = store.versions(reader, name)
    if not rows:
        message = f"no experiment {name!r:.80} has begun"
        raise NotFoundError(message, experiment=name[:64])
    return _figures(name, rows)


def _figures(name: str, rows: list[store.VersionRow]) -> ExperimentFigures:
    versions = tuple(_version(row) for row in rows)
    total = sum(one.n for one in versions)
    arms = dict.fromkeys(arm for row in reversed(rows) for arm, _ in row.arms)
    return ExperimentFigures(
        name,
        rows[-1].unit,
        total,
        sum(one.ineligible for one in versions),
        tuple(_arm(arm, rows, total) for arm in arms),
        check_all([one.check for one in versions]),
        versions,
    )


def _version(row: store.VersionRow) -> VersionFigures:
    counts = [row.counts.get(arm, 0) for arm, _ in row.arms]
    check = check_ratio([share for _, share in row.arms], counts)
    return VersionFigures(row.version, row.at, row.arms, sum(counts), row.counts.get(None, 0), check)


def _arm(name: str, rows: list[store.VersionRow], total: int) -> ArmFigures:
    found = sum(row.counts.get(name, 0) for row in rows)
    shares = [dict(row.arms).get(name, 0.0) for row in rows]
    drawn = [sum(n for arm, n in row.counts.items() if arm is not None) for row in rows]
    if not total:
        return ArmFigures(name, 0, shares[-1], None, *wilson(0, 0))
    expected = sum(share * n for share, n in zip(shares, drawn, strict=True)) / total
    return ArmFigures(name, found, expected, found / total, *wilson(found, total))
