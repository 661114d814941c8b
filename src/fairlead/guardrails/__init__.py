"""Guardrails: the one gate that every message to a customer passes, and the rules that it goes by."""

from fairlead.guardrails.deploying import current_rules, deploy_rules, deployed_rules
from fairlead.guardrails.judging import judge
from fairlead.guardrails.logging import Logged, contact_log, discreet, discreet_answer, log_cursor, read_log_cursor
from fairlead.guardrails.model import (
    Attempt,
    Checked,
    Code,
    Consent,
    GateAnswer,
    Known,
    LogState,
    Mechanism,
    PurposeClass,
    Sender,
    Sent,
    Verdict,
    Wish,
)
from fairlead.guardrails.parsing import FILE as RULES_FILE, check_rules, parse_rules
from fairlead.guardrails.rules import DEFAULT, Cap, ContactRules, Period, Purpose, QuietWindow, WhenFull, precedence
from fairlead.guardrails.service import (
    expire_reservations,
    forget_contacts,
    pass_gate,
    settle_contact,
    stale_reservations,
    would_pass,
)
from fairlead.guardrails.telling import Section, told

__all__ = [
    "DEFAULT",
    "RULES_FILE",
    "Attempt",
    "Cap",
    "Checked",
    "Code",
    "Consent",
    "ContactRules",
    "GateAnswer",
    "Known",
    "LogState",
    "Logged",
    "Mechanism",
    "Period",
    "Purpose",
    "PurposeClass",
    "QuietWindow",
    "Section",
    "Sender",
    "Sent",
    "Verdict",
    "WhenFull",
    "Wish",
    "check_rules",
    "contact_log",
    "current_rules",
    "deploy_rules",
    "deployed_rules",
    "discreet",
    "discreet_answer",
    "expire_reservations",
    "forget_contacts",
    "judge",
    "log_cursor",
    "parse_rules",
    "pass_gate",
    "precedence",
    "read_log_cursor",
    "settle_contact",
    "stale_reservations",
    "told",
    "would_pass",
]
