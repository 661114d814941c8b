"""Draws: made once, written down with their probability before anything is done by them."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.errors import InputError
from fairlead.experiments import store
from fairlead.experiments.model import CUSTOMER, Draw, Experiment, Unit, arm_of, check_units
from fairlead.experiments.seeds import ensure_seed
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_UNITS = 1_000
_MAX_WHY_CHARS = 200


def enrol(uow: UnitOfWork, experiment: Experiment, units: Iterable[Unit]) -> dict[str, Draw]:
    """Draw these units, and write down whether each is eligible, its arm and with which probability.

    Do what an arm says only after this, in the same transaction or a later one. A unit that was ever drawn in an
    experiment of this name keeps that draw: a retry, another share and another version change nothing, and neither
    does becoming eligible later. InputError for more than 1,000 units or a bad key.
    """
    wanted = tuple(units)
    if len(wanted) > MAX_UNITS:
        message = f"{len(wanted)} units at once; at most {MAX_UNITS:,}"
        raise InputError(message, field="unit")
    check_units(wanted)
    known = store.draws(uow, experiment.name, (one.key for one in wanted)) if wanted else {}
    fresh = [one for one in wanted if one.key not in known]
    if not fresh:
        return known
    seed = ensure_seed(uow)
    if store.insert_version(uow, experiment):
        arms = [list(arm) for arm in experiment.arms]
        payload = {"version": experiment.version, "unit": experiment.unit, "arms": arms}
        uow.record(AuditEntry("experiment.version_began", experiment.name, payload))
    new = [_draw(uow, experiment, seed, one) for one in fresh]
    made = store.insert_draws(uow, experiment.name, new)
    for one in new:
        if one.unit in made:
            _audit(uow, experiment, one)
    # Where somebody else was first, theirs stands.
    return known | store.draws(uow, experiment.name, (one.key for one in fresh))


def draws_of(reader: Reader, experiment: str, units: Iterable[str]) -> dict[str, Draw]:
    """The draws of these units that were written down; units never drawn are left out."""
    return store.draws(reader, experiment, units)


def draws_in_order(reader: Reader, experiment: str, limit: int) -> list[Draw]:
    """The first `limit` draws into arms, oldest first; those not eligible are left out."""
    return store.draws_in_order(reader, experiment, limit)


def _draw(uow: UnitOfWork, experiment: Experiment, seed: bytes, unit: Unit) -> Draw:
    if unit.why:
        why = unit.why[:_MAX_WHY_CHARS]
        return Draw(unit.key, None, 0.0, experiment.version, why, uow.now, unit.facts, unit.case_id)
    arm = arm_of(experiment, seed, unit.key)
    return Draw(unit.key, arm.name, arm.share, experiment.version, "", uow.now, unit.facts, unit.case_id)


def _audit(uow: UnitOfWork, experiment: Experiment, one: Draw) -> None:
    payload = {"experiment": experiment.name, "version": one.version, "arm": one.arm, "probability": one.probability}
    payload |= {key: value for key, value in (("why", one.why), ("facts", one.facts), ("case", one.case_id)) if value}
    about = one.unit if experiment.unit == CUSTOMER else None
    uow.record(AuditEntry("experiment.drawn", one.unit, payload, customer_id=about))
