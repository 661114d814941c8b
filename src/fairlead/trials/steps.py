"""The step that gives a case the arm of an experiment, drawn in the very transaction that moves the case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from fairlead.errors import Place, SourceError
from fairlead.experiments import GoalKind, Meeting, Plan, check_plans, expose, standing_plan
from fairlead.kit.expressions import Condition, Environment, Unevaluable
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.kit.yamlmarks import Node, did_you_mean
from fairlead.playbooks import (
    EndStage,
    Playbook,
    RecordRun,
    Step,
    StepFailure,
    StepInput,
    StepKind,
    StepResult,
    StepStage,
)

EXPERIMENT = "experiment@1"
DEFAULT_INTO = "arm"
NOT_MET = "the arm does not matter here"


class Wanted(NamedTuple):
    """What a stage's `with:` says: which experiment, the fact that gets the arm, and when the arm matters at all."""

    name: str
    into: str
    when: Condition | None

    def matters(self, environment: Environment, case: StepInput) -> bool | StepFailure:
        """Whether this case meets the experiment; a failure where that cannot be told."""
        if self.when is None:
            return True
        result = self.when.evaluate(environment.bind(case.facts))
        if isinstance(result, Unevaluable):
            return StepFailure("experiment", f"`{self.when.source}` cannot be evaluated: {result.reason}")
        return result


def read_config(config: Node | None, environment: Environment) -> Wanted:
    """`with: {name: EXPERIMENT, into: FACT, when: condition}`; into is `arm`, when is always, where not given."""
    if config is None:
        message = "the step needs `with: {name: …}`."
        raise SourceError(message, Place("playbook"), code="missing_key")
    fields = config.mapping(allowed=("into", "when"), required=("name",))
    into = fields["into"].text(max_chars=60, pattern=r"[a-z][a-z0-9_]*", what="a fact") if "into" in fields else ""
    when = environment.all_of(fields["when"]) if "when" in fields else None
    return Wanted(fields["name"].name(), into or DEFAULT_INTO, when)


def _configure(config: Node | None, environment: Environment) -> RecordRun:
    """Finds the arm under the name that `into` says, and under that name with `_why` how it came by it: `drawn`, or
    why it was not drawn and the customer does not count.
    """
    wanted = read_config(config, environment)

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[StepResult]:
        standing = standing_plan(uow, wanted.name)
        if standing is None:
            return [StepFailure("no_experiment", f"no experiment {wanted.name!r} was deployed") for _ in cases]
        matters = [wanted.matters(environment, case) for case in cases]
        met = [case for case, one in zip(cases, matters, strict=True) if one is True]
        arms = iter(expose(uow, wanted.name, [Meeting(one.customer_id, one.case_id, one.facts) for one in met]))
        found: list[StepResult] = []
        for one in matters:
            if isinstance(one, StepFailure):
                found.append(one)
                continue
            arm, why = next(arms) if one else (standing.winner or standing.plan.otherwise, NOT_MET)
            found.append({wanted.into: arm, f"{wanted.into}_why": why})
        return found

    return run


def check_experiments(files: Mapping[str, str], playbooks: Mapping[str, Playbook]) -> list[SourceError]:
    """What is wrong with `experiments.yaml`, and stages that do not fit it."""
    plans, errors = check_plans(files)
    if errors:
        return errors
    return [error for playbook in playbooks.values() for error in _of_playbook(playbook, plans)]


def _of_playbook(playbook: Playbook, plans: Mapping[str, Plan]) -> Iterator[SourceError]:
    for stage in playbook.stages.values():
        if not isinstance(stage, StepStage) or stage.step != EXPERIMENT or stage.config is None:
            continue
        try:
            wanted = read_config(stage.config, playbook.environment)
        except SourceError:  # told with the steps' own
            continue
        plan = plans.get(wanted.name)
        if plan is None:
            node = stage.config.mapping()["name"]
            message = f"experiments.yaml declares no experiment {wanted.name!r}."
            yield SourceError(message, node.place, suggestion=did_you_mean(wanted.name, plans), code="dangling")
            continue
        yield from _unfit(playbook, plan)


def _unfit(playbook: Playbook, plan: Plan) -> Iterator[SourceError]:
    for fact, kind in plan.environment.variables.items():
        there = playbook.environment.variables.get(fact)
        if there is not None and there is not kind:
            message = f"{plan.name} reads {fact} as {kind.value}, and playbook {playbook.name} as {there.value}."
            yield SourceError(message, plan.place, suggestion="Give the fact one type.", code="wrong_type")
    ends = {stage.end for stage in playbook.stages.values() if isinstance(stage, EndStage)}
    if plan.goal.kind is GoalKind.ENDED and ends.isdisjoint(plan.goal.names):
        message = f"{plan.name}: playbook {playbook.name} ends as none of {', '.join(plan.goal.names)}."
        yield SourceError(message, plan.place, suggestion=did_you_mean(plan.goal.names[0], ends), code="dangling")


STEPS = (Step(EXPERIMENT, StepKind.RECORD, _configure),)
