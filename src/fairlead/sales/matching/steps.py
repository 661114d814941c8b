"""The steps of a playbook about pairs of customers: compare them, and do what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead.kit.expressions import Environment
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks import RecordRun, Step, StepFailure, StepInput, StepKind, StepResult, plain_step
from fairlead.sales.matching.model import Band, Record
from fairlead.sales.matching.service import record_of, settle


def _compare(case: StepInput) -> StepResult:
    """Finds `score`, `confidence`, `band`, `relation`, `looks_same`, `keep_which`, `match_reasons`, `match_flags`."""
    # Here, because it loads rapidfuzz, which a process that never compares anything can do without.
    from fairlead.sales.matching.scoring import compare  # noqa: PLC0415

    first, second = case.facts.get("first"), case.facts.get("second")
    if not isinstance(first, dict) or not isinstance(second, dict):
        return StepFailure("no_pair", "the case has no two records under `first` and `second` to compare")
    left, right = record_of(first), record_of(second)
    match = compare(left, right)
    same = match.band is not Band.DIFFERENT
    return {
        "score": match.score,
        "confidence": match.score if same else round(1.0 - match.score, 4),
        "band": match.band.value,
        "relation": match.relation.value,
        "looks_same": same,
        "keep_which": "second" if _known(right) > _known(left) else "first",
        "match_reasons": [reason.as_dict() for reason in match.reasons],
        "match_flags": list(match.flags),
    }


def _known(record: Record) -> int:
    """How much is known: the record that knows more stays, the older one where both know as much."""
    return sum(len(value) if isinstance(value, list) else 1 for value in record.as_dict().values())


def _merge_customers(config: Node | None, _environment: Environment) -> RecordRun:
    """Takes no `with:`. Merges the pair when the fact `same` is true, else remembers that they are two.

    Finds `pair_outcome`: merged, already, different or gone.
    """
    if config is not None and not config.is_null:
        config.fail("merge-customers@1 takes no `with:`.")

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[StepResult]:
        found: dict[str, StepResult] = {}
        for case in sorted(cases, key=_lowest):  # one order for all workers, so that none wait in a ring
            facts = case.facts
            if not all(isinstance(facts.get(side), dict) and facts[side].get("id") for side in ("first", "second")):
                found[case.case_id] = StepFailure("no_pair", "the case does not say which two customers it is about")
            else:
                found[case.case_id] = {"pair_outcome": settle(uow, case.case_id, facts)}
        return [found[case.case_id] for case in cases]

    return run


def _lowest(case: StepInput) -> tuple[str, str]:
    ids: list[Any] = [(case.facts.get(side) or {}).get("id", "") for side in ("first", "second")]
    return min(map(str, ids)), case.case_id


STEPS = (
    plain_step("compare-customers@1", _compare),
    Step("merge-customers@1", StepKind.RECORD, _merge_customers),
)
