"""Leads that do not come by file: from programs, from web forms, from the words of e-mails and call notes."""

from fairlead.sales.capture.answers import Answers, read_answers
from fairlead.sales.capture.changes import Known, source_words
from fairlead.sales.capture.confirming import ConfirmLinks
from fairlead.sales.capture.finding import Found
from fairlead.sales.capture.form_words import LANGUAGES as form_words  # noqa: N811  a table of words, used as one
from fairlead.sales.capture.forms import Form, check_forms, forms_of
from fairlead.sales.capture.letters import Letter, read_letter
from fairlead.sales.capture.notes import (
    NoteTaken,
    note_playbook,
    read_found,
    record_of,
    take_note,
    undo_change,
)
from fairlead.sales.capture.steps import STEPS
from fairlead.sales.capture.store import (
    add_refusals,
    change_of_note,
    details_of,
    forget_customer,
    note_of_case,
    notes_page,
    read_note,
    refusals,
    submission_counts,
    submissions,
)
from fairlead.sales.capture.submitting import Outcome, RefusalCounter, Submitted, submit
from fairlead.sales.capture.taking import Plain, Taken, known_lead, lead_of, lead_playbook, take_lead, taken_before
from fairlead.sales.capture.tokens import TokenState, check_token, issue_token

FILE_CHECKS = (check_forms,)
"""Checks of the workspace's files that this part reads."""

__all__ = [
    "FILE_CHECKS",
    "STEPS",
    "Answers",
    "ConfirmLinks",
    "Form",
    "Found",
    "Known",
    "Letter",
    "NoteTaken",
    "Outcome",
    "Plain",
    "RefusalCounter",
    "Submitted",
    "Taken",
    "TokenState",
    "add_refusals",
    "change_of_note",
    "check_forms",
    "check_token",
    "details_of",
    "forget_customer",
    "form_words",
    "forms_of",
    "issue_token",
    "known_lead",
    "lead_of",
    "lead_playbook",
    "note_of_case",
    "note_playbook",
    "notes_page",
    "read_answers",
    "read_found",
    "read_letter",
    "read_note",
    "record_of",
    "refusals",
    "source_words",
    "submission_counts",
    "submissions",
    "submit",
    "take_lead",
    "take_note",
    "taken_before",
    "undo_change",
]
