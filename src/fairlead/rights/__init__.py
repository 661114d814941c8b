"""A customer's rights: export, rectify, restrict, erase, each decided by a person."""

from fairlead.rights.erasing import KEPT, Erased, erase
from fairlead.rights.exporting import export_of
from fairlead.rights.model import CHECKPOINT, PLAYBOOK, RECTIFIABLE, SUBJECT, Origin, RequestState, Right, due_of
from fairlead.rights.proposing import facts_of_silence, room_for_proposals
from fairlead.rights.reach import DROPS, SCRUBS
from fairlead.rights.service import Asked, carry_out, export_for, extend_request, note_export, open_request
from fairlead.rights.steps import STEPS
from fairlead.rights.store import read_request, requests_of, requests_page, waiting_counts, waiting_page

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
    "Origin",
    "RequestState",
    "Right",
    "carry_out",
    "due_of",
    "erase",
    "export_for",
    "export_of",
    "extend_request",
    "facts_of_silence",
    "note_export",
    "open_request",
    "read_request",
    "requests_of",
    "requests_page",
    "room_for_proposals",
    "waiting_counts",
    "waiting_page",
]
