"""Evidence: what came of decisions, kept for judging the machine and the people."""

from fairlead.evidence.model import Outcome, OutcomeReport
from fairlead.evidence.service import outcomes_of, report_outcome

__all__ = ["Outcome", "OutcomeReport", "outcomes_of", "report_outcome"]
