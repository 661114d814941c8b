"""Evidence: what came of decisions, kept for judging the machine and the people."""

from fairlead.evidence.appeals import AUTOMATIC, Appeal, AppealState, appeals_of, ask_for_person
from fairlead.evidence.labels import Labels, label_counts, page_of_labels
from fairlead.evidence.model import Label, LabelCount, Outcome, OutcomeReport, outcome_of
from fairlead.evidence.repairs import (
    Repair,
    finish_repair,
    repair_of,
    repairs_of,
    repairs_page,
)
from fairlead.evidence.service import outcome_values, outcomes_of, report_outcome

__all__ = [
    "AUTOMATIC",
    "Appeal",
    "AppealState",
    "Label",
    "LabelCount",
    "Labels",
    "Outcome",
    "OutcomeReport",
    "Repair",
    "appeals_of",
    "ask_for_person",
    "finish_repair",
    "label_counts",
    "outcome_of",
    "outcome_values",
    "outcomes_of",
    "page_of_labels",
    "repair_of",
    "repairs_of",
    "repairs_page",
    "report_outcome",
]
