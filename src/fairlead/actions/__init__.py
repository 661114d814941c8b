"""The outbox: what will be done, once, through which connector, and what came of it."""

from fairlead.actions.delivery import Connector, Delivery, Receipt, ReceiptState
from fairlead.actions.jobs import OutboxSource
from fairlead.actions.model import (
    MESSAGE,
    OPEN,
    TRANSITIONS,
    ActionDraft,
    ActionState,
    RetryPolicy,
    Scope,
    ScopeKind,
    may_follow,
)
from fairlead.actions.reading import Action, action_of, actions_of_case, states_of, stops_on
from fairlead.actions.service import (
    EVENT,
    Withdrawal,
    forget_customer,
    hold_for,
    queue_many,
    release_for,
    settle_ambiguous,
    withdraw_of_case,
    withdraw_of_cases,
)

__all__ = [
    "EVENT",
    "MESSAGE",
    "OPEN",
    "TRANSITIONS",
    "Action",
    "ActionDraft",
    "ActionState",
    "Connector",
    "Delivery",
    "OutboxSource",
    "Receipt",
    "ReceiptState",
    "RetryPolicy",
    "Scope",
    "ScopeKind",
    "Withdrawal",
    "action_of",
    "actions_of_case",
    "forget_customer",
    "hold_for",
    "may_follow",
    "queue_many",
    "release_for",
    "settle_ambiguous",
    "states_of",
    "stops_on",
    "withdraw_of_case",
    "withdraw_of_cases",
]
