"""Contact holdouts: customers who are not written to, so that one can tell what writing does."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.experiments.drawing import draws_of, enrol
from fairlead.experiments.model import MIN_SHARE, Arm, Experiment, Unit, arm_of
from fairlead.experiments.seeds import seed_of
from fairlead.kit.unit_of_work import Reader, UnitOfWork

HOLDOUT = "contact-holdout"
HELD_OUT = "held_out"
WRITTEN_TO = "written_to"


def contact_holdout(share: float) -> Experiment:
    """The experiment on contacting in which `share` (above 0, below 1) of the customers are held out."""
    return Experiment(HOLDOUT, (Arm(HELD_OUT, share), Arm(WRITTEN_TO, 1 - share)), nested=True)


def is_held_out(seed: bytes, customer_id: str, share: float) -> bool:
    """Whether a record that was never drawn would be among the `share` (0 to below 1) that is held out.

    It hangs on nothing but seed and id: a larger share holds out whoever a smaller one did, and more.
    """
    return share >= MIN_SHARE and arm_of(contact_holdout(share), seed, customer_id).name == HELD_OUT


def held_out(reader: Reader, customer_ids: Iterable[str], share: float) -> frozenset[str]:
    """Which of these records are held out for good; nobody while `share` is below one in a million.

    Asked within a unit of work, each record is drawn and the draw written down before anything is done by it, and a
    draw once written stands over every later share. A mere reader leaves no trace: who was never drawn is answered
    as they would be drawn now. Ids stand for themselves: of merged records each has its own draw, and whoever asks
    for a family takes the strictest, so that nobody is freed by a merge.
    """
    ids = sorted(set(customer_ids))
    if share < MIN_SHARE or not ids:
        return frozenset()
    if isinstance(reader, UnitOfWork):
        drawn = enrol(reader, contact_holdout(share), [Unit(one) for one in ids])
        return frozenset(one.unit for one in drawn.values() if one.arm == HELD_OUT)
    drawn, seed = draws_of(reader, HOLDOUT, ids), seed_of(reader)
    return frozenset(
        one
        for one in ids
        if (drawn[one].arm == HELD_OUT if one in drawn else seed is not None and is_held_out(seed, one, share))
    )
