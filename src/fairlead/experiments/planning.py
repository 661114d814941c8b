"""Declared experiments: put into force by a deploy, stopped by a person, and how each of them stands."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.errors import ConflictError, InputError, NotFoundError, SourceError
from fairlead.experiments import plan_store
from fairlead.experiments.parsing import FILE, parse_plans
from fairlead.experiments.plan_store import PlanRow
from fairlead.experiments.plans import Plan, PlanState, Standing
from fairlead.experiments.seeds import ensure_seed
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean

MAX_REASON_CHARS = 500


def standing_plans(reader: Reader) -> dict[str, Standing]:
    """Every experiment that was ever declared, by name, as it stands now."""
    return {row.experiment: _standing(row) for row in plan_store.newest(reader)}


def standing_plan(reader: Reader, name: str) -> Standing | None:
    """One of them; None for a name that was never declared."""
    row = plan_store.newest_of(reader, name)
    return None if row is None else _standing(row)


def _standing(row: PlanRow) -> Standing:
    plan = parse_plans(row.text)[row.experiment]
    return Standing(plan, PlanState(row.state), row.winner, row.reason, row.by, row.at)


def deploy_experiments(uow: UnitOfWork, actor: Actor, text: str | None) -> list[str]:
    """Put the workspace's `experiments.yaml` into force (None: there is none); names of those that changed.

    One that the file names no more is withdrawn; a stopped one stays stopped until it has another version. SourceError
    for a mistake, for a version lower than before, and where anything that decides who is drawn or how it is judged
    changes under a version in which somebody was drawn.
    """
    plans = parse_plans(text) if text is not None else {}
    known = {row.experiment: row for row in plan_store.newest(uow)}
    changed = [plan for name, plan in sorted(plans.items()) if _differs(uow, plan, known.get(name))]
    gone = [row for name, row in known.items() if name not in plans and row.state != PlanState.WITHDRAWN]
    if changed:
        ensure_seed(uow)
    for plan in changed:
        _put(uow, actor, plan, text or "", known.get(plan.name))
    for row in gone:
        _write(uow, actor, row._replace(state=PlanState.WITHDRAWN, reason=""), "experiment.withdrawn")
    return sorted([*(plan.name for plan in changed), *(row.experiment for row in gone)])


def _differs(uow: UnitOfWork, plan: Plan, row: PlanRow | None) -> bool:
    """Whether the plan is another than the one that counts; SourceError where it may not be."""
    if row is None:
        return True
    before = parse_plans(row.text)[plan.name]
    if plan.version < before.version:
        message = f"{plan.name} was deployed as version {before.version}; {plan.version} is lower."
        hint = f"Write version: {before.version + 1}."
        raise SourceError(message, plan.place, suggestion=hint, code="experiment_version")
    same = plan.version == before.version and plan.frozen != before.frozen
    if same and plan_store.began(uow, plan.name, before.experiment.version):
        message = (
            f"Customers were drawn in version {plan.version} of {plan.name}: its arms, shares, eligibility, start, "
            "outcome and per_arm stay as they are."
        )
        hint = f"Write version: {plan.version + 1}; who was drawn keeps the arm, and each version is judged by itself."
        raise SourceError(message, plan.place, suggestion=hint, code="experiment_version")
    return plan.digest != before.digest or row.state == PlanState.WITHDRAWN


def _put(uow: UnitOfWork, actor: Actor, plan: Plan, text: str, row: PlanRow | None) -> None:
    state, winner, reason = PlanState.RUNNING, None, ""
    if row is not None and row.winner in {arm.name for arm in plan.arms}:
        before = parse_plans(row.text)[plan.name]
        if before.version == plan.version:  # taken out and brought back, or other words: what was decided stands
            state, winner, reason = PlanState.STOPPED, row.winner, row.reason
    fresh = PlanRow(plan.name, plan.digest, text, state, winner, reason, str(actor), uow.now)
    _write(uow, actor, fresh, "experiment.deployed")


def stop_experiment(uow: UnitOfWork, actor: Actor, name: str, arm: str, reason: str = "") -> bool:
    """From now on nobody is drawn, and everybody new gets `arm` without being counted; False: it is so already.

    Who was drawn keeps their arm. NotFoundError for an experiment that is not declared, InputError for an arm that it
    has not, ConflictError where it was stopped for another one.
    """
    row = plan_store.newest_of(uow, name)
    if row is None or row.state == PlanState.WITHDRAWN:
        message = f"experiments.yaml declares no experiment {name!r:.80}, as far as it was deployed"
        raise NotFoundError(message, experiment=name[:64])
    arms = [one.name for one in parse_plans(row.text)[name].arms]
    if arm not in arms:
        message = f"{name} has no arm {arm!r:.80}. {did_you_mean(arm, arms)}"
        raise InputError(message, field="arm")
    if len(reason) > MAX_REASON_CHARS:
        message = f"the reason has {len(reason)} characters; at most {MAX_REASON_CHARS} are kept"
        raise InputError(message, field="reason")
    if row.winner == arm:
        return False
    if row.winner is not None:
        message = f"{name} was stopped for {row.winner} already; another version of it can be drawn anew"
        raise ConflictError(message, experiment=name, arm=row.winner)
    stopped = row._replace(state=PlanState.STOPPED, winner=arm, reason=reason)
    _write(uow, actor, stopped, "experiment.stopped")
    return True


def _write(uow: UnitOfWork, actor: Actor, row: PlanRow, verb: str) -> None:
    fresh = row._replace(by=str(actor), at=uow.now)
    plan_store.insert_plan(uow, fresh)
    plan = parse_plans(row.text)[row.experiment]
    payload = {
        "version": plan.version, "digest": row.digest, "state": str(row.state), "winner": row.winner,
        "reason": row.reason, "arms": [list(arm) for arm in plan.arms], "per_arm": plan.per_arm,
        "eligible": plan.condition, "outcome": plan.goal.words,
    }  # fmt: skip
    uow.record(AuditEntry(verb, row.experiment, payload, actor=actor))


def check_plans(files: Mapping[str, str]) -> tuple[Mapping[str, Plan], list[SourceError]]:
    """The plans among a workspace's files, and what is wrong with them."""
    text = files.get(FILE)
    if text is None:
        return {}, []
    try:
        return parse_plans(text), []
    except SourceError as error:
        return {}, [error]
