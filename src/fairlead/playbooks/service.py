"""Deploying a workspace, and looking at cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import ConflictError, FairleadError
from fairlead.guardrails import deploy_files
from fairlead.kit.actors import Actor
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.playbooks import store
from fairlead.playbooks.bundles import Bundle, BundleLibrary


def deploy(uow: UnitOfWork, library: BundleLibrary, actor: Actor, files: Mapping[str, str]) -> tuple[Bundle, bool]:
    """Make these files what new cases use; running ones keep theirs. False: they were already.

    SourceError for a mistake in the files. ConflictError when a running case needs a step that this build no
    longer has; it lists those cases.
    """
    bundle = library.compile(files)
    stranded = stranded_cases(uow, library)
    if stranded:
        lines = "; ".join(f"{s['playbook']}: {s['cases']} cases such as {s['example']} ({s['why']})" for s in stranded)
        message = f"running cases need what this build lacks: {lines}"
        raise ConflictError(message, code="stranded_cases", cases=stranded)
    if store.current_bundle(uow) == bundle.digest:
        return bundle, False
    deployment = store.insert_deployment(uow, bundle.digest, files, str(actor))
    payload = {"bundle": bundle.digest, "files": sorted(files), "policies": _versions(bundle)}
    uow.record(AuditEntry("workspace.deployed", deployment, payload, actor=actor))
    deploy_files(uow, actor, files)
    return bundle, True


def _versions(bundle: Bundle) -> dict[str, str]:
    return {name: policy.version for name, policy in bundle.policies.items()}


def stranded_cases(reader: Reader, library: BundleLibrary) -> list[dict[str, Any]]:
    """Open cases pinned to a bundle that this build cannot run, by bundle and playbook."""
    stranded = []
    for digest, playbook, count, example in store.live_bundles(reader):
        try:
            library.load(reader, digest)
        except FairleadError as error:
            stranded.append({"playbook": playbook, "cases": count, "example": example, "why": error.message})
    return stranded


def case_summary(row: Any) -> dict[str, Any]:
    """One case as the API and console show it."""
    waits = {"for": row.wait_type, "key": row.wait_key} if row.wait_type else None
    return {
        "id": row.id,
        "playbook": row.playbook,
        "version": row.version,
        "bundle": row.bundle,
        "stage": row.stage,
        "state": row.state,
        "subject": {"kind": row.subject_kind, "id": row.subject_id},
        "customer": row.customer_id,
        "facts": row.facts,
        "waits": waits,
        "problem": row.problem,
        "taken_by": (row.resume or {}).get("taken_by"),
        "end": row.end,
        "created_at": row.created_at,
        "changed_at": row.changed_at,
    }
