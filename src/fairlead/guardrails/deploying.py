"""The rules in force: put into force by a deploy, read by the gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.customers import Downstream, set_downstreams
from fairlead.experiments import PLANS_FILE, deploy_experiments, ensure_seed
from fairlead.guardrails import store
from fairlead.guardrails.parsing import FILE, parse_rules
from fairlead.guardrails.rules import DEFAULT, ContactRules
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

FILES = (FILE, PLANS_FILE)
"""The files of a workspace that `deploy_files` reads."""


def current_rules(reader: Reader) -> ContactRules:
    """The rules in force, the built-in ones where the workspace deployed none."""
    text = store.rules_text(reader)
    return parse_rules(text) if text else DEFAULT


def deploy_rules(uow: UnitOfWork, actor: Actor, text: str | None) -> bool:
    """Put the workspace's `contact.yaml` into force, or with None the built-in rules; False: they are already.

    The audit entry holds the whole text: by whose word who may be written to, and when, stays provable.
    SourceError for a mistake in it.
    """
    rules = parse_rules(text) if text is not None else DEFAULT
    if rules.holdout_share:
        ensure_seed(uow)
    set_downstreams(uow, actor, [Downstream(o.name, o.connector, tuple(sorted(o.purposes))) for o in rules.downstreams])
    before = current_rules(uow)
    if before.version == rules.version:
        return False
    row_id = store.insert_rules(uow, rules.version, text or "", str(actor))
    payload = {"version": rules.version, "before": before.version, "text": text or "", "default": rules.is_default}
    uow.record(AuditEntry("contact_rules.deployed", row_id, payload, actor=actor))
    return True


def deploy_files(uow: UnitOfWork, actor: Actor, files: Mapping[str, str]) -> None:
    """Put into force what a workspace's files say of customers, whatever the playbooks: contact rules, experiments.

    SourceError for a mistake, and for an experiment that may not be changed so.
    """
    deploy_rules(uow, actor, files.get(FILE))
    deploy_experiments(uow, actor, files.get(PLANS_FILE))


def deployed_rules(reader: Reader) -> tuple[ContactRules, Any]:
    """The rules in force with the row that says by whom and since when; None where nothing was deployed."""
    return current_rules(reader), store.rules_row(reader)
