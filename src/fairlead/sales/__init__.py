"""Leads: how they come in, are scored and routed."""

from fairlead.sales.facts import lead_facts
from fairlead.sales.service import (
    LeadFile,
    batches,
    begin_import,
    checked_rows,
    count_import,
    finish_import,
    import_batch,
    open_lead_file,
    unsettled,
)
from fairlead.sales.steps import STEPS
from fairlead.sales.store import (
    finished_import_of,
    imports_of,
    imports_page,
    leads_page,
    read_import,
    read_lead,
    rejects,
)

__all__ = [
    "STEPS",
    "LeadFile",
    "batches",
    "begin_import",
    "checked_rows",
    "count_import",
    "finish_import",
    "finished_import_of",
    "import_batch",
    "imports_of",
    "imports_page",
    "lead_facts",
    "leads_page",
    "open_lead_file",
    "read_import",
    "read_lead",
    "rejects",
    "unsettled",
]
