"""Steps: what computes inside a playbook; registered under `name@major` and configured from the stage's YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fairlead.errors import InputError, SourceError
from fairlead.kit.expressions import Environment
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks.model import Playbook, StepInput, StepKind, StepResult

StepRun = Callable[[Sequence[StepInput]], Sequence[StepResult]]
"""One result per case, in order; raises only when the whole call is broken."""

RecordRun = Callable[[UnitOfWork, Sequence[StepInput]], Sequence[StepResult]]
"""The same for a record step, in the unit of work that moves the cases: what it writes and audits is kept or
forgotten with their move. It locks what cases share in sorted order, does nothing slow, and has written nothing for
a case that it gives a StepFailure."""

Configure = Callable[[Node | None, Environment], "StepRun | RecordRun"]
"""Reads the stage's `with:` (None when absent) once; raises SourceError at the place of a mistake."""

FileCheck = Callable[[Mapping[str, str], Mapping[str, Playbook]], Sequence[SourceError]]
"""Looks at a workspace's files that other rooms read (by path) and says what is wrong with them."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}@[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Step:
    """A registered step; `name` is `name@major`, and a change that old cases would notice is a new major."""

    name: str
    kind: StepKind
    configure: Configure
    line: int = 0
    """Where the workspace's file defines it; 0 for built-in ones."""
    plain: bool = False
    """Its results are plain JSON by construction: they are not looked through once more."""


class StepRegistry:
    """The steps that this build has."""

    def __init__(self, steps: Sequence[Step] = (), checks: Sequence[FileCheck] = ()) -> None:
        """Start with `steps`; `checks` are for files of the workspace that are neither playbook, policy nor step."""
        self._steps: dict[str, Step] = {}
        self.checks = tuple(checks)
        for step in steps:
            self.add(step)

    def add(self, step: Step) -> None:
        """InputError for a malformed name or one that is taken."""
        if not _NAME.fullmatch(step.name):
            message = f"{step.name!r} is not a step's name; write name@1"
            raise InputError(message, code="step_name")
        if step.name in self._steps:
            message = f"there are two steps named {step.name!r}"
            raise InputError(message, code="step_name")
        self._steps[step.name] = step

    def find(self, name: str) -> Step | None:
        """The step of exactly this name and major, None when this build lacks it."""
        return self._steps.get(name)

    def names(self) -> list[str]:
        """Every `name@major`, sorted."""
        return sorted(self._steps)

    def with_more(self, steps: Sequence[Step]) -> StepRegistry:
        """A copy that has `steps` too."""
        return StepRegistry([*self._steps.values(), *steps], self.checks)


def plain_step(
    name: str, run: Callable[[StepInput], Mapping[str, object] | StepResult], kind: StepKind = StepKind.PURE
) -> Step:
    """A step without configuration that looks at one case at a time."""

    def configure(config: Node | None, _environment: Environment) -> StepRun:
        if config is not None and not config.is_null:
            config.fail(f"{name} takes no `with:`.")
        return lambda cases: [run(case) for case in cases]

    return Step(name, kind, configure)
