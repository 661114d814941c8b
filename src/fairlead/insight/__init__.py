"""Insight: figures over what other rooms wrote; reads, and never writes."""

from fairlead.insight.experiments import (
    MAX_DAYS,
    ExperimentReport,
    Unsent,
    UnsentFor,
    report_of,
    reports,
)

__all__ = ["MAX_DAYS", "ExperimentReport", "Unsent", "UnsentFor", "report_of", "reports"]
