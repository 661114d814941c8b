"""Playbooks: graphs of stages, the cases that run through them, and the engine that moves the cases."""

from fairlead.playbooks.bundles import Bundle, BundleLibrary, check_files, compile_bundle, read_workspace
from fairlead.playbooks.engine import Engine, RunCount
from fairlead.playbooks.jobs import CaseSource, EventSource, TimerSource, rerule_waiting
from fairlead.playbooks.model import (
    CaseState,
    CaseVerb,
    EngineSettings,
    Playbook,
    StepFailure,
    StepInput,
    StepKind,
    StepResult,
)
from fairlead.playbooks.opening import CaseDraft, open_cases
from fairlead.playbooks.reruling import Reruled
from fairlead.playbooks.service import case_summary, deploy, stranded_cases
from fairlead.playbooks.steering import steer
from fairlead.playbooks.steps import RecordRun, Step, StepRegistry, StepRun, plain_step
from fairlead.playbooks.store import (
    cases_page,
    counts_by_stage,
    current_bundle,
    open_cases_of,
    read_case,
    ready_count,
    states_of,
)

__all__ = [
    "Bundle",
    "BundleLibrary",
    "CaseDraft",
    "CaseSource",
    "CaseState",
    "CaseVerb",
    "Engine",
    "EngineSettings",
    "EventSource",
    "Playbook",
    "RecordRun",
    "Reruled",
    "RunCount",
    "Step",
    "StepFailure",
    "StepInput",
    "StepKind",
    "StepRegistry",
    "StepResult",
    "StepRun",
    "TimerSource",
    "case_summary",
    "cases_page",
    "check_files",
    "compile_bundle",
    "counts_by_stage",
    "current_bundle",
    "deploy",
    "open_cases",
    "open_cases_of",
    "plain_step",
    "read_case",
    "read_workspace",
    "ready_count",
    "rerule_waiting",
    "states_of",
    "steer",
    "stranded_cases",
]
