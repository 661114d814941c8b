"""What a policy is made of: facts, segments, rules; and what they make of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead.kit.expressions import Condition, Type, Unevaluable

if TYPE_CHECKING:
    from collections.abc import Hashable

    from fairlead.checkpoints.model import Path
    from fairlead.checkpoints.record import Trace


@dataclass(frozen=True, slots=True)
class Fact:
    """A declared fact: `source` is signal, answer, customer, subject or now; `field` the name there.

    A fact that is not `required` and has no `default` makes rules that read it impossible to evaluate when
    it is missing, which sends the case to a person.
    """

    name: str
    type: Type
    source: str
    field: str
    required: bool = False
    default: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A named part of the cases, chosen where all `when` are true."""

    name: str
    when: Condition
    description: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When all of `when` is true, the case goes no looser than `path`.

    `role` and `quorum` ask for deciders: None for role means the policy's own reviewer. `words` are for
    staff,
    `customer` for the customer; empty means a general sentence.
    """

    id: str
    when: Condition
    path: Path
    words: str
    customer: str = ""
    role: str | None = None
    quorum: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the conditions of a policy gave for one case; shared by, and compared by identity between, like
    cases.

    `hits` are indexes of matching rules; `failed` pairs the index of a rule with why it could not be
    evaluated;
    `traces` is filled by rulings and keeps what they share.
    `segment_problem` is why the segment cannot be told (the case then counts as `other`).
    """

    segment: str
    segment_problem: Unevaluable | None
    hits: tuple[int, ...]
    failed: tuple[tuple[int, Unevaluable], ...]
    traces: dict[Hashable, Trace] = field(default_factory=dict)
