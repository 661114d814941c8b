"""Draws that a retry cannot change: a keyed hash of what is decided, not of when or how often."""

from __future__ import annotations

from typing import NamedTuple

from fairlead.kit import draws

LOTTERY = "lottery"
EXPERIMENT = "experiment"


class Draws(NamedTuple):
    """The numbers drawn for one decision before anything about it was read, each in [0, 1)."""

    lottery: float
    experiment: float


def draw(seed: bytes, checkpoint: str, decision_key: str, purpose: str) -> float:
    """A number in [0, 1), uniform over decision keys, the same on every retry and machine.

    Different purposes give independent numbers: a case in the lottery is no likelier to be in an experiment.
    """
    return draws.draw(seed, checkpoint, decision_key, purpose)


def draws_for(seed: bytes, checkpoint: str, decision_key: str) -> Draws:
    """Both draws of one decision; `decision_key` must be stable over retries (case and stage, or
    idempotency key).
    """
    return Draws(
        draw(seed, checkpoint, decision_key, LOTTERY),
        draw(seed, checkpoint, decision_key, EXPERIMENT),
    )
