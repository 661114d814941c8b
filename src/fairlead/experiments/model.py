"""What an experiment is, and which arm a draw falls into; pure."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fairlead.errors import InputError
from fairlead.kit.draws import draw
from fairlead.kit.jsons import dumps

MAX_ARMS = 10
MIN_SHARE = 0.000_001
MAX_UNIT_CHARS = 200
CUSTOMER = "customer"
"""Units that are customers: their draws stand in the audit record under the customer's own key."""
_SUM_SLACK = 1e-9
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*\Z", re.ASCII)
_MAX_NAME_CHARS = 64


class Arm(NamedTuple):
    """A side of an experiment with the share of units (above 0, below 1) that is drawn into it."""

    name: str
    share: float


@dataclass(frozen=True)
class Experiment:
    """Arms in order; InputError for fewer than 2 or more than 10, bad or double names, shares that are not 1 together.

    `nested` True draws by the name alone and not by name and version, so that an edited share moves the border of
    the first arm: a unit that was never drawn falls, with a larger first share, where it did before or into the first
    arm. Units drawn before keep their arm either way.
    """

    name: str
    arms: tuple[Arm, ...]
    unit: str = CUSTOMER
    nested: bool = False
    edition: str = ""
    """What else makes another version of it: the digest of a declared plan; "" for none."""

    def __post_init__(self) -> None:
        for name in (self.name, self.unit, *(arm.name for arm in self.arms)):
            if len(name) > _MAX_NAME_CHARS or not _NAME.match(name):
                message = f"{name!r:.80} is no name: small letters, digits and hyphens, a letter first, at most 64"
                raise InputError(message, field="name")
        if not 2 <= len(self.arms) <= MAX_ARMS:  # noqa: PLR2004  one arm compares with nothing
            message = f"experiment {self.name} has {len(self.arms)} arms; give it 2 to {MAX_ARMS}"
            raise InputError(message, field="arms")
        if len({arm.name for arm in self.arms}) < len(self.arms):
            message = f"two arms of experiment {self.name} have one name"
            raise InputError(message, field="arms")
        for arm in self.arms:
            if not MIN_SHARE <= arm.share < 1:  # NaN is refused, too
                message = f"the share of arm {arm.name} is {arm.share!r}; it lies between {MIN_SHARE} and 1"
                raise InputError(message, field="share")
        total = math.fsum(arm.share for arm in self.arms)
        if abs(total - 1) > _SUM_SLACK:
            message = f"the shares of experiment {self.name} are {total:.6g} together, not 1"
            raise InputError(message, field="share")

    @property
    def version(self) -> str:
        """A digest of name, unit, arms, shares and edition: the same content is the same version, whoever wrote it."""
        more = [self.edition] if self.edition else []
        content = dumps([self.name, self.unit, self.nested, [list(arm) for arm in self.arms], *more])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


class Unit(NamedTuple):
    """Something that may be drawn; `why` says why it is not eligible, "" for one that is.

    `facts` is a digest of what eligibility was judged on, `case_id` the case that asked.
    """

    key: str
    why: str = ""
    facts: str = ""
    case_id: str | None = None


class Draw(NamedTuple):
    """Where a unit stands, for good: `arm` None and `probability` 0 for one that was not eligible when first asked.

    `probability` is the share of the arm in the version of then.
    """

    unit: str
    arm: str | None
    probability: float
    version: str
    why: str
    at: datetime
    facts: str = ""
    case_id: str | None = None


def arm_of(experiment: Experiment, seed: bytes, unit: str) -> Arm:
    """The arm into which the seed puts this unit; hangs on nothing else."""
    names = (experiment.name,) if experiment.nested else ("experiment", experiment.name, experiment.version)
    point, border = draw(seed, *names, unit), 0.0
    for arm in experiment.arms[:-1]:
        border += arm.share
        if point < border:
            return arm
    return experiment.arms[-1]


def check_units(units: tuple[Unit, ...]) -> None:
    """InputError for a unit without a key, with one beyond 200 characters, or given twice."""
    for one in units:
        if not 1 <= len(one.key) <= MAX_UNIT_CHARS:
            message = f"{one.key!r:.80} is no key of a unit: 1 to {MAX_UNIT_CHARS} characters"
            raise InputError(message, field="unit")
    if len({one.key for one in units}) < len(units):
        raise InputError("A unit is given twice.", field="unit")
