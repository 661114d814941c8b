"""Checkpoints: named places where a proposal is ruled on; policies, rulings, decisions, grants."""

from fairlead.checkpoints.answers import AnswerSchema
from fairlead.checkpoints.approvals import (
    Approval,
    Execution,
    digest_to_execute,
)
from fairlead.checkpoints.approvals import current as current_approval
from fairlead.checkpoints.approvals import execute as execute_approval
from fairlead.checkpoints.approvals import issue as issue_approval
from fairlead.checkpoints.approvals import stands as approval_state
from fairlead.checkpoints.asked import (
    Asked,
    effective_ones,
    find_asked,
    find_many_asked,
    lock_asked,
    page_of_asked,
    unexecuted,
)
from fairlead.checkpoints.model import Grant, GrantKey, Level, Path, Proposal, Stop
from fairlead.checkpoints.parsing import parse_policy
from fairlead.checkpoints.policy import CheckpointPolicy, ReviewTerms
from fairlead.checkpoints.recalling import recall
from fairlead.checkpoints.record import Ruling
from fairlead.checkpoints.reporting import FirstRuling, first_rulings
from fairlead.checkpoints.sentences import explain, explain_for_customer
from fairlead.checkpoints.service import (
    DECISION,
    SETTLEMENT,
    Ask,
    CheckpointState,
    Ruled,
    insert_ruled,
    lift_stop,
    read_state,
    rule_asks,
    set_grant,
    settle,
    switch_stop,
    unsettle,
    withdraw_grant,
)
from fairlead.checkpoints.store import (
    autonomy_epoch,
    drop_request,
    forget_requests,
    grants_of,
    insert_request,
    read_decision,
    read_request,
    read_ruling,
    rulings_of_case,
    stops,
    unasked_executions,
)

__all__ = [
    "DECISION",
    "SETTLEMENT",
    "AnswerSchema",
    "Approval",
    "Ask",
    "Asked",
    "CheckpointPolicy",
    "CheckpointState",
    "Execution",
    "FirstRuling",
    "Grant",
    "GrantKey",
    "Level",
    "Path",
    "Proposal",
    "ReviewTerms",
    "Ruled",
    "Ruling",
    "Stop",
    "approval_state",
    "autonomy_epoch",
    "current_approval",
    "digest_to_execute",
    "drop_request",
    "effective_ones",
    "execute_approval",
    "explain",
    "explain_for_customer",
    "find_asked",
    "find_many_asked",
    "first_rulings",
    "forget_requests",
    "grants_of",
    "insert_request",
    "insert_ruled",
    "issue_approval",
    "lift_stop",
    "lock_asked",
    "page_of_asked",
    "parse_policy",
    "read_decision",
    "read_request",
    "read_ruling",
    "read_state",
    "recall",
    "rule_asks",
    "rulings_of_case",
    "set_grant",
    "settle",
    "stops",
    "switch_stop",
    "unasked_executions",
    "unexecuted",
    "unsettle",
    "withdraw_grant",
]
