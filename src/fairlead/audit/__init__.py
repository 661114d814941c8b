"""The append-only record of everything that happened, sealed in a hash chain and verified offline."""

from fairlead.audit.exported import ExportedRecord
from fairlead.audit.exporting import write_export
from fairlead.audit.heads import publish_heads, read_heads
from fairlead.audit.jobs import seal_all
from fairlead.audit.model import EntryRow
from fairlead.audit.sealing import seal_entries
from fairlead.audit.service import Trail, changes_since, erase_customer, happenings, history, recent_seals, steered
from fairlead.audit.signing import Signer
from fairlead.audit.verifying import Problem, StoredRecord, Verification, verify

__all__ = [
    "EntryRow",
    "ExportedRecord",
    "Problem",
    "Signer",
    "StoredRecord",
    "Trail",
    "Verification",
    "changes_since",
    "erase_customer",
    "happenings",
    "history",
    "publish_heads",
    "read_heads",
    "recent_seals",
    "seal_all",
    "seal_entries",
    "steered",
    "verify",
    "write_export",
]
