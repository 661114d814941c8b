"""Draws that a retry cannot change: a keyed hash of what is decided, not of when or how often."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

_SCALE = 2.0**-53
_SHIFT = 64 - 53

LOTTERY = "lottery"
EXPERIMENT = "experiment"


class Draws(NamedTuple):
    """The numbers drawn for one decision before anything about it was read, each in [0, 1)."""

    lottery: float
    experiment: float


def draw(seed: bytes, checkpoint: str, decision_key: str, purpose: str) -> float:
    """A number in [0, 1), uniform over decision keys, the same on every retry and machine.

    The top 53 bits of HMAC-SHA256(seed, length-prefixed names), so that no two triples of names run together.
    Different purposes give independent numbers: a case in the lottery is no likelier to be in an experiment.
    """
    parts = [part.encode("utf-8", "surrogatepass") for part in (checkpoint, decision_key, purpose)]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    digest = hmac.digest(seed, message, hashlib.sha256)
    return (int.from_bytes(digest[:8], "big") >> _SHIFT) * _SCALE


def draws_for(seed: bytes, checkpoint: str, decision_key: str) -> Draws:
    """Both draws of one decision; `decision_key` must be stable over retries (case and stage, or
    idempotency key).
    """
    return Draws(
        draw(seed, checkpoint, decision_key, LOTTERY),
        draw(seed, checkpoint, decision_key, EXPERIMENT),
    )
