"""The step that gives a lead to a person, in the very transaction that moves its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fairlead.kit.expressions import Condition, Conditions, Environment, Unevaluable
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.kit.yamlmarks import Node
from fairlead.people import SKILL
from fairlead.playbooks import RecordRun, Step, StepFailure, StepInput, StepKind, StepResult
from fairlead.sales.routing.model import Ask, Given
from fairlead.sales.routing.service import assign_many

ASSIGN_OWNER = "assign-owner@1"
MAX_NEEDS = 100
DEFAULT_TEAM = "team"


class Need(NamedTuple):
    """A skill that some leads need; without `required` it is only preferred."""

    skill: str
    condition: Condition
    required: bool


class Wanted(NamedTuple):
    """What a stage's `with:` says: the fact that names the team, the skills, whether the owner is set."""

    team: str
    needs: tuple[Need, ...]
    together: Conditions
    own: bool

    def ask(self, environment: Environment, case: StepInput) -> Ask | StepFailure:
        """What is asked for a case; a failure where its facts name no team or break a condition."""
        team = case.facts.get(self.team)
        if not isinstance(team, str) or not team:
            return StepFailure("no_team", f"the fact {self.team!r} names no team")
        found: dict[bool, set[str]] = {True: set(), False: set()}
        results = self.together.evaluate(environment.bind(case.facts))
        for need, result in zip(self.needs, results, strict=True):
            if result is True:
                found[need.required].add(need.skill)
            elif isinstance(result, Unevaluable) and not result.missing:
                return StepFailure("skills", f"`{need.condition.source}` cannot be evaluated: {result.reason}")
        territory = case.facts.get("territory_found")
        return Ask(
            case.case_id, case.subject_id, case.customer_id, team, frozenset(found[True]),
            frozenset(found[False] - found[True]), territory=territory if isinstance(territory, Mapping) else {},
        )  # fmt: skip


def read_config(config: Node | None, environment: Environment) -> Wanted:
    """`with: {team: fact, skills: [{skill, when, need: required | preferred}], set_owner: true}`, all optional."""
    fields: Mapping[str, Node] = {}
    if config is not None and not config.is_null:
        fields = config.mapping(allowed=("team", "skills", "set_owner"))
    needs = []
    for item in fields["skills"].items(most=MAX_NEEDS) if "skills" in fields else []:
        arm = item.mapping(allowed=("need",), required=("skill", "when"))
        skill = arm["skill"].text(pattern=SKILL, what="a skill")
        required = "need" not in arm or arm["need"].one_of(("required", "preferred")) == "required"
        needs.append(Need(skill, environment.condition(arm["when"]), required))
    together = environment.together([need.condition for need in needs])
    team = fields["team"].name() if "team" in fields else DEFAULT_TEAM
    own = fields["set_owner"].boolean() if "set_owner" in fields else True
    return Wanted(team, tuple(needs), together, own)


def _configure(config: Node | None, environment: Environment) -> RecordRun:
    """Finds `owner` (a person's id, "" for nobody), `owner_name`, `assignment` (its id), `assignment_state`
    (`assigned`; `waiting` for somebody; `queued` without anybody) and `assignment_reason`.
    """
    wanted = read_config(config, environment)

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[StepResult]:
        asked = [wanted.ask(environment, case) for case in cases]
        given = iter(assign_many(uow, [one for one in asked if isinstance(one, Ask)], own=wanted.own))
        return [_found(next(given)) if isinstance(one, Ask) else one for one in asked]

    return run


def _found(given: Given) -> dict[str, Any]:
    state = "assigned" if given.person_id else "waiting" if given.hold else "queued"
    return {
        "owner": given.person_id or "", "owner_name": given.name, "assignment": given.assignment_id,
        "assignment_state": state, "assignment_reason": given.words,
    }  # fmt: skip


STEPS = (Step(ASSIGN_OWNER, StepKind.RECORD, _configure),)
