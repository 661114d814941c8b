"""Stepping into a running case: pause, redirect, skip, take over, hand back, cancel, retry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.actions import withdraw_of_case
from fairlead.errors import ConflictError, InputError
from fairlead.jobs import WorkLane
from fairlead.kit.actors import Actor
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.events import Event, publish
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import store
from fairlead.playbooks.bundles import BundleLibrary
from fairlead.playbooks.model import ALLOWED, CaseState, CaseVerb, EndStage, Playbook, main_road
from fairlead.reviews import withdraw_for_case, withdraw_for_ruling

_PLAINLY = {CaseState.EXCEPTION: "in the exceptions queue"}
"""States whose name does not stand behind “a case that is”."""


def steer(
    uow: UnitOfWork,
    library: BundleLibrary,
    actor: Actor,
    case_id: str,
    verb: CaseVerb,
    *,
    stage: str | None = None,
    reason: str = "",
    version: int | None = None,
) -> str:
    """Do `verb` to a case; returns its state afterwards.

    `stage` is where redirect and hand_back put it (hand_back: None = where it was taken). `version` None means
    whatever the case is now; otherwise ConflictError when it has changed since. ConflictError too when the verb is
    not allowed in the case's state, InputError for a stage that its playbook does not have.
    """
    row = store.read_case(uow, case_id, lock=True)
    state = CaseState(row.state)
    if version is not None and row.version != version:
        message = "the case changed since you looked at it; look again"
        raise ConflictError(message, case=case_id, version=row.version)
    if state not in ALLOWED[verb]:
        message = f"a case that is {_PLAINLY.get(state, state.value)} cannot be told to {verb.value.replace('_', ' ')}"
        raise ConflictError(message, case=case_id, state=state.value)
    playbook = library.load(uow, row.bundle).playbooks[row.playbook].playbook
    values = _VERBS[verb](uow, playbook, row, actor, stage, reason)
    if not store.change_case(uow, case_id, row.version, values):
        message = "the case moved on at this very moment; look again"
        raise ConflictError(message, case=case_id)
    payload = {"from": row.stage, "state": state.value, "reason": reason, **_shown(values)}
    uow.record(AuditEntry(f"case.{_PAST[verb]}", case_id, payload, row.customer_id, actor))
    if values["state"] == CaseState.ENDED.value and row.parent_id:
        publish(uow, Event("case.ended", row.parent_id, {"child": case_id}))
    return str(values["state"])


def end_cases(
    uow: UnitOfWork, actor: Actor, case_ids: Iterable[str], why: str, *, rulings: Iterable[str] = ()
) -> list[str]:
    """Cancel those of these cases that are open, wherever they stand; their ids. Whoever works on one has lost it.

    `rulings` are decisions whose open reviews are withdrawn, too: those that programs asked for have no case.
    """
    ended = []
    for case_id in sorted(set(case_ids)):
        row = store.read_case(uow, case_id, lock=True)
        if row.ended_at is not None:
            continue
        values = _cancel(uow, None, row, actor, None, why)
        if store.change_case(uow, case_id, row.version, values):
            payload = {"from": row.stage, "state": row.state, "reason": why, **_shown(values)}
            uow.record(AuditEntry("case.cancelled", case_id, payload, row.customer_id, actor))
            ended.append(case_id)
            if row.parent_id:
                publish(uow, Event("case.ended", row.parent_id, {"child": case_id}))
    for ruling_id in sorted(set(rulings)):
        withdraw_for_ruling(uow, ruling_id, actor, why)
    return ended


def withdraw_work(uow: UnitOfWork, row: Any, actor: Actor, why: str) -> None:
    """Take back the reviews and unsent actions of a case."""
    withdraw_for_case(uow, row.id, actor, why)
    withdraw_of_case(uow, row.id, actor)


def to_stage(uow: UnitOfWork, row: Any, stage: str, actor: Actor, why: str) -> dict[str, Any]:
    """What makes a case go on at `stage` at once; what it had under way is taken back."""
    withdraw_work(uow, row, actor, why)
    return {
        "stage": stage, "state": CaseState.READY.value, "due_at": uow.now, "wait_type": None, "wait_key": None,
        "signal": None, "problem": None, "resume": None, "attempt": 1, "lane": WorkLane.INTERACTIVE.value,
        "hops": row.hops + 1, "leases": 0,
    }  # fmt: skip


def _checked_stage(playbook: Playbook, stage: str | None) -> str:
    if stage is None or stage not in playbook.stages:
        hint = did_you_mean(stage or "", playbook.stages) or ""
        message = f"{playbook.name} has no stage {stage!r}. {hint}".rstrip()
        raise InputError(message, code="no_stage", stage=stage)
    return stage


def _pause(
    uow: UnitOfWork, _playbook: Playbook, row: Any, actor: Actor, _stage: str | None, reason: str
) -> dict[str, Any]:
    del uow
    resume = {"state": row.state, "due_at": to_micros(row.due_at), "by": str(actor), "reason": reason}
    return {"state": CaseState.PAUSED.value, "resume": resume}


def _resume(
    uow: UnitOfWork, _playbook: Playbook, row: Any, _actor: Actor, _stage: str | None, _reason: str
) -> dict[str, Any]:
    before = row.resume or {}
    if before.get("taken_by"):
        message = "somebody took this case over; it goes on when they hand it back"
        raise ConflictError(message, case=row.id, by=before["taken_by"])
    if row.signal is not None or before.get("state") == CaseState.READY.value:
        return {
            "state": CaseState.READY.value,
            "due_at": uow.now,
            "resume": None,
            "lane": WorkLane.INTERACTIVE.value,
        }
    return {"state": CaseState.WAITING.value, "due_at": from_micros(before["due_at"]), "resume": None}


def _redirect(
    uow: UnitOfWork, playbook: Playbook, row: Any, actor: Actor, stage: str | None, reason: str
) -> dict[str, Any]:
    return to_stage(uow, row, _checked_stage(playbook, stage), actor, reason or "redirected")


def _skip(
    uow: UnitOfWork, playbook: Playbook, row: Any, actor: Actor, _stage: str | None, reason: str
) -> dict[str, Any]:
    target = main_road(playbook.stages[row.stage])
    if target is None or isinstance(playbook.stages[row.stage], EndStage):
        message = f"stage {row.stage!r} is an end; there is nothing to skip to"
        raise ConflictError(message, case=row.id)
    return to_stage(uow, row, target, actor, reason or "skipped")


def _take_over(
    uow: UnitOfWork, _playbook: Playbook, row: Any, actor: Actor, _stage: str | None, reason: str
) -> dict[str, Any]:
    withdraw_work(uow, row, actor, reason or "taken over")
    resume = {"taken_by": str(actor), "stage": row.stage, "reason": reason}
    return {
        "state": CaseState.PAUSED.value, "resume": resume, "wait_type": None, "wait_key": None, "signal": None,
        "problem": None,
    }  # fmt: skip


def _hand_back(
    uow: UnitOfWork, playbook: Playbook, row: Any, actor: Actor, stage: str | None, reason: str
) -> dict[str, Any]:
    if not (row.resume or {}).get("taken_by"):
        message = "this case is paused, not taken over; resume it"
        raise ConflictError(message, case=row.id)
    target = _checked_stage(playbook, stage) if stage else row.stage
    return to_stage(uow, row, target, actor, reason or "handed back")


def _cancel(
    uow: UnitOfWork, _playbook: Playbook | None, row: Any, actor: Actor, _stage: str | None, reason: str
) -> dict[str, Any]:
    withdraw_work(uow, row, actor, reason or "cancelled")
    return {
        "state": CaseState.ENDED.value, "end": "cancelled", "ended_at": uow.now, "wait_type": None, "wait_key": None,
        "signal": None, "resume": None, "problem": None,
    }  # fmt: skip


def _retry(
    uow: UnitOfWork, _playbook: Playbook, row: Any, actor: Actor, _stage: str | None, _reason: str
) -> dict[str, Any]:
    return to_stage(uow, row, row.stage, actor, "retried")


_VERBS = {
    CaseVerb.PAUSE: _pause,
    CaseVerb.RESUME: _resume,
    CaseVerb.REDIRECT: _redirect,
    CaseVerb.SKIP: _skip,
    CaseVerb.TAKE_OVER: _take_over,
    CaseVerb.HAND_BACK: _hand_back,
    CaseVerb.CANCEL: _cancel,
    CaseVerb.RETRY: _retry,
}
_PAST = {
    CaseVerb.PAUSE: "paused",
    CaseVerb.RESUME: "resumed",
    CaseVerb.REDIRECT: "redirected",
    CaseVerb.SKIP: "skipped",
    CaseVerb.TAKE_OVER: "taken_over",
    CaseVerb.HAND_BACK: "handed_back",
    CaseVerb.CANCEL: "cancelled",
    CaseVerb.RETRY: "retried",
}


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"to": values.get("stage"), "now": values["state"]}
