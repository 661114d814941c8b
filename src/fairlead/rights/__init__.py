"""A customer's rights: export, rectify, restrict, erase, each decided by a person."""

from fairlead.rights.erasing import KEPT, Erased, erase
from fairlead.rights.exporting import export_of
from fairlead.rights.jobs import clean_files
from fairlead.rights.model import CHECKPOINT, PLAYBOOK, RECTIFIABLE, SUBJECT, RequestState, Right, due_of
from fairlead.rights.reach import DROPS, SCRUBS
from fairlead.rights.service import Asked, carry_out, export_for, note_export, open_request
from fairlead.rights.steps import STEPS
from fairlead.rights.store import read_request, requests_of, requests_page

__all__ = [
    "CHECKPOINT",
    "DROPS",
    "KEPT",
    "PLAYBOOK",
    "RECTIFIABLE",
    "SCRUBS",
    "STEPS",
    "SUBJECT",
    "Asked",
    "Erased",
    "RequestState",
    "Right",
    "carry_out",
    "clean_files",
    "due_of",
    "erase",
    "export_for",
    "export_of",
    "note_export",
    "open_request",
    "read_request",
    "requests_of",
    "requests_page",
]
