"""The step of the playbook about customers' requests: do what a person decided."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.kit.expressions import Environment
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks import RecordRun, Step, StepFailure, StepInput, StepKind, StepResult
from fairlead.rights.service import carry_out


def _carry_out(config: Node | None, _environment: Environment) -> RecordRun:
    """Takes no `with:`. Does what was asked for when the fact `carry_out` is true and a person decided so.

    Finds `rights_outcome`: done, refused, gone, another_person, nobody_decided, repeated, or failed with
    `rights_problem`.
    """
    if config is not None and not config.is_null:
        config.fail("carry-out-right@1 takes no `with:`.")

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[StepResult]:
        found: dict[str, StepResult] = {}
        for case in sorted(cases, key=lambda one: (one.customer_id or "", one.case_id)):
            if not case.facts.get("request"):
                found[case.case_id] = StepFailure("no_request", "the case does not say which request it is about")
            else:
                found[case.case_id] = carry_out(uow, case.case_id, case.facts)
        return [found[case.case_id] for case in cases]

    return run


STEPS = (Step("carry-out-right@1", StepKind.RECORD, _carry_out),)
