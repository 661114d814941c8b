"""Steps of a nurture: telling what a reply asks for, honouring an opt-out, and gathering what a child case needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead.customers import withdraw_all
from fairlead.errors import Place, SourceError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.expressions import Environment
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks import RecordRun, Step, StepFailure, StepInput, StepKind, StepResult, StepRun
from fairlead.sales.nurture.replies import ReplyKind, read_reply

MAX_GATHERED = 100
MACHINE = Actor(ActorKind.MACHINE, "reply-rules@1")
_PROPOSED = {
    ReplyKind.MEANINGFUL: "assign",
    ReplyKind.UNCLEAR: "assign",
    ReplyKind.DECLINED: "close",
    ReplyKind.OPT_OUT: "close",
    ReplyKind.AUTO: "keep",
    ReplyKind.COURTESY: "keep",
}


def _read_reply(config: Node | None, _environment: Environment) -> StepRun:
    """Finds `reply_kind`, `reply_why`, `reply_quote` and `reply_do` (assign, keep or close) from the fact `reply`.

    Kinds: opt_out, auto_reply, declined, courtesy, meaningful, unclear. No text counts as unclear.
    """
    if config is not None and not config.is_null:
        config.fail("read-reply@1 takes no `with:`.")

    def one(case: StepInput) -> StepResult:
        text = case.facts.get("reply")
        found = read_reply(text if isinstance(text, str) else "")
        return {
            "reply_kind": found.kind.value,
            "reply_why": found.why,
            "reply_quote": found.quote,
            "reply_do": _PROPOSED[found.kind],
        }

    return lambda cases: [one(case) for case in cases]


def _stop_writing(config: Node | None, _environment: Environment) -> RecordRun:
    """Withdraws every consent of the customer and shuts each address of theirs to promotions; tells other cases.

    The withdrawal carries the words that were said. It holds whatever the case does next. What is about an order or a
    request of theirs still reaches them.
    """
    if config is not None and not config.is_null:
        config.fail("stop-writing@1 takes no `with:`.")

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[StepResult]:
        return [_stop_one(uow, case) for case in cases]

    return run


def _stop_one(uow: UnitOfWork, case: StepInput) -> StepResult:
    if case.customer_id is None:
        return StepFailure("no_customer", "nobody is known whose wish this is")
    proof: dict[str, Any] = {"case": case.case_id, "words": str(case.facts.get("reply_quote") or "")}
    source = f"case {case.case_id}"
    withdraw_all(uow, MACHINE, case.customer_id, source=source, mechanism="reply", proof=proof)
    return {"opted_out": True}


def _gather(config: Node | None, _environment: Environment) -> StepRun:
    """`with: {into: NAME, facts: [FACT, …]}`: a list of one item with those facts, for a stage that spawns one child.

    Facts that the case lacks are left out.
    """
    if config is None:
        message = "the step needs `with: {into: …, facts: […]}`."
        raise SourceError(message, Place("playbook"), code="missing_key")
    fields = config.mapping(allowed=(), required=("into", "facts"))
    into = fields["into"].name()
    names = [item.name() for item in fields["facts"].items(least=1, most=MAX_GATHERED)]

    def one(case: StepInput) -> StepResult:
        return {into: [{name: case.facts[name] for name in names if name in case.facts}]}

    return lambda cases: [one(case) for case in cases]


STEPS = (
    Step("read-reply@1", StepKind.PURE, _read_reply),
    Step("stop-writing@1", StepKind.RECORD, _stop_writing),
    Step("gather@1", StepKind.PURE, _gather),
)
