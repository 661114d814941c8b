"""Alerts: a delay, a renewal or an incident becomes one message to each customer it concerns, until it is resolved."""

from fairlead.alerts.model import MAX_FIELDS, PLAYBOOK, Alert, AlertDraft, AlertKind, AlertState, Raised
from fairlead.alerts.service import CHUNK, raise_alert, read_alert, resolve_alert, withdraw_alert

__all__ = [
    "CHUNK",
    "MAX_FIELDS",
    "PLAYBOOK",
    "Alert",
    "AlertDraft",
    "AlertKind",
    "AlertState",
    "Raised",
    "raise_alert",
    "read_alert",
    "resolve_alert",
    "withdraw_alert",
]
