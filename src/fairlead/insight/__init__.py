"""Insight: figures over what other rooms wrote; reads, and never writes."""

from fairlead.insight.comparing import ArmOutcome, Comparison, Counted, Difference, Question, State, compare, difference
from fairlead.insight.experiments import (
    MAX_DAYS,
    ExperimentReport,
    Unsent,
    UnsentFor,
    report_of,
    reports,
)

__all__ = [
    "MAX_DAYS",
    "ArmOutcome",
    "Comparison",
    "Counted",
    "Difference",
    "ExperimentReport",
    "Question",
    "State",
    "Unsent",
    "UnsentFor",
    "compare",
    "difference",
    "report_of",
    "reports",
]
