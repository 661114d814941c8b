"""Which arm somebody gets, at the moment when the arm begins to matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fairlead.customers import families_of
from fairlead.errors import NotFoundError
from fairlead.experiments.drawing import MAX_UNITS, draws_of, enrol
from fairlead.experiments.model import Draw, Unit
from fairlead.experiments.planning import standing_plan
from fairlead.experiments.plans import Standing
from fairlead.experiments.seeds import ensure_seed
from fairlead.kit.unit_of_work import UnitOfWork

DRAWN = "drawn"
NOBODY = "the case has no customer"
GONE = "the arm that was drawn is declared no more"


class Meeting(NamedTuple):
    """A case that comes to where an experiment's arm is read; `customer_id` None for a case about nobody."""

    customer_id: str | None
    case_id: str
    facts: Mapping[str, Any]


class Given(NamedTuple):
    """The arm, always one that is declared; `why` is `drawn`, or says why the arm was not drawn and nobody counts."""

    arm: str
    why: str

    @property
    def counted(self) -> bool:
        """Whether the customer is counted in the experiment."""
        return self.why == DRAWN


def expose(uow: UnitOfWork, name: str, meetings: Sequence[Meeting]) -> list[Given]:
    """The arm of each, drawn and written down at a customer's first meeting, never again and never for others.

    A customer with merged records has the oldest draw of any of them. Who is not eligible when first asked is written
    down so, and stays out. NotFoundError for an experiment that was never deployed.
    """
    standing = standing_plan(uow, name)
    if standing is None:
        message = f"no experiment {name!r:.80} was deployed"
        raise NotFoundError(message, experiment=name[:64])
    families = families_of(uow, [one.customer_id for one in meetings if one.customer_id])
    known = draws_of(uow, name, {record for family in families.values() for record in family})
    if standing.draws(uow.now):
        known |= _draw_fresh(uow, standing, meetings, families, known)
    return [_given(uow, standing, families.get(one.customer_id or "", ()), known) for one in meetings]


def oldest(draws: Iterable[Draw]) -> Draw | None:
    """Of one customer's draws the one that counts: the first into an arm, else the first at all; None for none."""
    return min(draws, key=lambda one: (one.arm is None, one.at, one.unit), default=None)


def _draw_fresh(
    uow: UnitOfWork,
    standing: Standing,
    meetings: Sequence[Meeting],
    families: Mapping[str, Sequence[str]],
    known: Mapping[str, Draw],
) -> dict[str, Draw]:
    plan, seed = standing.plan, ensure_seed(uow)
    fresh: dict[str, Unit] = {}
    for one in meetings:
        family = families.get(one.customer_id or "", ())
        if family and not any(record in known for record in family) and family[0] not in fresh:
            why, digest = plan.ineligible(one.facts), plan.facts_digest(seed, one.facts)
            fresh[family[0]] = Unit(family[0], why, digest, one.case_id)
    units, made = list(fresh.values()), dict[str, Draw]()
    for start in range(0, len(units), MAX_UNITS):
        made |= enrol(uow, plan.experiment, units[start : start + MAX_UNITS])
    return made


def _given(uow: UnitOfWork, standing: Standing, family: Sequence[str], known: Mapping[str, Draw]) -> Given:
    plan = standing.plan
    if not family:
        return Given(standing.winner or plan.otherwise, NOBODY)
    draw = oldest(known[record] for record in family if record in known)
    if draw is not None and draw.arm is not None:
        if draw.arm in {arm.name for arm in plan.arms}:
            return Given(draw.arm, DRAWN)
        return Given(standing.winner or plan.otherwise, GONE)
    if draw is not None and standing.winner is None:
        return Given(plan.otherwise, f"not eligible: {draw.why}")
    return Given(*standing.for_others(uow.now))
