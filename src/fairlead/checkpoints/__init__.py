"""Checkpoints: named places where a proposal is ruled on; policies, rulings, decisions, grants."""

from fairlead.checkpoints.answers import AnswerSchema
from fairlead.checkpoints.approval_store import unasked_executions
from fairlead.checkpoints.approvals import (
    Approval,
    current as current_approval,
    digest_to_execute,
    issue as issue_approval,
    stands as approval_state,
)
from fairlead.checkpoints.asked import (
    Asked,
    effective_ones,
    find_asked,
    find_many_asked,
    lock_asked,
    page_of_asked,
    unexecuted,
)
from fairlead.checkpoints.drawing import DrawnKey, drawn, drawn_among, fold_drawn
from fairlead.checkpoints.executions import Execution, execute as execute_approval
from fairlead.checkpoints.grant_store import autonomy_epoch, grants_of, stops
from fairlead.checkpoints.granting import set_grant, withdraw_grant
from fairlead.checkpoints.model import Grant, GrantKey, Level, Path, Proposal, Stop
from fairlead.checkpoints.parsing import parse_policy
from fairlead.checkpoints.policy import CheckpointPolicy, ReviewTerms
from fairlead.checkpoints.recalling import recall
from fairlead.checkpoints.record import Ruling
from fairlead.checkpoints.recording import insert_ruled
from fairlead.checkpoints.reporting import FirstRuling, RulingMade, first_rulings, rulings_between
from fairlead.checkpoints.request_store import drop_request, forget_requests, insert_request, read_request
from fairlead.checkpoints.sentences import decisive_reasons, explain, explain_for_customer
from fairlead.checkpoints.service import Ask, Ruled, rule_asks
from fairlead.checkpoints.settling import DECISION, SETTLEMENT, settle, unsettle
from fairlead.checkpoints.shape import policy_shape
from fairlead.checkpoints.signatures import Signature, declared, signature_of, signatures_of, unsigned
from fairlead.checkpoints.signing import sign_policy, withdraw_signatures
from fairlead.checkpoints.standing import CheckpointState, read_state
from fairlead.checkpoints.stopping import lift_stop, switch_stop
from fairlead.checkpoints.store import decisions_of_customer, read_decision, read_ruling, rulings_of_case

__all__ = [
    "DECISION",
    "SETTLEMENT",
    "AnswerSchema",
    "Approval",
    "Ask",
    "Asked",
    "CheckpointPolicy",
    "CheckpointState",
    "DrawnKey",
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
    "RulingMade",
    "Signature",
    "Stop",
    "approval_state",
    "autonomy_epoch",
    "current_approval",
    "decisions_of_customer",
    "decisive_reasons",
    "declared",
    "digest_to_execute",
    "drawn",
    "drawn_among",
    "drop_request",
    "effective_ones",
    "execute_approval",
    "explain",
    "explain_for_customer",
    "find_asked",
    "find_many_asked",
    "first_rulings",
    "fold_drawn",
    "forget_requests",
    "grants_of",
    "insert_request",
    "insert_ruled",
    "issue_approval",
    "lift_stop",
    "lock_asked",
    "page_of_asked",
    "parse_policy",
    "policy_shape",
    "read_decision",
    "read_request",
    "read_ruling",
    "read_state",
    "recall",
    "rule_asks",
    "rulings_between",
    "rulings_of_case",
    "set_grant",
    "settle",
    "sign_policy",
    "signature_of",
    "signatures_of",
    "stops",
    "switch_stop",
    "unasked_executions",
    "unexecuted",
    "unsettle",
    "unsigned",
    "withdraw_grant",
    "withdraw_signatures",
]
