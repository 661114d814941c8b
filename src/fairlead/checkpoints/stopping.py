"""Stop switches: everything in a scope goes to people, and nothing automatic leaves."""

from __future__ import annotations

from fairlead.actions import Scope, ScopeKind, hold_for, release_for
from fairlead.checkpoints import grant_store
from fairlead.errors import ConflictError, InputError
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork


def switch_stop(uow: UnitOfWork, actor: Actor, scope: str, words: str) -> int:
    """Send everything in `scope` to people from now on, and hold its undelivered automatic actions.

    `scope` is `workspace`, `playbook:NAME` or `checkpoint:NAME`. Returns how many actions were held.
    """
    stopped = _scope(scope)
    if not grant_store.insert_stop(uow, scope, words, str(actor)):
        message = f"{scope} is stopped already"
        raise ConflictError(message, scope=scope)
    held = hold_for(uow, stopped, actor)
    uow.record(AuditEntry("stop.set", scope, {"words": words, "held": held}, actor=actor))
    return held


def lift_stop(uow: UnitOfWork, actor: Actor, scope: str) -> int:
    """Let automation go on in `scope`; returns how many held actions go out after all."""
    if not grant_store.delete_stop(uow, scope):
        message = f"{scope} is not stopped"
        raise ConflictError(message, scope=scope)
    released = release_for(uow, _scope(scope), actor)
    uow.record(AuditEntry("stop.lifted", scope, {"released": released}, actor=actor))
    return released


def _scope(text: str) -> Scope:
    kind, _, name = text.partition(":")
    whole = text == ScopeKind.WORKSPACE.value  # `workspace:` would be held but never seen by a ruling
    if not whole and (kind not in {ScopeKind.PLAYBOOK.value, ScopeKind.CHECKPOINT.value} or not name):
        message = f"{text!r} cannot be stopped; give workspace, playbook:NAME or checkpoint:NAME"
        raise InputError(message, code="stop_scope")
    return Scope(ScopeKind(kind), name)
